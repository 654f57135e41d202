#include "annotator/net_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <tuple>

#include "annotator/detector_answers.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"

namespace auforge::annotator {
namespace {

using features::Detection;
using features::GridNet;

constexpr float kFirstScore = 0.5F;       // of what is looked at again
constexpr float kLeastScore = 0.55F;      // of a face, then
constexpr float kSureScore = 0.8F;        // below it the landmarker is asked, too
constexpr float kOverlap = 0.35F;
constexpr std::size_t kMostFaces = 1000;
constexpr float kInside = 0.75F;          // of the smaller of two boxes within the larger: they show one face
constexpr int kLeastSide = 6;             // pixels; in a smaller picture nothing is looked for
constexpr double kFace = 24;              // side of the smallest face that is searched for, pixels
// The second look: a square in which the face is so large, and how far from its middle it may be, in sides of the box.
constexpr int kSecondSide = 96;
constexpr float kSecondFace = 36, kSecondReach = 0.35F;
constexpr int kBeyond = 127;              // the grey that a net takes for what is beyond a picture
// What is taken from a picture that will be reduced again: larger faces are told more surely there.
constexpr float kMostFace = 64;
constexpr int kMostSide = 64;  // of a picture that is not reduced any more

bool BestFirst(const Detection& a, const Detection& b) {
  return std::tie(b.score, a.box.y, a.box.x, a.box.width) < std::tie(a.score, b.box.y, b.box.x, b.box.width);
}

// Share of the smaller box that lies within the other.
float Inside(const features::Box& a, const features::Box& b) {
  const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  return width * height / std::min(a.width * a.height, b.width * b.height);
}

float Logit(float score) { return std::log(score / (1 - score)); }

class NetDetector final : public FaceDetector {
 public:
  NetDetector(std::shared_ptr<const GridNet> net, std::string digest, float threshold)
      : net_(std::move(net)), digest_(std::move(digest)) {
    if (!(threshold > -0.5F && threshold < 0.4F)) {
      throw std::invalid_argument("detector.threshold = " + std::to_string(threshold) + "; must be within -0.5..0.4");
    }
    first_logit_ = Logit(std::min(kFirstScore, std::max(kLeastScore + threshold - 0.1F, 0.01F)));
    least_score_ = kLeastScore + threshold;
  }

  std::vector<Detection> Detect(const cv::Mat& image) override {
    if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) {
      throw std::invalid_argument("FaceDetector: the image must be CV_8UC1 or CV_8UC3");
    }
    levels_.clear();
    if (std::max(image.cols, image.rows) >= kLeastSide) Reduce(image);
    std::vector<Detection> found;
    for (const Level& level : levels_) Look(level, found);
    found = BestOfEach(std::move(found), kOverlap, kMostFaces);
    for (Detection& face : found) LookAgain(face);
    std::erase_if(found, [this](const Detection& face) { return !(face.score >= least_score_); });
    return BestOfEach(std::move(found), kOverlap, kMostFaces);
  }

  std::string Name() const override { return "auforge-" + digest_; }
  double TemplateFace() const override { return kFace; }
  float HogScore(float score) const override { return HogScoreOf(Name(), score); }
  bool NeedsConfirmation(float score) const override { return score < kSureScore; }
  bool FindsUpsideDown() const override { return false; }  // it has learnt that those are none

 private:
  struct Level {
    cv::Mat picture;
    float scale = 1;       // pixels of the image for one of the picture
    bool is_last = false;  // none is smaller: faces of any size are told here
  };

  void Reduce(const cv::Mat& image) {
    cv::Mat picture = image;
    const auto longer = [](const cv::Mat& of) { return static_cast<float>(std::max(of.cols, of.rows)); };
    for (;;) {
      const bool is_last = longer(picture) <= kMostSide;
      levels_.push_back({picture, longer(image) / longer(picture), is_last});
      if (is_last) return;
      cv::Mat half;
      cv::resize(picture, half, {(picture.cols + 1) / 2, (picture.rows + 1) / 2}, 0, 0, cv::INTER_AREA);
      picture = half;
    }
  }

  // What a cell says, in pixels of the picture that the net has seen.
  Detection FaceAt(int column, int row, float logit) {
    std::array<float, kDetectorAnswers - 1> answers{};
    net_->Answer(map_, column, row, 1, answers);
    const features::Point2 middle = MiddleOf(column, row, GridNet::kCell);
    return {BoxFromAnswers(answers, middle), 1 / (1 + std::exp(-logit)), PointsFromAnswers(answers, middle)};
  }

  void Look(const Level& level, std::vector<Detection>& found) {
    net_->Run(level.picture, map_);
    for (int row = 0; row < map_.rows; ++row) {
      for (int column = 0; column < map_.columns; ++column) {
        float logit = 0;
        net_->Answer(map_, column, row, 0, {&logit, 1});
        if (!(logit >= first_logit_)) continue;
        Detection face = FaceAt(column, row, logit);
        if (!level.is_last && face.box.width > kMostFace) continue;
        for (float* v : {&face.box.x, &face.box.y, &face.box.width, &face.box.height}) *v *= level.scale;
        for (features::Point2& p : *face.points) p = {p.x * level.scale, p.y * level.scale};
        if (std::isfinite(face.box.x + face.box.y + face.box.width)) found.push_back(face);
      }
    }
  }

  // The face at a size that the net knows best, as it is and mirrored: what both say becomes its score, box and points.
  void LookAgain(Detection& face) {
    const float scale = kSecondFace / face.box.width;  // pixels of the square for one of the image
    const float x = face.box.x + face.box.width / 2, y = face.box.y + face.box.height / 2, middle = kSecondSide / 2.0F;
    const Level* level = &levels_.front();
    for (const Level& other : levels_) {
      if (other.scale * scale <= 1) level = &other;
    }
    const double step = scale * level->scale;
    const cv::Matx23d map(step, 0, middle - x * scale + 0.5 * step - 0.5, 0, step, middle - y * scale + 0.5 * step - 0.5);
    cv::Mat square, mirrored;
    cv::warpAffine(level->picture, square, map, {kSecondSide, kSecondSide}, cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                   cv::Scalar::all(kBeyond));
    cv::flip(square, mirrored, 1);
    const auto [first_logit, first] = Middle(square);
    const auto [other_logit, other] = Middle(mirrored);
    const auto in_image = [&](float px, float py) { return features::Point2{x + (px - middle) / scale, y + (py - middle) / scale}; };
    const float side = (first.box.width + other.box.width) / 2, turned_x = kSecondSide - other.box.x - other.box.width;
    const features::Point2 corner = in_image((first.box.x + first.box.width / 2 + turned_x + other.box.width / 2 - side) / 2,
                                             (first.box.y + first.box.width / 2 + other.box.y + other.box.width / 2 - side) / 2);
    constexpr std::array<std::size_t, 5> kOther{1, 0, 2, 4, 3};  // what is right is left in a mirror
    FivePoints points;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const features::Point2 a = first.points->at(i), b = other.points->at(kOther[i]);
      points[i] = in_image((a.x + kSecondSide - b.x) / 2, (a.y + b.y) / 2);
    }
    const features::Box box{corner.x, corner.y, side / scale, side / scale};
    const float logit = (first_logit + other_logit) / 2;
    face.score = std::isfinite(box.x + box.y + box.width) ? 1 / (1 + std::exp(-logit)) : 0;
    face.box = box;
    face.points = points;
  }

  // The surest cell about the middle of a square.
  std::pair<float, Detection> Middle(const cv::Mat& square) {
    net_->Run(square, map_);
    constexpr float kReach = kSecondReach * kSecondFace, kMiddle = kSecondSide / 2.0F;
    float best = -std::numeric_limits<float>::infinity();
    int best_column = 0, best_row = 0;
    for (int row = 0; row < map_.rows; ++row) {
      for (int column = 0; column < map_.columns; ++column) {
        const features::Point2 at = MiddleOf(column, row, GridNet::kCell);
        if (std::abs(at.x - kMiddle) > kReach || std::abs(at.y - kMiddle) > kReach) continue;
        float logit = 0;
        net_->Answer(map_, column, row, 0, {&logit, 1});
        if (logit > best) best = logit, best_column = column, best_row = row;
      }
    }
    return {best, FaceAt(best_column, best_row, best)};
  }

  std::shared_ptr<const GridNet> net_;
  std::string digest_;
  float first_logit_ = 0, least_score_ = 0;
  std::vector<Level> levels_;  // of the picture that is looked at
  features::GridMap map_;
};

}  // namespace

std::vector<std::uint8_t> DetectorBytes(const GridNet& net) {
  if (net.answers() != static_cast<int>(kDetectorAnswers)) throw std::invalid_argument("detector: answers of another number");
  return net.Serialise();
}

GridNet ParseDetector(std::span<const std::uint8_t> bytes, const std::string& name) {
  try {
    GridNet net = GridNet::Parse(bytes);
    if (net.answers() != static_cast<int>(kDetectorAnswers))
      throw std::invalid_argument("it answers with " + std::to_string(net.answers()) + " numbers; must be " + std::to_string(kDetectorAnswers));
    return net;
  } catch (const std::invalid_argument& error) {
    throw datasets::storage::BadContent(name + ": is no face detector of this program: " + error.what() +
                                        "; leave --detector-model out, or train one with 'auforge train-detector'");
  }
}

std::vector<Detection> BestOfEach(std::vector<Detection> found, float overlap, std::size_t most) {
  std::sort(found.begin(), found.end(), BestFirst);
  std::vector<Detection> kept;
  for (const Detection& one : found) {
    if (kept.size() >= most) break;
    const bool is_known = std::any_of(kept.begin(), kept.end(), [&](const Detection& other) {
      return features::Overlap(one.box, other.box) > overlap || Inside(one.box, other.box) > kInside;
    });
    if (!is_known) kept.push_back(one);
  }
  return kept;
}

std::string DefaultDetectorPath() {
  const std::string installed = datasets::storage::InstalledFile("detector.net");
  return installed.empty() ? AUFORGE_DETECTOR_NET : installed;
}

std::unique_ptr<FaceDetector> MakeNetDetector(std::shared_ptr<const GridNet> net, const std::string& digest, float threshold) {
  return std::make_unique<NetDetector>(std::move(net), digest, threshold);
}

std::unique_ptr<FaceDetector> MakeNetDetector(const NetDetectorOptions& options) {
  const std::string path = options.model.empty() ? DefaultDetectorPath() : options.model;
  const std::string bytes = datasets::storage::ReadFile(path);
  auto net = std::make_shared<const GridNet>(
      ParseDetector({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path));
  return MakeNetDetector(std::move(net), datasets::storage::Sha256Hex(bytes).substr(0, 8), options.threshold);
}

}  // namespace auforge::annotator
