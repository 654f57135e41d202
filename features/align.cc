#include "features/align.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace auforge::features {
namespace {

// A neutral frontal mean face (the average of a morphable face model) in inter-ocular distances from the middle of
// the eyes, y downwards. Mouth corners weigh less: they are what expressions move most.
struct TemplatePoint {
  std::size_t landmark;
  Point2 position;
  float weight;
};
constexpr TemplatePoint kTemplate[] = {
    {36, {-0.707F, 0}, 1}, {39, {-0.293F, 0}, 1},      {42, {0.293F, 0}, 1},         {45, {0.707F, 0}, 1},
    {33, {0, 0.721F}, 1},  {48, {-0.402F, 1.089F}, 0.25F}, {54, {0.402F, 1.089F}, 0.25F},
};

// Weighted least squares for target = [a -b; b a] source + t (Umeyama 1991, planar, without reflection).
Similarity FitWeighted(std::span<const Point2> source, std::span<const Point2> target,
                       std::span<const float> weights) {
  double total = 0;
  double sx = 0, sy = 0, tx = 0, ty = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const double w = weights[i];
    total += w;
    sx += w * source[i].x;
    sy += w * source[i].y;
    tx += w * target[i].x;
    ty += w * target[i].y;
  }
  sx /= total;
  sy /= total;
  tx /= total;
  ty /= total;
  double spread = 0, dot = 0, cross = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const double w = weights[i];
    const double px = source[i].x - sx, py = source[i].y - sy;
    const double qx = target[i].x - tx, qy = target[i].y - ty;
    spread += w * (px * px + py * py);
    dot += w * (px * qx + py * qy);
    cross += w * (px * qy - py * qx);
  }
  if (!(spread > 0)) throw std::invalid_argument("similarity: all source points coincide");
  const double a = dot / spread;
  const double b = cross / spread;
  return {static_cast<float>(a), static_cast<float>(b), static_cast<float>(tx - (a * sx - b * sy)),
          static_cast<float>(ty - (b * sx + a * sy))};
}

// Index of each landmark's mirror image.
constexpr std::array<std::size_t, kLandmarkCount> kMirror = {
    16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0,  26, 25, 24, 23, 22, 21,
    20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65};

}  // namespace

Similarity FitSimilarity(std::span<const Point2> source, std::span<const Point2> target) {
  if (source.size() != target.size() || source.size() < 2) {
    throw std::invalid_argument("similarity: needs two equal sets of at least 2 points, got " +
                                std::to_string(source.size()) + " and " + std::to_string(target.size()));
  }
  const std::vector<float> weights(source.size(), 1.0F);
  return FitWeighted(source, target, weights);
}

Point2 RightEyeCentre(const Landmarks68& landmarks) { return Midpoint(landmarks[36], landmarks[39]); }
Point2 LeftEyeCentre(const Landmarks68& landmarks) { return Midpoint(landmarks[42], landmarks[45]); }
float InterOcularDistance(const Landmarks68& landmarks) {
  return Distance(RightEyeCentre(landmarks), LeftEyeCentre(landmarks));
}

Landmarks68 Transform(const Similarity& target_from_source, const Landmarks68& landmarks) {
  Landmarks68 result;
  std::transform(landmarks.begin(), landmarks.end(), result.begin(), target_from_source);
  return result;
}

std::size_t MirrorLandmark(std::size_t landmark) { return kMirror[landmark]; }

Landmarks68 Mirror(const Landmarks68& landmarks, float image_width) {
  Landmarks68 result;
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    const Point2 point = landmarks[kMirror[i]];
    result[i] = {image_width - point.x, point.y};
  }
  return result;
}

void AlignOptions::Validate() const {
  const auto fail = [](const char* field, auto value, const char* constraint) {
    throw std::invalid_argument(std::string("align.") + field + " = " + std::to_string(value) + "; must be " +
                                constraint);
  };
  if (size < 16) fail("size", size, ">= 16 pixels");
  if (!(inter_ocular >= 0.1F && inter_ocular <= 0.9F)) fail("inter_ocular", inter_ocular, "in 0.1..0.9");
  if (!(eye_height >= 0.1F && eye_height <= 0.9F)) fail("eye_height", eye_height, "in 0.1..0.9");
}

Similarity CropFromImage(const Landmarks68& landmarks, const AlignOptions& options) {
  constexpr std::size_t kPoints = std::size(kTemplate);
  std::array<Point2, kPoints> source;
  std::array<Point2, kPoints> target;
  std::array<float, kPoints> weights;
  const auto side = static_cast<float>(options.size);
  const float unit = options.inter_ocular * side;
  for (std::size_t i = 0; i < kPoints; ++i) {
    source[i] = landmarks[kTemplate[i].landmark];
    target[i] = {side / 2 + unit * kTemplate[i].position.x, options.eye_height * side + unit * kTemplate[i].position.y};
    weights[i] = kTemplate[i].weight;
  }
  return FitWeighted(source, target, weights);
}

AlignedFace AlignFace(const cv::Mat& image, const Landmarks68& landmarks, const AlignOptions& options) {
  const Similarity crop_from_image = CropFromImage(landmarks, options);
  return {Warp(image, crop_from_image, options.size, options.size), crop_from_image};
}

cv::Mat Warp(const cv::Mat& image, const Similarity& target_from_image, int width, int height) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("warp: needs a picture of type CV_8UC1 or CV_8UC3");
  }
  const Similarity image_from_target = target_from_image.Inverse();
  const float shrink = image_from_target.Scale();
  if (!std::isfinite(shrink) || shrink <= 0) throw std::invalid_argument("warp: the similarity is not invertible");

  // Bilinear sampling alone would alias when the picture shrinks: average the part that is seen down to within a
  // factor of 2 first. Only that part, because a face may be a small piece of a large photo.
  cv::Mat source = image;
  double offset_x = 0, offset_y = 0, scale_x = 1, scale_y = 1;
  if (shrink >= 2) {
    float left = 1e9F, top = 1e9F, right = -1e9F, bottom = -1e9F;
    for (const Point2 corner : {Point2{0, 0}, Point2{static_cast<float>(width), 0}, Point2{0, static_cast<float>(height)},
                                Point2{static_cast<float>(width), static_cast<float>(height)}}) {
      const Point2 p = image_from_target(corner);
      left = std::min(left, p.x);
      right = std::max(right, p.x);
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
    const int factor = static_cast<int>(shrink);
    const int margin = 2 * factor;
    const auto clamp = [](float v, int limit) { return std::clamp(static_cast<int>(std::floor(v)), 0, limit); };
    const int x0 = clamp(left - static_cast<float>(margin), image.cols - 1);
    const int y0 = clamp(top - static_cast<float>(margin), image.rows - 1);
    const int x1 = std::max(x0 + 1, clamp(right + static_cast<float>(margin) + 1, image.cols));
    const int y1 = std::max(y0 + 1, clamp(bottom + static_cast<float>(margin) + 1, image.rows));
    const cv::Mat part = image(cv::Rect(x0, y0, x1 - x0, y1 - y0));
    const cv::Size reduced(std::max(1, part.cols / factor), std::max(1, part.rows / factor));
    cv::resize(part, source, reduced, 0, 0, cv::INTER_AREA);
    offset_x = x0;
    offset_y = y0;
    scale_x = static_cast<double>(reduced.width) / part.cols;
    scale_y = static_cast<double>(reduced.height) / part.rows;
  }

  // Our pixel centres are at .5, OpenCV's at integers: source_cv(target_cv) = S(target_cv + .5) - .5.
  const double a = image_from_target.a, b = image_from_target.b;
  const double tx = image_from_target.tx + 0.5 * a - 0.5 * b - offset_x;
  const double ty = image_from_target.ty + 0.5 * b + 0.5 * a - offset_y;
  const cv::Matx23d map(scale_x * a, -scale_x * b, scale_x * tx - 0.5, scale_y * b, scale_y * a, scale_y * ty - 0.5);
  cv::Mat result;
  cv::warpAffine(source, result, map, cv::Size(width, height), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  return result;
}

}  // namespace auforge::features
