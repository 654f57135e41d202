#include "datasets/synthetic/photo_library.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "annotator/face_confirmation.h"
#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "features/align.h"

namespace auforge::datasets::synthetic {
namespace {

// Least face that is searched for, pixels, and where there is none: few sources are small, and the time goes with the area.
constexpr double kLargeFace = 80, kSmallFace = 40;

// Why a face cannot be a source; empty when it can.
std::string Objection(const PhotoSource& source, const PhotoLibraryOptions& options) {
  const features::HeadPose pose = PoseOf(source.fit.camera.view_from_model);
  if (std::abs(pose.yaw) > options.yaw || std::abs(pose.pitch) > options.yaw) return "turned";
  if (source.fit.residual > options.residual) return "poor_fit";
  const features::Landmarks68& l = source.landmarks;
  const float gap = std::max({features::Distance(l[61], l[67]), features::Distance(l[62], l[66]), features::Distance(l[63], l[65])});
  if (gap > options.lips * features::InterOcularDistance(l)) return "open_mouth";
  return "";
}

}  // namespace

void PhotoLibraryOptions::Validate() const {
  if (most < 1) throw std::invalid_argument("photos.most = " + std::to_string(most) + "; must be >= 1");
  if (!(yaw > 0 && yaw <= 45)) throw std::invalid_argument("photos.yaw = " + std::to_string(yaw) + "; must be 0..45 degrees");
  if (!(residual > 0)) throw std::invalid_argument("photos.residual = " + std::to_string(residual) + "; must be > 0 cm");
}

PhotoLibrary CollectPhotos(const std::vector<std::string>& inputs, const PhotoTaker& taker, const PhotoLibraryOptions& options,
                           const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  options.Validate();
  PhotoLibrary library;
  const auto detector = annotator::MakeDetector({});
  const annotator::Landmarker landmarker(options.landmarks.empty() ? annotator::DefaultLandmarks() : options.landmarks);
  const ImageSource source = ImageSource::Plan(inputs, {});
  std::uint64_t seen = 0;
  const auto examine = [&](const ImageItem& item) -> std::string {
    if (item.status != Outcome::kOk) return std::string(OutcomeName(item.status));
    const DecodedImage image = DecodeImage(item.bytes, {});
    if (image.status != Outcome::kOk) return std::string(OutcomeName(image.status));
    std::vector<annotator::LandmarkedFace> found = annotator::FindFaces(*detector, landmarker, image.bgr, kLargeFace);
    if (found.empty()) found = annotator::FindFaces(*detector, landmarker, image.bgr, kSmallFace);
    if (found.empty()) return "no_face";
    const features::Landmarks68& landmarks = found.front().landmarks;
    if (features::InterOcularDistance(landmarks) < options.inter_ocular) return "small";
    PhotoSource fitted = taker.Fit(image.bgr, landmarks, item.key);
    std::string objection = Objection(fitted, options);
    if (!objection.empty()) return objection;
    taker.Bake(fitted);
    library.sources.push_back(std::move(fitted));
    return "used";
  };
  for (const InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    ImageItem item;
    while (library.sources.size() < static_cast<std::size_t>(options.most) && reader->Next(item)) {
      ++library.counts[examine(item)];
      ++seen;
      if (progress) progress(seen, library.sources.size());
    }
  }
  if (library.sources.empty()) {
    std::string text = "none of " + std::to_string(seen) + " photos can be used";
    for (const auto& [why, count] : library.counts) text += ", " + why + ": " + std::to_string(count);
    throw NoUsablePhoto(text + "; a source shows one large frontal face with its mouth closed");
  }
  return library;
}

}  // namespace auforge::datasets::synthetic
