#include "tools/au/photo_features.h"

#include "datasets/image_codec.h"
#include "tools/cli/parallel.h"

namespace auforge::tools {

PhotoFeatures ExtractPhotos(const std::vector<std::string>& inputs, const features::FeatureSpec& spec,
                            bool with_variants, const FaceSearch& search, int jobs) {
  const auto images = ReadImages(inputs);
  const features::FeatureExtractor extractor(spec);
  const FaceSeeker seeker(search);
  std::vector<std::vector<float>> rows(images.size());
  ParallelFor(images.size(), jobs, [&](std::size_t i) {
    const datasets::DecodedImage photo = datasets::DecodeImage(images[i], {});
    if (photo.status != datasets::Outcome::kOk) return;
    FaceSeeker::FaceVariants faces;
    if (with_variants) {
      const auto all = seeker.FindInVariants(photo.bgr);
      if (!all.empty()) faces = all.front();
    } else {
      faces.push_back(seeker.Find(photo.bgr));
    }
    for (const auto& face : faces) {
      if (!face) continue;
      std::vector<float> row(extractor.Dimension());
      extractor.Extract(face->crop, face->landmarks, row);
      rows[i].insert(rows[i].end(), row.begin(), row.end());
    }
  });
  PhotoFeatures result;
  result.pictures = images.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.rows.insert(result.rows.end(), rows[i].begin(), rows[i].end());
    result.picture.insert(result.picture.end(), rows[i].size() / extractor.Dimension(),
                          static_cast<std::int64_t>(i));
    result.faces += rows[i].empty() ? 0 : 1;
  }
  return result;
}

}  // namespace auforge::tools
