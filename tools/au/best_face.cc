#include "tools/au/best_face.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "annotator/face_confirmation.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "features/align.h"

namespace auforge::tools {
namespace {

struct FoundFace {
  features::Box box;
  float score = 0;
  features::Landmarks68 landmarks;
};

}  // namespace

annotator::DetectorChoice FaceSearch::Detector() const { return {.name = detector, .model = detector_model, .threshold = detector_threshold, .upsample = 1}; }

void FaceSearch::Validate() const {
  const auto need = [](bool good, const std::string& text) {
    if (!good) throw std::invalid_argument(text);
  };
  Detector().Validate();
  need(min_face >= 20 && min_face <= 2000, "min-face = " + std::to_string(min_face) + "; must be 20..2000 pixels");
}

struct FaceSeeker::Impl {
  explicit Impl(const FaceSearch& of)
      : search(of), landmarker(of.landmarks.empty() ? annotator::DefaultLandmarks() : of.landmarks) {}
  FaceSearch search;
  annotator::Landmarker landmarker;
  std::mutex mutex;
  std::vector<std::unique_ptr<annotator::FaceDetector>> idle;

  std::unique_ptr<annotator::FaceDetector> Take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        auto detector = std::move(idle.back());
        idle.pop_back();
        return detector;
      }
    }
    return annotator::MakeDetector(search.Detector());
  }

  // The surest first, with landmarks and scores on HOG's scale.
  std::vector<FoundFace> Detect(const cv::Mat& bgr) {
    std::unique_ptr<annotator::FaceDetector> detector = Take();
    std::vector<FoundFace> faces;
    for (const annotator::LandmarkedFace& face : annotator::FindFaces(*detector, landmarker, bgr, search.min_face))
      faces.push_back({face.detection.box, detector->HogScore(face.detection.score), face.landmarks});
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(detector));
    return faces;
  }
};

FaceSeeker::FaceSeeker(const FaceSearch& search) {
  search.Validate();
  impl_ = std::make_unique<Impl>(search);
}
FaceSeeker::~FaceSeeker() = default;
const annotator::Landmarker& FaceSeeker::landmarker() const { return impl_->landmarker; }

std::optional<BestFace> FaceSeeker::Find(const cv::Mat& bgr) const {
  const auto found = impl_->Detect(bgr);
  if (found.empty()) return std::nullopt;
  return At(bgr, found.front().landmarks, found.front().score);
}

std::optional<BestFace> FaceSeeker::FindNear(const cv::Mat& bgr, const features::Landmarks68& roughly) const {
  const features::Point2 nose = roughly[30];
  const FoundFace* nearest = nullptr;
  float least = 0;
  const auto found = impl_->Detect(bgr);
  for (const FoundFace& face : found) {
    const float dx = face.box.x + face.box.width / 2 - nose.x, dy = face.box.y + face.box.height / 2 - nose.y;
    const float distance = std::hypot(dx, dy);
    if (distance > face.box.width / 2 || (nearest != nullptr && distance >= least)) continue;
    nearest = &face;
    least = distance;
  }
  if (nearest == nullptr) return std::nullopt;
  return At(bgr, nearest->landmarks, nearest->score);
}

BestFace FaceSeeker::At(const cv::Mat& bgr, const features::Landmarks68& landmarks, float detector_score) {
  const features::AlignedFace aligned = features::AlignFace(bgr, landmarks, {});
  return {aligned.crop, features::Transform(aligned.crop_from_image, landmarks), landmarks,
          annotator::EvidenceOf(aligned.crop, landmarks, detector_score)};
}

namespace {

// Where a box of a variant lies in the picture itself.
features::Box InPicture(features::Box box, std::size_t variant, const cv::Size& picture,
                        const cv::Size& size) {
  const float scale = static_cast<float>(picture.width) / static_cast<float>(size.width);
  box = {box.x * scale, box.y * scale, box.width * scale, box.height * scale};
  if (variant == kMirrored) box.x = static_cast<float>(picture.width) - box.x - box.width;
  return box;
}

// Least intersection over union of two boxes of one face.
constexpr float kSameFace = 0.4F;

}  // namespace

std::vector<FaceSeeker::FaceVariants> FaceSeeker::FindInVariants(const cv::Mat& bgr) const {
  const std::vector<cv::Mat> pictures = Variants(bgr);
  std::vector<FaceVariants> faces;
  std::vector<features::Box> boxes;
  for (const FoundFace& found : impl_->Detect(bgr)) {
    faces.emplace_back(pictures.size());
    faces.back().front() = At(bgr, found.landmarks, found.score);
    boxes.push_back(found.box);
  }
  for (std::size_t v = 1; v < pictures.size(); ++v) {
    const cv::Mat& picture = pictures[v];
    const auto found = impl_->Detect(picture);
    for (std::size_t i = 0; i < faces.size(); ++i) {
      float most = kSameFace;
      const FoundFace* same = nullptr;
      for (const FoundFace& other : found) {
        const float overlap = features::Overlap(boxes[i], InPicture(other.box, v, bgr.size(), picture.size()));
        if (overlap < most) continue;
        most = overlap;
        same = &other;
      }
      if (same != nullptr) faces[i][v] = At(picture, same->landmarks, same->score);
    }
  }
  return faces;
}

std::vector<cv::Mat> Variants(const cv::Mat& bgr) {
  std::vector<cv::Mat> variants{bgr, {}, datasets::DecodeImage(datasets::EncodeJpeg(bgr, 50), {}).bgr, {}};
  cv::flip(bgr, variants[kMirrored], 1);
  cv::resize(bgr, variants[3], {}, 0.5, 0.5, cv::INTER_AREA);
  return variants;
}

std::vector<std::vector<std::uint8_t>> ReadImages(const std::vector<std::string>& inputs) {
  const datasets::ImageSource source = datasets::ImageSource::Plan(inputs, {});
  std::vector<std::vector<std::uint8_t>> images;
  for (const datasets::InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    datasets::ImageItem item;
    while (reader->Next(item)) {
      if (item.status == datasets::Outcome::kOk) images.push_back(std::move(item.bytes));
    }
  }
  return images;
}

}  // namespace auforge::tools
