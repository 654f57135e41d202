#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect/face.hpp>
#include <stdexcept>
#include <tuple>

#include "annotator/face_detector.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/memory_fault.h"

namespace auforge::annotator {
namespace {

constexpr float kLeastScore = 0.6F;
constexpr float kOverlap = 0.3F;  // of boxes of one face, intersection over union
constexpr int kMostCandidates = 1000;
constexpr int kStep = 32;       // the network halves five times
constexpr int kLeastSide = 64;  // it throws on smaller pictures

// Where YuNet's five points (right and left eye, nose, right and left corner of the mouth) lie in the box
// that dlib's detector would draw: measured as the mean shape of its landmarker.
constexpr std::array<features::Point2, 5> kPointsInBox{
    {{0.295F, 0.315F}, {0.705F, 0.315F}, {0.5F, 0.547F}, {0.317F, 0.751F}, {0.683F, 0.751F}}};

// The box whose mean face lies best on the points: scale and place by least squares, any turn.
features::Box BoxOf(const std::array<features::Point2, 5>& points) {
  float fx = 0, fy = 0, tx = 0, ty = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    fx += kPointsInBox[i].x / 5, fy += kPointsInBox[i].y / 5;
    tx += points[i].x / 5, ty += points[i].y / 5;
  }
  float dot = 0, cross = 0, norm = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const float px = kPointsInBox[i].x - fx, py = kPointsInBox[i].y - fy, qx = points[i].x - tx,
                qy = points[i].y - ty;
    dot += px * qx + py * qy;
    cross += px * qy - py * qx;
    norm += px * px + py * py;
  }
  const float a = dot / norm, b = cross / norm, side = std::hypot(a, b);
  // The centre of the box turns with the face; its sides stay upright.
  const float dx = 0.5F - fx, dy = 0.5F - fy;
  const float x = tx + a * dx - b * dy, y = ty + b * dx + a * dy;
  return {x - side / 2, y - side / 2, side, side};
}

std::string ReadModel(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error(
        path + ": the detector's model cannot be opened; docs/performance.md says where YuNet's comes from");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

class YunetDetector final : public FaceDetector {
 public:
  explicit YunetDetector(const YunetOptions& options)
      : options_(options), digest_(datasets::storage::Sha256Hex(ReadModel(options.model)).substr(0, 8)) {
    Network({kLeastSide, kLeastSide});  // a model that cannot be used is told at once
  }

  std::vector<features::Detection> Detect(const cv::Mat& image) override {
    if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) {
      throw std::invalid_argument("FaceDetector: the image must be CV_8UC1 or CV_8UC3");
    }
    if (image.empty()) return {};
    // The network is laid out anew for every size: pictures are put on canvases of few sizes.
    const auto side = [](int pixels) { return std::max((pixels + kStep - 1) / kStep * kStep, kLeastSide); };
    const cv::Size size(side(image.cols), side(image.rows));
    canvas_.create(size, CV_8UC3);
    canvas_.setTo(cv::Scalar::all(0));
    cv::Mat part = canvas_(cv::Rect(0, 0, image.cols, image.rows));
    if (image.channels() == 1) {
      cv::cvtColor(image, part, cv::COLOR_GRAY2BGR);
    } else {
      image.copyTo(part);
    }
    cv::Mat found;  // one row a face: box, five points, score
    Network(size).detect(canvas_, found);
    std::vector<features::Detection> detections;
    for (int i = 0; i < found.rows; ++i) {
      const float* row = found.ptr<float>(i);
      std::array<features::Point2, 5> points;
      for (std::size_t k = 0; k < points.size(); ++k) points[k] = {row[4 + 2 * k], row[5 + 2 * k]};
      const features::Box box = BoxOf(points);
      if (std::isfinite(box.x + box.y + box.width) && box.width >= 1)
        detections.push_back({box, row[14], points});
    }
    std::sort(detections.begin(), detections.end(),
              [](const features::Detection& a, const features::Detection& b) {
                return std::tie(b.score, a.box.y, a.box.x, a.box.width) <
                       std::tie(a.score, b.box.y, b.box.x, b.box.width);
              });
    return detections;
  }

  std::string Name() const override { return "yunet-" + digest_; }
  double TemplateFace() const override { return kYunetFace; }
  float HogScore(float score) const override { return HogScoreOf(Name(), score); }
  bool NeedsConfirmation(float /*score*/) const override { return true; }
  bool FindsUpsideDown() const override { return true; }

 private:
  static constexpr double kYunetFace = 20;

  // The network, laid out for this size. Laying it out anew costs a third of a millisecond.
  cv::FaceDetectorYN& Network(cv::Size size) {
    if (!network_) {
      try {
        network_ = cv::FaceDetectorYN::create(options_.model, "", size, kLeastScore + options_.threshold,
                                              kOverlap, kMostCandidates);
      } catch (const cv::Exception& error) {
        if (datasets::storage::IsOutOfMemory(error)) throw;
        throw datasets::storage::BadContent(options_.model + ": is not a YuNet model that OpenCV reads (" + error.err +
                                 "); use face_detection_yunet_2022mar.onnx");
      }
    }
    if (network_->getInputSize() != size) network_->setInputSize(size);
    return *network_;
  }

  YunetOptions options_;
  std::string digest_;
  cv::Mat canvas_;
  cv::Ptr<cv::FaceDetectorYN> network_;
};

}  // namespace

std::unique_ptr<FaceDetector> MakeYunetDetector(const YunetOptions& options) {
  if (!(options.threshold > -0.5F && options.threshold < 0.4F)) {
    throw std::invalid_argument("detector.threshold = " + std::to_string(options.threshold) +
                                "; must be within -0.5..0.4");
  }
  return std::make_unique<YunetDetector>(options);
}

}  // namespace auforge::annotator
