#include "tests/gan/faces.h"

#include <algorithm>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "tests/support/faces.h"

namespace auforge::tests {
namespace {

datasets::ShardHeader Header(const features::AuSchema& schema) {
  datasets::ShardHeader header;
  header.schema = schema;
  header.model_digest = "m";
  header.detector = "none";
  header.config_digest = "c";
  header.emotion_names = {"neutral"};
  return header;
}

// The `number`th face, as far as its picture has no part in it.
datasets::FaceRecord Face(int number, std::size_t aus, datasets::ShardWriter& writer) {
  datasets::SampleRecord sample;
  sample.key = "k" + std::to_string(number);
  datasets::FaceRecord face;
  face.sample = writer.AddSample(sample);
  for (std::size_t j = 0; j < aus; ++j) {
    const auto intensity = static_cast<float>((number * 7 + static_cast<int>(j) * 3) % 6);
    face.aus.intensity.push_back(std::min(5.0F, intensity));
    face.aus.probability.push_back(0.5F);
    face.aus.present.push_back(intensity >= 1 ? 1 : 0);
  }
  face.aus.quality = 1;
  face.landmarks = NeutralFace();
  face.box = {0, 0, 40, 40};
  return face;
}

}  // namespace

void WriteFaces(const std::string& folder, int count, const features::AuSchema& schema) {
  datasets::ShardWriter writer(folder, 0, Header(schema));
  for (int i = 0; i < count; ++i) {
    datasets::FaceRecord face = Face(i, schema.size(), writer);
    face.image = datasets::EncodeJpeg(Texture(40, 40, 3, static_cast<std::uint64_t>(i) + 1), 90);
    writer.AddFace(std::move(face));
  }
  writer.Finish();
}

void WritePairs(const std::string& folder, const PairsOptions& options) {
  datasets::ShardWriter writer(folder, 0, Header(options.schema));
  std::vector<float> pairs;
  for (int scene = 0; scene < options.scenes; ++scene) {
    const bool is_cut = options.partner_is_missing && scene + 1 == options.scenes;
    for (int e = 0; e < (is_cut ? 1 : options.expressions); ++e) {
      datasets::FaceRecord face = Face(scene * options.expressions + e, options.schema.size(), writer);
      cv::Mat picture = Texture(options.side, options.side, 3, static_cast<std::uint64_t>(scene) + 1);
      const int quarter = options.side / 4;
      picture(cv::Rect(quarter, quarter, quarter, quarter)).setTo(cv::Scalar::all(50 * face.aus.intensity[0]));
      face.image = datasets::EncodeJpeg(picture, 95);
      pairs.push_back(static_cast<float>(scene));
      writer.AddFace(std::move(face));
    }
  }
  writer.AddExtra(datasets::ExtraDataset{"/synthetic/pair", {pairs.size()}, pairs});
  writer.Finish();
}

}  // namespace auforge::tests
