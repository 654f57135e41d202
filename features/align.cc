#include "features/align.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace auforge::features {
namespace {

// What CropFromImage fits, in the frame of MeanFace() with the eyes on one line. Mouth corners weigh less:
// they are what expressions move most.
struct TemplatePoint {
  std::size_t landmark;
  Point2 position;
  float weight;
};
constexpr TemplatePoint kTemplate[] = {
    {36, {-0.707F, 0}, 1},         {39, {-0.293F, 0}, 1}, {42, {0.293F, 0}, 1},
    {45, {0.707F, 0}, 1},          {33, {0, 0.721F}, 1},  {48, {-0.402F, 1.089F}, 0.25F},
    {54, {0.402F, 1.089F}, 0.25F},
};

constexpr Landmarks68 kMeanFace{{
    {-1.168F, -0.053F}, {-1.154F, 0.294F},  {-1.101F, 0.603F},  {-1.040F, 0.904F},  {-0.908F, 1.242F},
    {-0.683F, 1.515F},  {-0.484F, 1.627F},  {-0.244F, 1.682F},  {0, 1.731F},  {0.244F, 1.682F},
    {0.484F, 1.627F},   {0.683F, 1.515F},   {0.908F, 1.242F},   {1.040F, 0.904F},   {1.101F, 0.603F},
    {1.154F, 0.294F},   {1.168F, -0.053F},  {-0.923F, -0.295F}, {-0.783F, -0.418F}, {-0.602F, -0.462F},
    {-0.383F, -0.452F}, {-0.186F, -0.407F}, {0.186F, -0.407F},  {0.383F, -0.452F},  {0.602F, -0.462F},
    {0.783F, -0.418F},  {0.923F, -0.295F},  {0, -0.063F}, {0, 0.112F},  {0, 0.275F},
    {0, 0.466F},  {-0.199F, 0.712F},  {-0.096F, 0.711F},  {0, 0.721F},  {0.096F, 0.711F},
    {0.199F, 0.712F},   {-0.707F, -0.014F}, {-0.614F, -0.085F}, {-0.441F, -0.094F}, {-0.293F, 0.014F},
    {-0.433F, 0.041F},  {-0.612F, 0.043F},  {0.293F, 0.014F},   {0.441F, -0.094F},  {0.614F, -0.085F},
    {0.707F, -0.014F},  {0.612F, 0.043F},   {0.433F, 0.041F},   {-0.402F, 1.089F},  {-0.270F, 0.971F},
    {-0.116F, 0.915F},  {0, 0.924F},  {0.116F, 0.915F},   {0.270F, 0.971F},   {0.402F, 1.089F},
    {0.286F, 1.174F},   {0.164F, 1.213F},   {0, 1.225F},  {-0.164F, 1.213F},  {-0.286F, 1.174F},
    {-0.351F, 1.084F},  {-0.158F, 1.053F},  {0, 1.058F},  {0.158F, 1.053F},   {0.350F, 1.084F},
    {0.170F, 1.066F},   {0, 1.070F},  {-0.170F, 1.066F},
}};

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

// image = [a -b; b a] target + t, in double: photos may be tens of thousands of pixels wide.
struct Map {
  double a, b, tx, ty;
};

Map InverseOf(const Similarity& s) {
  const double a = s.a, b = s.b, n = a * a + b * b;
  return {a / n, -b / n, -(a * s.tx + b * s.ty) / n, (b * s.tx - a * s.ty) / n};
}

// Pixels begin .. begin + size of 0 .. limit that cover low .. high and a margin; a multiple of `block`. What
// does not fit into 0 .. limit is in `missing`, at the far end.
struct Interval {
  int begin, size, missing;
};

Interval Cover(double low, double high, int limit, int block) {
  const auto pixel = [limit](double v) {
    return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(limit)));
  };
  const int margin = 2 * block;
  const int begin = std::min(pixel(std::floor(low) - margin), limit - 1);
  const int end = std::max(pixel(std::ceil(high) + margin), begin + 1);
  const int size = (end - begin + block - 1) / block * block;
  const int moved = std::max(0, std::min(begin, limit - size));
  return {moved, size, std::max(0, moved + size - limit)};
}

// The part of an image that a target rectangle shows, halved some times; (left, top) is its corner in the
// image. Only that part, because a face may be a small piece of a large photo.
struct View {
  cv::Mat pixels;
  int left, top;
};

View VisiblePart(const cv::Mat& image, const Map& map, int width, int height, int halvings) {
  const double far_x[2] = {map.a * width, -map.b * height};
  const double far_y[2] = {map.b * width, map.a * height};
  const auto low = [](const double* d, double t) { return t + std::min(d[0], 0.0) + std::min(d[1], 0.0); };
  const auto high = [](const double* d, double t) { return t + std::max(d[0], 0.0) + std::max(d[1], 0.0); };
  const int block = 1 << halvings;
  const Interval x = Cover(low(far_x, map.tx), high(far_x, map.tx), image.cols, block);
  const Interval y = Cover(low(far_y, map.ty), high(far_y, map.ty), image.rows, block);
  cv::Mat part = image(cv::Rect(x.begin, y.begin, x.size - x.missing, y.size - y.missing));
  if (x.missing > 0 || y.missing > 0) {
    cv::Mat padded;
    cv::copyMakeBorder(part, padded, 0, y.missing, 0, x.missing, cv::BORDER_REPLICATE);
    part = padded;
  }
  // Halving is what OpenCV does fastest: 3 to 6 times as fast as one step by a larger factor.
  for (int i = 0; i < halvings; ++i) {
    cv::Mat half;
    cv::resize(part, half, cv::Size(part.cols / 2, part.rows / 2), 0, 0, cv::INTER_AREA);
    part = half;
  }
  return {part, x.begin, y.begin};
}

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

const Landmarks68& MeanFace() { return kMeanFace; }

std::size_t MirrorLandmark(std::size_t landmark) { return kMirror[landmark]; }

Landmarks68 Mirror(const Landmarks68& landmarks, float image_width) {
  Landmarks68 result;
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    const Point2 point = landmarks[kMirror[i]];
    result[i] = {image_width - point.x, point.y};
  }
  return result;
}

AlignOptions FeatureCrop(int size) { return {size, 0.36F, 0.36F}; }

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
    target[i] = {side / 2 + unit * kTemplate[i].position.x,
                 options.eye_height * side + unit * kTemplate[i].position.y};
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
  const Map map = InverseOf(target_from_image);
  const double shrink = std::hypot(map.a, map.b);
  if (!(std::isfinite(shrink + map.tx + map.ty) && shrink > 0)) {
    throw std::invalid_argument("warp: the similarity is not invertible");
  }
  // Bilinear sampling alone would alias when the picture shrinks: halve it first, down to less than a factor
  // of 2.
  const int halvings = std::max(0, std::min(12, static_cast<int>(std::floor(std::log2(shrink)))));
  const View view = VisiblePart(image, map, width, height, halvings);

  // Our pixel centres are at .5, OpenCV's at integers: source_cv(target_cv) = S(target_cv + .5) - .5.
  const double scale = 1.0 / (1 << halvings);
  const double tx = map.tx + 0.5 * map.a - 0.5 * map.b - view.left;
  const double ty = map.ty + 0.5 * map.b + 0.5 * map.a - view.top;
  const cv::Matx23d source_from_target(scale * map.a, -scale * map.b, scale * tx - 0.5,  //
                                       scale * map.b, scale * map.a, scale * ty - 0.5);
  cv::Mat result;
  cv::warpAffine(view.pixels, result, source_from_target, cv::Size(width, height),
                 cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
  return result;
}

}  // namespace auforge::features
