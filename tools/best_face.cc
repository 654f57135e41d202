#include "tools/best_face.h"

#include <mutex>
#include <opencv2/imgproc.hpp>

#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "features/align.h"

namespace auforge::tools {

struct FaceSeeker::Impl {
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
    // Faces of 40 pixels: halved portraits are still found.
    return annotator::MakeHogDetector({.upsample = 1});
  }
};

FaceSeeker::FaceSeeker() : impl_(std::make_unique<Impl>()) {}
FaceSeeker::~FaceSeeker() = default;
const annotator::Landmarker& FaceSeeker::landmarker() const { return impl_->landmarker; }

std::optional<BestFace> FaceSeeker::Find(const cv::Mat& bgr) const {
  std::unique_ptr<annotator::FaceDetector> detector = impl_->Take();
  const auto found = detector->Detect(bgr);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->idle.push_back(std::move(detector));
  }
  if (found.empty()) return std::nullopt;
  return At(bgr, impl_->landmarker.Find(bgr, found.front().box), found.front().score);
}

BestFace FaceSeeker::At(const cv::Mat& bgr, const features::Landmarks68& landmarks, float detector_score) {
  const features::AlignedFace aligned = features::AlignFace(bgr, landmarks, {});
  return {aligned.crop, features::Transform(aligned.crop_from_image, landmarks), landmarks,
          annotator::EvidenceOf(aligned.crop, landmarks, detector_score)};
}

std::vector<cv::Mat> Variants(const cv::Mat& bgr) {
  std::vector<cv::Mat> variants{bgr, {}, datasets::DecodeImage(datasets::EncodeJpeg(bgr, 50), {}).bgr, {}};
  cv::flip(bgr, variants[1], 1);
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
