#include "tools/gan/gan_paste.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "features/align.h"
#include "tools/gan/in_front.h"

namespace auforge::tools {
namespace {

// 1 inside, falling to 0 at the border of the crop, so that no edge shows where it was pasted.
cv::Mat SoftWindow(int size) {
  cv::Mat window(size, size, CV_32FC1);
  // Skin that moves at the border itself would end in a line: the outermost thirtieth stays.
  const float rim = 0.15F * static_cast<float>(size), stays = 0.03F * static_cast<float>(size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const auto from_edge = static_cast<float>(std::min({x, y, size - 1 - x, size - 1 - y}));
      const float t = std::clamp((from_edge - stays) / rim, 0.0F, 1.0F);
      window.at<float>(y, x) = t * t * (3 - 2 * t);
    }
  }
  return window;
}

// B - Y or R - Y of a picture in one tone: a line of Y.
struct Tone {
  float at_black = 0, slope = 0;
  float operator()(float luma) const { return at_black + slope * luma; }
};

// The hues of a face: least and most of B - Y and of R - Y, 0..1. in_one_tone: they follow from Y, as in prints and grey photos
// that were tinted.
struct Palette {
  float least_blue = 0, most_blue = 0, least_red = 0, most_red = 0;
  Tone blue, red;
  bool is_grey = true, in_one_tone = true;
};

float Luma(const cv::Vec3f& bgr) { return 0.114F * bgr[0] + 0.587F * bgr[1] + 0.299F * bgr[2]; }

// The middle 98 % of `values`, and nought, which has no hue.
void Range(std::vector<float>& values, float& least, float& most) {
  const auto at = [&](double share) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  least = std::min(0.0F, at(0.01));
  most = std::max(0.0F, at(0.99));
}

// Least squares; off: root mean square of what it leaves.
Tone FitTone(const std::vector<float>& luma, const std::vector<float>& hue, double& off) {
  const auto n = static_cast<double>(luma.size());
  double y = 0, h = 0, yy = 0, yh = 0, hh = 0;
  for (std::size_t i = 0; i < luma.size(); ++i) {
    const double a = static_cast<double>(luma[i]), b = static_cast<double>(hue[i]);
    y += a, h += b, yy += a * a, yh += a * b, hh += b * b;
  }
  const double spread = yy - y * y / n, slope = spread > 1e-9 ? (yh - y * h / n) / spread : 0, at_black = (h - slope * y) / n;
  off = std::sqrt(std::max(0.0, (hh - h * h / n - slope * (yh - y * h / n)) / n));
  return {static_cast<float>(at_black), static_cast<float>(slope)};
}

// Where an aligned crop shows the face: within its landmarks, or its middle where they are not known. CV_8UC1.
cv::Mat FacePixels(int side, const EditScope& scope) {
  cv::Mat mask = cv::Mat::zeros(side, side, CV_8UC1);
  std::vector<cv::Point> points;
  for (const features::Point2& p : scope.landmarks)
    points.emplace_back(cvRound(p.x * static_cast<float>(side)), cvRound(p.y * static_cast<float>(side)));
  std::vector<cv::Point> hull;
  cv::convexHull(points, hull);
  cv::fillConvexPoly(mask, hull, 255);
  const int rim = side / 5;
  if (cv::countNonZero(mask) < side) mask(cv::Rect(rim, rim, side - 2 * rim, side - rim - rim / 2)).setTo(255);
  return mask;
}

// before: CV_32FC3.
Palette PaletteOf(const cv::Mat& before, const EditScope& scope) {
  // Lips and cheeks may go a little beyond what the face shows at rest, in a photo that has colour.
  constexpr float kNoHue = 1.5F / 255, kBeyond = 0.25F;
  // Compression leaves this much beside a tone; skin and lips of a photo in colour lie further apart.
  constexpr double kOffTone = 1.5 / 255;
  // Skin's own red is about a quarter of its luma: a stronger tone than this is no print's, but a face without lips.
  constexpr float kMostTint = 0.2F;
  const cv::Mat is_face = FacePixels(before.rows, scope);
  std::vector<float> luma, blue, red;
  for (int y = 0; y < before.rows; ++y) {
    for (int x = 0; x < before.cols; ++x) {
      if (is_face.at<std::uint8_t>(y, x) == 0) continue;
      const auto& pixel = before.at<cv::Vec3f>(y, x);
      luma.push_back(Luma(pixel));
      blue.push_back(pixel[0] - Luma(pixel));
      red.push_back(pixel[2] - Luma(pixel));
    }
  }
  Palette p;
  double blue_off = 0, red_off = 0;
  p.blue = FitTone(luma, blue, blue_off);
  p.red = FitTone(luma, red, red_off);
  p.in_one_tone = std::max(blue_off, red_off) < kOffTone && std::abs(p.red.slope) < kMostTint;
  Range(blue, p.least_blue, p.most_blue);
  Range(red, p.least_red, p.most_red);
  const float spread = std::max(p.most_blue - p.least_blue, p.most_red - p.least_red);
  p.is_grey = spread < kNoHue;
  // Hues the face leaves out (green, and blue on most) get no room: the sides that end at nought stay there.
  p.least_blue *= 1 + kBeyond;
  p.most_blue *= 1 + kBeyond;
  p.least_red *= 1 + kBeyond;
  p.most_red *= 1 + kBeyond;
  return p;
}

// What of an edited pixel the palette allows; a hue that the pixel had before is its own.
cv::Vec3f Allowed(const cv::Vec3f& before, const cv::Vec3f& edited, const Palette& palette) {
  const float was = Luma(before), is = Luma(edited), blue = before[0] - was, red = before[2] - was;
  const float b = std::clamp(edited[0] - is, std::min(palette.least_blue, blue), std::max(palette.most_blue, blue));
  const float r = std::clamp(edited[2] - is, std::min(palette.least_red, red), std::max(palette.most_red, red));
  return {is + b, is - (0.114F * b + 0.299F * r) / 0.587F, is + r};
}

// Of a picture in one tone: what the edit does to its brightness, and to its hue what goes with that.
cv::Vec3f ToneOf(float was, float is, const Palette& palette) {
  const float b = palette.blue(is) - palette.blue(was), r = palette.red(is) - palette.red(was), y = is - was;
  return {y + b, y - (0.114F * b + 0.299F * r) / 0.587F, y + r};
}

// What the generator paints, at its size: edited - the crop as it moved it, within the scope and faded out at the border. CV_32FC3.
cv::Mat Change(const cv::Mat& crop, const gan::EditedFace& edited, const EditScope& scope) {
  const cv::Mat& face = edited.face;
  cv::Mat before = crop;
  if (crop.size() != face.size()) {
    cv::resize(crop, before, face.size(), 0, 0, crop.rows > face.rows ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  before.convertTo(before, CV_32FC3, 1 / 255.0);
  const Palette palette = PaletteOf(before, scope);
  if (!edited.moved.empty()) before = edited.moved;
  const cv::Mat share = SoftWindow(face.rows).mul(ScopeMask(scope, face.rows));
  cv::Mat change(face.size(), CV_32FC3);
  change.forEach<cv::Vec3f>([&](cv::Vec3f& pixel, const int* at) {
    const auto &was = before.at<cv::Vec3f>(at[0], at[1]), &is = face.at<cv::Vec3f>(at[0], at[1]);
    if (palette.is_grey) {
      pixel = cv::Vec3f::all(Luma(is) - Luma(was));  // the same number three times: grey stays grey to the last bit
    } else {
      pixel = palette.in_one_tone ? ToneOf(Luma(was), Luma(is), palette) : Allowed(was, is, palette) - was;
    }
    pixel *= share.at<float>(at[0], at[1]);
  });
  return change;
}

// The flow within the scope, with a rim of `rim` pixels in which it goes on from the border and dies away. CV_32FC2, in sides.
cv::Mat Movement(const cv::Mat& flow, const EditScope& scope, int rim) {
  const int size = flow.rows;
  const cv::Mat share = ScopeMask(scope, size);
  cv::Mat within(flow.size(), CV_32FC2), movement;
  within.forEach<cv::Vec2f>([&](cv::Vec2f& d, const int* at) { d = flow.at<cv::Vec2f>(at[0], at[1]) * share.at<float>(at[0], at[1]); });
  cv::copyMakeBorder(within, movement, rim, rim, rim, rim, cv::BORDER_REPLICATE);
  movement.forEach<cv::Vec2f>([&](cv::Vec2f& d, const int* at) {
    const int beyond = std::max({rim - at[0], rim - at[1], at[0] - (rim + size - 1), at[1] - (rim + size - 1), 0});
    const float t = 1 - static_cast<float>(beyond) / static_cast<float>(rim + 1);
    d *= t * t * (3 - 2 * t);
  });
  return movement;
}

// picture's pixels from where `movement` says, CV_32FC2 in pixels.
void MovePixels(cv::Mat movement, cv::Mat& picture) {
  movement.forEach<cv::Vec2f>([](cv::Vec2f& d, const int* at) { d += cv::Vec2f(static_cast<float>(at[1]), static_cast<float>(at[0])); });
  cv::Mat moved;
  cv::remap(picture, moved, movement, {}, cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  picture = moved;
}

// 1 where a change is taken, down to 0 at what stands before the face. landmarks: in picture's pixels.
cv::Mat Taken(const cv::Mat& picture, const features::Landmarks68& landmarks, const EditScope& scope) {
  if (scope.aus.empty()) return {picture.size(), CV_32FC1, cv::Scalar(1)};
  return BehindWhatStandsInFront(picture, landmarks, std::ranges::any_of(scope.aus, MovesLids));
}

void Scale(const cv::Mat& by, cv::Mat& change) {
  change.forEach<cv::Vec3f>([&](cv::Vec3f& value, const int* at) { value *= by.at<float>(at[0], at[1]); });
}

// Movement about what stands before the face dies away so softly that nothing tears. eyes: inter-ocular distance, pixels.
void Hold(const cv::Mat& taken, float eyes, cv::Mat& movement) {
  constexpr double kSoft = 0.12;  // inter-ocular distances
  cv::Mat soft;
  cv::GaussianBlur(taken, soft, {}, std::max(0.5, kSoft * static_cast<double>(eyes)));
  movement.forEach<cv::Vec2f>([&](cv::Vec2f& value, const int* at) { value *= soft.at<float>(at[0], at[1]); });
}

// The scope's landmarks in a crop of that side.
features::Landmarks68 InCrop(const EditScope& scope, int side) {
  return features::Transform({static_cast<float>(side), 0, 0, 0}, scope.landmarks);
}

void Add(const cv::Mat& change, cv::Mat& picture) {
  cv::Mat sum;
  picture.convertTo(sum, CV_32FC3, 1 / 255.0);
  sum += change;
  sum.convertTo(picture, CV_8UC3, 255);
}

}  // namespace

void PasteChange(const cv::Mat& crop, const gan::EditedFace& edited, const features::Similarity& crop_from_image,
                 cv::Mat& photo, const EditScope& scope) {
  // Ours has pixel centres at .5, OpenCV's at integers; dst(x) = src(S x).
  const features::Similarity& s = crop_from_image;
  const cv::Matx23d map(s.a, -s.b, s.tx + 0.5 * (s.a - s.b) - 0.5, s.b, s.a, s.ty + 0.5 * (s.b + s.a) - 0.5);
  const int size = edited.face.rows;
  const cv::Mat taken = Taken(photo, features::Transform(s.Inverse(), InCrop(scope, size)), scope);
  if (!edited.flow.empty()) {
    const int rim = 3 * size / 10;
    const cv::Matx23d with_rim = map + cv::Matx23d(0, 0, rim, 0, 0, rim);
    cv::Mat movement;
    cv::warpAffine(Movement(edited.flow, scope, rim), movement, with_rim, photo.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_CONSTANT);
    // From sides of the crop to the photo's pixels and its directions.
    const float scale = static_cast<float>(size) / (s.a * s.a + s.b * s.b);
    movement.forEach<cv::Vec2f>([&](cv::Vec2f& d, const int*) {
      d = cv::Vec2f(s.a * d[0] + s.b * d[1], s.a * d[1] - s.b * d[0]) * scale;
    });
    Hold(taken, features::InterOcularDistance(features::Transform(s.Inverse(), InCrop(scope, size))), movement);
    MovePixels(movement, photo);
  }
  cv::Mat full;
  cv::warpAffine(Change(crop, edited, scope), full, map, photo.size(), cv::INTER_CUBIC | cv::WARP_INVERSE_MAP,
                 cv::BORDER_CONSTANT);
  Scale(taken, full);
  Add(full, photo);
}

cv::Mat ApplyChange(const cv::Mat& crop, const gan::EditedFace& edited, const EditScope& scope) {
  cv::Mat change = Change(crop, edited, scope);
  if (change.size() != crop.size()) cv::resize(change, change, crop.size(), 0, 0, cv::INTER_CUBIC);
  cv::Mat result = crop.clone();
  const cv::Mat taken = Taken(crop, InCrop(scope, crop.rows), scope);
  if (!edited.flow.empty()) {
    cv::Mat movement = Movement(edited.flow, scope, 0);
    if (movement.size() != crop.size()) cv::resize(movement, movement, crop.size(), 0, 0, cv::INTER_LINEAR);
    movement *= crop.rows;
    Hold(taken, features::InterOcularDistance(InCrop(scope, crop.rows)), movement);
    MovePixels(movement, result);
  }
  Scale(taken, change);
  Add(change, result);
  return result;
}

}  // namespace auforge::tools
