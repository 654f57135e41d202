#include "tools/crawl/face_drawing.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "tools/cli/cli.h"
#include "datasets/image_codec.h"
#include "features/align.h"

namespace auforge::tools {
namespace {

const cv::Scalar kGround(248, 248, 247);
const cv::Scalar kInk(40, 36, 33);
const cv::Scalar kFaint(224, 222, 219);
const cv::Scalar kPresent(52, 120, 224);  // orange: the AU is present
const cv::Scalar kAbsent(190, 180, 170);
const cv::Scalar kLandmark(90, 230, 90);

const cv::Scalar kNoPicture(70, 66, 62);

constexpr int kSubPixelBits = 4;
constexpr int kPointsQuality = 92;

cv::Point SubPixel(features::Point2 p, double scale) {
  // OpenCV draws with pixel centres at integers; ours are at .5.
  const double unit = 1 << kSubPixelBits;
  return {static_cast<int>((p.x * scale - 0.5) * unit), static_cast<int>((p.y * scale - 0.5) * unit)};
}

void Text(cv::Mat& image, const std::string& text, cv::Point at, double size, const cv::Scalar& colour) {
  cv::putText(image, text, at, cv::FONT_HERSHEY_SIMPLEX, size, colour, 1, cv::LINE_AA);
}

void DrawLandmarks(cv::Mat& picture, const features::Landmarks68& landmarks, double scale) {
  const int radius = std::max(12, picture.rows / 12);
  for (const features::Point2& point : landmarks) {
    cv::circle(picture, SubPixel(point, scale), radius, kLandmark, cv::FILLED, cv::LINE_AA, kSubPixelBits);
  }
}

// Where the halves differ: the subject's right as a thin line above the bar, the left one below it.
void DrawHalves(cv::Mat& panel, const cv::Rect& track, const AuScore& score) {
  constexpr float kWorthShowing = 0.5F;
  if (std::abs(score.left - score.right) < kWorthShowing) return;
  const int thin = std::max(1, track.height / 4);
  for (const bool is_left : {false, true}) {
    const float value = std::clamp((is_left ? score.left : score.right) / 5, 0.0F, 1.0F);
    const int y = is_left ? track.y + track.height - thin : track.y;
    cv::rectangle(panel, {track.x, y, static_cast<int>(static_cast<float>(track.width) * value), thin}, kInk, cv::FILLED);
  }
}

void DrawBars(cv::Mat& panel, const std::vector<AuScore>& scores, const std::string& emotion) {
  const int height = panel.rows;
  const std::size_t bars = std::min<std::size_t>(12, scores.size());
  const int line = height / 14;
  const double size = height / 560.0;
  const int left = height / 4;
  const int width = panel.cols - left - height / 10;
  for (std::size_t i = 0; i < bars; ++i) {
    const int y = line / 2 + static_cast<int>(i) * line;
    const cv::Rect track(left, y + line / 6, width, line * 2 / 3);
    cv::rectangle(panel, track, kFaint, cv::FILLED);
    cv::Rect bar = track;
    bar.width = static_cast<int>(static_cast<float>(width) * std::clamp(scores[i].intensity / 5, 0.0F, 1.0F));
    if (bar.width > 0) cv::rectangle(panel, bar, scores[i].present ? kPresent : kAbsent, cv::FILLED);
    if (!std::isnan(scores[i].left)) DrawHalves(panel, track, scores[i]);
    Text(panel, scores[i].name, {height / 40, y + line * 4 / 5}, size, kInk);
  }
  Text(panel, emotion, {height / 40, height - line / 2}, size, kInk);
}

// The side that a crop with these landmarks has, pixels: crops are laid out alike (features::AlignOptions), and their sides
// are seldom odd.
int CropSide(const features::Landmarks68& landmarks) {
  constexpr double kStep = 8;
  const auto& mean = features::MeanFace();
  const double eyes = features::FitSimilarity(mean, landmarks).Scale();
  return static_cast<int>(std::clamp(std::round(eyes / features::AlignOptions{}.inter_ocular / kStep), 2.0, 256.0) * kStep);
}

}  // namespace

std::vector<AuScore> RankAus(const datasets::ShardReader& shard, std::size_t face) {
  const std::vector<std::string> names = shard.header().schema.Names();
  std::vector<AuScore> scores;
  for (std::size_t j = 0; j < names.size(); ++j) {
    const std::size_t at = face * names.size() + j;
    AuScore& score = scores.emplace_back();
    score.name = names[j];
    score.intensity = shard.AuIntensity()[at];
    score.present = shard.AuPresent()[at] != 0;
    if (shard.AuLeft().empty()) continue;
    score.left = shard.AuLeft()[at];
    score.right = shard.AuRight()[at];
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const AuScore& a, const AuScore& b) { return a.intensity > b.intensity; });
  return scores;
}

features::Landmarks68 CropLandmarks(const datasets::ShardReader& shard, std::size_t face) {
  return features::Transform(shard.CropFromImage(face), shard.Landmarks(face));
}

cv::Mat FacePicture(const datasets::ShardReader& shard, std::size_t face) {
  if (!shard.header().has_crops) {
    const int side = CropSide(CropLandmarks(shard, face));
    return {side, side, CV_8UC3, kNoPicture};
  }
  datasets::DecodedImage crop = datasets::DecodeImage(shard.FaceImage(face), {});
  if (crop.status != datasets::Outcome::kOk) {
    throw BadInputError(shard.path() + ": face " + std::to_string(face) + ": " + crop.message);
  }
  return std::move(crop.bgr);
}

std::vector<std::uint8_t> PointsPicture(const datasets::ShardReader& shard, std::size_t face) {
  cv::Mat picture = FacePicture(shard, face);
  DrawLandmarks(picture, CropLandmarks(shard, face), 1);
  return datasets::EncodeJpeg(picture, kPointsQuality);
}

cv::Mat DrawFacePanel(const datasets::ShardReader& shard, std::size_t face, int height) {
  const cv::Mat crop = FacePicture(shard, face);
  cv::Mat panel(height, 2 * height, CV_8UC3, kGround);
  cv::Mat picture = panel(cv::Rect(0, 0, height, height));
  const double scale = static_cast<double>(height) / crop.rows;
  cv::resize(crop, picture, picture.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
  DrawLandmarks(picture, CropLandmarks(shard, face), scale);
  const std::size_t emotion = shard.Emotion()[face];
  const auto& names = shard.header().emotion_names;
  cv::Mat bars = panel(cv::Rect(height, 0, height, height));
  DrawBars(bars, RankAus(shard, face), emotion < names.size() ? names[emotion] : "");
  return panel;
}

cv::Mat TilePanels(const std::vector<cv::Mat>& panels, int columns) {
  if (panels.empty()) return {};
  const int gap = 6;
  const int rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
  const int width = panels[0].cols;
  const int height = panels[0].rows;
  cv::Mat sheet(gap + rows * (height + gap), gap + columns * (width + gap), CV_8UC3, kGround);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const int row = static_cast<int>(i) / columns;
    const int column = static_cast<int>(i) % columns;
    panels[i].copyTo(sheet(cv::Rect(gap + column * (width + gap), gap + row * (height + gap), width, height)));
  }
  return sheet;
}

}  // namespace auforge::tools
