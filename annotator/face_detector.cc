#include "annotator/face_detector.h"

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/opencv/cv_image.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <stdexcept>
#include <tuple>

namespace auforge::annotator {
namespace {

// dlib counts pixels, so a rectangle's width is right - left + 1; our boxes hold the edges of the outermost
// pixels.
features::Box BoxFromRectangle(const dlib::rectangle& r, float scale) {
  return {static_cast<float>(r.left()) * scale, static_cast<float>(r.top()) * scale,
          static_cast<float>(r.width()) * scale, static_cast<float>(r.height()) * scale};
}

bool BestFirst(const features::Detection& a, const features::Detection& b) {
  return std::tie(b.score, a.box.y, a.box.x, a.box.width) < std::tie(a.score, b.box.y, b.box.x, b.box.width);
}

// A face found that is this much smaller than the least wanted one is not kept.
constexpr float kSlack = 0.6F;

void Scale(features::Detection& detection, double factor) {
  const auto scale = [factor](float v) { return static_cast<float>(v * factor); };
  features::Box& box = detection.box;
  box = {scale(box.x), scale(box.y), scale(box.width), scale(box.height)};
  if (!detection.points) return;
  for (features::Point2& p : *detection.points) p = {scale(p.x), scale(p.y)};
}

class HogDetector final : public FaceDetector {
 public:
  explicit HogDetector(const DetectorOptions& options) : options_(options) {}

  std::vector<features::Detection> Detect(const cv::Mat& image) override {
    if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) {
      throw std::invalid_argument("FaceDetector: the image must be CV_8UC1 or CV_8UC3");
    }
    if (image.empty()) return {};
    const cv::Mat& grey = Grey(image);
    const int factor = 1 << options_.upsample;
    const cv::Mat* searched = &grey;
    if (factor > 1) {
      cv::resize(grey, enlarged_, {}, factor, factor, cv::INTER_LINEAR);
      searched = &enlarged_;
    }
    std::vector<dlib::rect_detection> found;
    if (!detector_) detector_ = Prototype();
    (*detector_)(dlib::cv_image<unsigned char>(*searched), found, static_cast<double>(options_.threshold));

    std::vector<features::Detection> detections;
    detections.reserve(found.size());
    for (const dlib::rect_detection& d : found) {
      detections.push_back({BoxFromRectangle(d.rect, 1.0F / static_cast<float>(factor)),
                            static_cast<float>(d.detection_confidence)});
    }
    std::sort(detections.begin(), detections.end(), BestFirst);
    return detections;
  }

  std::string Name() const override { return "dlib-hog"; }
  double TemplateFace() const override { return 80.0 / (1 << options_.upsample); }
  float HogScore(float score) const override { return score; }
  bool NeedsConfirmation(float /*score*/) const override { return false; }
  bool FindsUpsideDown() const override { return false; }

 private:
  // Unpacking dlib's weights takes 0.2 s, which is spared where no picture is looked at; copying them takes nothing.
  static const dlib::frontal_face_detector& Prototype() {
    static const dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
    return detector;
  }

  const cv::Mat& Grey(const cv::Mat& image) {
    if (image.channels() == 1) return image;
    cv::cvtColor(image, grey_, cv::COLOR_BGR2GRAY);
    return grey_;
  }

  DetectorOptions options_;
  std::optional<dlib::frontal_face_detector> detector_;  // from the first picture on
  cv::Mat grey_;
  cv::Mat enlarged_;
};

}  // namespace

void DetectorOptions::Validate() const {
  if (upsample < 0 || upsample > 3) {
    throw std::invalid_argument("detector.upsample = " + std::to_string(upsample) + "; must be 0..3");
  }
  if (!(threshold > -10.0F && threshold < 10.0F)) {
    throw std::invalid_argument("detector.threshold = " + std::to_string(threshold) +
                                "; must be within -10..10");
  }
}

float HogScoreOf(const std::string& detector, float score) {
  if (detector.starts_with("yunet")) return 3 * (score - 0.6F);
  return detector.starts_with("auforge") ? 3 * (score - 0.5F) : score;
}

void DetectorChoice::Validate() const {
  const auto need = [](bool good, const std::string& text) {
    if (!good) throw std::invalid_argument(text);
  };
  need(name == "auforge" || name == "hog" || name == "yunet", "detector = " + name + "; must be auforge, hog or yunet");
  need(name != "yunet" || !model.empty(),
       "detector yunet needs its model; name face_detection_yunet_2022mar.onnx with --detector-model");
}

std::unique_ptr<FaceDetector> MakeDetector(const DetectorChoice& choice) {
  choice.Validate();
  if (choice.name == "auforge") return MakeNetDetector({.model = choice.model, .threshold = choice.threshold});
  if (choice.name == "yunet") return MakeYunetDetector({.model = choice.model, .threshold = choice.threshold});
  return MakeHogDetector({.upsample = choice.upsample, .threshold = choice.threshold});
}

std::vector<features::Detection> DetectFaces(FaceDetector& detector, const cv::Mat& bgr, double least_face) {
  const double scale = detector.TemplateFace() / least_face;
  std::vector<features::Detection> found;
  if (std::abs(scale - 1) < 1e-6) {
    found = detector.Detect(bgr);
  } else {
    if (std::min(bgr.cols, bgr.rows) * scale < 1) return {};  // nothing would be left of it, and no face is in it
    cv::Mat scaled;
    cv::resize(bgr, scaled, cv::Size(), scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    found = detector.Detect(scaled);
    for (features::Detection& detection : found) Scale(detection, 1 / scale);
  }
  std::erase_if(found, [&](const features::Detection& d) { return d.box.width < kSlack * least_face; });
  return found;
}

std::unique_ptr<FaceDetector> MakeHogDetector(const DetectorOptions& options) {
  options.Validate();
  return std::make_unique<HogDetector>(options);
}

}  // namespace auforge::annotator
