#include "gan/warp/internal/eyes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <span>
#include <vector>

#include "gan/warp/internal/bared_eye.h"
#include "gan/warp/internal/sample.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;

// Coordinates along the line between the corners (0..1) and down from it (pixels).
struct Frame {
  Point2 origin, along, down;
  float length = 1;
  explicit Frame(const Opening& opening) : origin(opening.upper.front()) {
    const Point2 b = opening.upper.back();
    length = std::max(1e-3F, features::Distance(origin, b));
    along = {(b.x - origin.x) / length, (b.y - origin.y) / length};
    down = {-along.y, along.x};
  }
  float Along(Point2 p) const { return ((p.x - origin.x) * along.x + (p.y - origin.y) * along.y) / length; }
  float Down(Point2 p) const { return (p.x - origin.x) * down.x + (p.y - origin.y) * down.y; }
};

// How far down a line of points lies at a place along the frame.
float DownAt(const Frame& frame, std::span<const Point2> rim, float along) {
  for (std::size_t k = 1; k < rim.size(); ++k) {
    const float to = frame.Along(rim[k]);
    if (along > to && k + 1 < rim.size()) continue;
    const float from = frame.Along(rim[k - 1]);
    const float t = to > from ? std::clamp((along - from) / (to - from), 0.0F, 1.0F) : 0.0F;
    return frame.Down(rim[k - 1]) * (1 - t) + frame.Down(rim[k]) * t;
  }
  return 0;
}

// What a lid is painted with, at kRimPoints places along the eye; smooth.
struct LidPaint {
  std::array<cv::Vec3f, kRimPoints> above, below;  // skin over the crease and under the lower lashes
  std::array<float, kRimPoints> rim;               // darkness of the lash line: its brightness over the skin's
};

template <typename T>
void Smooth(std::array<T, kRimPoints>& values, int radius) {
  const auto before = values;
  for (int k = 0; k < kRimPoints; ++k) {
    T sum = before[static_cast<std::size_t>(k)];
    float weight = 1;
    for (int d = 1; d <= radius; ++d) {
      for (const int n : {k - d, k + d}) {
        sum += before[static_cast<std::size_t>(std::clamp(n, 0, kRimPoints - 1))];
        weight += 1;
      }
    }
    values[static_cast<std::size_t>(k)] = sum * (1 / weight);
  }
}

// Above the upper rim of an open eye, where its lid folds away: cm, and at most this part of the way to the brow.
constexpr float kCrease = 0.60F, kCreaseToBrow = 0.55F;

LidPaint ReadLid(const Frame& frame, const Opening& before, const cv::Vec3f& skin, float px, const cv::Mat& source) {
  LidPaint paint;
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    const Point2 up = before.upper[k], low = before.lower[k];
    const auto down = [&](Point2 p, float cm) { return Point2{p.x + frame.down.x * cm * px, p.y + frame.down.y * cm * px}; };
    // The brightest skin over the crease: what is darker is shadow, lash or brow.
    paint.above[k] = At(source, down(up, -0.36F));
    for (const float cm : {-0.45F, -0.55F, -0.65F}) {
      const cv::Vec3f c = At(source, down(up, cm));
      if (Luma(c) > Luma(paint.above[k])) paint.above[k] = c;
    }
    paint.below[k] = (At(source, down(low, 0.25F)) + At(source, down(low, 0.38F)) + At(source, down(low, 0.50F))) * (1 / 3.0F);
    float darkest = 1;
    for (float cm = -0.12F; cm < 0.10F; cm += 0.02F) darkest = std::min(darkest, Luma(At(source, down(up, cm))));
    paint.rim[k] = darkest / std::max(0.02F, Luma(paint.below[k]));
  }
  // Highlights and make-up end at the lashes: no lid is brighter or paler than its face.
  const float brightness = std::max(1e-3F, Luma(skin));
  const auto warmth = [](const cv::Vec3f& c) { return (c[2] - c[0]) / std::max(1e-3F, Luma(c)); };
  for (auto* line : {&paint.above, &paint.below}) {
    for (cv::Vec3f& c : *line) {
      if (warmth(c) < warmth(skin)) c = c * 0.3F + skin * (0.7F * Luma(c) / brightness);
      c *= std::min(1.0F, 1.05F * brightness / std::max(1e-3F, Luma(c)));
    }
  }
  Smooth(paint.above, 6);
  Smooth(paint.below, 6);
  Smooth(paint.rim, 5);
  return paint;
}

// How far the upper lid goes up at most, pixels; and what a stretched eyeball hides, cm.
float Rises(const Frame& frame, const Opening& before, const Opening& after) {
  float most = 0;
  for (std::size_t k = 0; k < kRimPoints; ++k) most = std::max(most, frame.Down(before.upper[k]) - frame.Down(after.upper[k]));
  return most;
}
constexpr float kStretches = 0.02F;

}  // namespace

void DrawLid(const Opening& before, const Opening& after, std::span<const Point2> brow, const cv::Vec3f& skin, float pixels_per_cm,
             const cv::Mat& source, cv::Mat& target) {
  const float px = pixels_per_cm;
  const Frame frame(before);
  const auto rise = [&](std::size_t k) { return frame.Down(after.upper[k]) - frame.Down(before.upper[k]); };
  float most = 0;
  for (std::size_t k = 0; k < kRimPoints; ++k) most = std::max(most, rise(k) / px);
  const float share = synthetic::SmoothStep(0.05F, 0.35F, most);  // cm that the lid has come down
  if (share <= 0) return;
  const LidPaint paint = ReadLid(frame, before, skin, px, source);
  std::vector<cv::Point2f> outline;
  for (const Rim& rim : {before.upper, after.upper, after.lower}) {
    for (const Point2& p : rim) outline.emplace_back(p.x, p.y);
  }
  const int margin = cvCeil(0.7F * px) + 2;
  cv::Rect box = cv::boundingRect(outline);
  box = cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) & cv::Rect({0, 0}, target.size());
  if (box.empty()) return;
  // The cheek's grain: what is left of it without its broad shades.
  cv::Mat broad;
  const float grain_below = 1.7F * px;
  cv::Rect wide(box.x, box.y, box.width, box.height + cvCeil(grain_below) + 2);
  wide &= cv::Rect({0, 0}, source.size());
  cv::GaussianBlur(source(wide), broad, {}, std::max(1.0F, 0.08F * px));
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const Point2 p{static_cast<float>(box.x + x) + 0.5F, static_cast<float>(box.y + y) + 0.5F};
      const float along = frame.Along(p), down = frame.Down(p);
      if (along <= 0 || along >= 1) continue;
      const float ends = std::min(along, 1 - along);
      const float upper = DownAt(frame, before.upper, along), rim = DownAt(frame, after.upper, along);
      const float fold = std::min(kCrease * px, kCreaseToBrow * std::max(0.0F, upper - DownAt(frame, brow, along)));
      const float crease = upper - fold * synthetic::SmoothStep(-0.03F, 0.12F, ends);
      const auto k = static_cast<std::size_t>(std::lround(along * (kRimPoints - 1)));
      const float height = std::max(1.0F, rim - crease), t = (down - crease) / height;
      cv::Vec3f& c = target.at<cv::Vec3f>(box.y + y, box.x + x);
      const float moved = synthetic::SmoothStep(0.01F, 0.08F, (rim - upper) / px);
      const float past = (down - rim) / px;  // cm beyond the lid's edge
      const float lid = share * moved * synthetic::SmoothStep(0, 0.28F, t) * (1 - synthetic::SmoothStep(0.01F, 0.07F, past));
      if (lid > 0) {
        const float s = std::clamp(t, 0.0F, 1.0F);
        const float shade = 1 + 0.07F * std::sin(3.14159F * std::min(1.0F, 1.15F * s)) - 0.10F * std::exp(-s / 0.10F) -
                            0.10F * synthetic::SmoothStep(0.7F, 1.05F, s) - 0.08F * (1 - synthetic::SmoothStep(0, 0.3F, ends));
        cv::Vec3f painted = (paint.above[k] * (1 - s) + paint.below[k] * s) * shade;
        const int gx = std::clamp(box.x + x, wide.x, wide.x + wide.width - 1);
        const int gy = std::clamp(box.y + y + cvRound(grain_below), wide.y, wide.y + wide.height - 1);
        painted += (source.at<cv::Vec3f>(gy, gx) - broad.at<cv::Vec3f>(gy - wide.y, gx - wide.x)) * 0.7F;
        c = c * (1 - lid) + painted * lid;
      }
      // Lashes: a line on the rim that grows thinner towards the nose, and what hangs down from it.
      const float width = std::max(0.05F, 0.75F / px);  // no thinner than a pixel shows
      const float line = std::min(1.0F, 0.07F / width) * std::exp(-(past / width) * (past / width));
      const float hang = past > 0 ? 0.45F * std::exp(-past / 0.10F) : 0;
      const float dark = std::clamp(1 - paint.rim[k], 0.2F, 0.65F) * share * moved * synthetic::SmoothStep(0, 0.12F, ends);
      c *= 1 - dark * std::max(line, hang);
    }
  }
}

void FillEye(const Opening& before, const Opening& after, float pixels_per_cm, const cv::Mat& source, cv::Mat& target) {
  const cv::Mat mask = OpeningMask(after, target.size(), 0.02F * pixels_per_cm);
  std::vector<cv::Point2f> corners;
  for (const Rim& rim : {after.upper, after.lower}) {
    for (const Point2& p : rim) corners.emplace_back(p.x, p.y);
  }
  cv::Rect box = cv::boundingRect(corners);
  box = cv::Rect(box.x - 3, box.y - 3, box.width + 6, box.height + 6) & cv::Rect({0, 0}, target.size());
  if (box.empty()) return;
  const Frame frame(before);
  const std::optional<Iris> iris = Rises(frame, before, after) > kStretches * pixels_per_cm ? FindIris(before, pixels_per_cm, source) : std::nullopt;
  cv::Mat from(box.size(), CV_32FC2);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const Point2 p{static_cast<float>(box.x + x) + 0.5F, static_cast<float>(box.y + y) + 0.5F};
      const float along = frame.Along(p), down = frame.Down(p);
      const float upper = DownAt(frame, before.upper, along), lower = DownAt(frame, before.lower, along);
      const float new_upper = DownAt(frame, after.upper, along), new_lower = DownAt(frame, after.lower, along);
      const float middle = (upper + lower) / 2;
      float at = down;
      // What a lid bares was never seen: where no iris can be told the eyeball beside it is stretched.
      if (!iris && down < middle && new_upper < upper) at = middle + (down - middle) * (upper - middle) / std::min(-1e-3F, new_upper - middle);
      if (down > middle && new_lower > lower) at = middle + (down - middle) * (lower - middle) / std::max(1e-3F, new_lower - middle);
      from.at<cv::Vec2f>(y, x) = {p.x + (at - down) * frame.down.x - 0.5F, p.y + (at - down) * frame.down.y - 0.5F};
    }
  }
  cv::Mat eye;
  cv::remap(source, eye, from, {}, cv::INTER_CUBIC, cv::BORDER_REFLECT_101);
  if (iris) PaintBared(*iris, before, after, pixels_per_cm, source, box.tl(), eye);
  cv::Mat part = target(box);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const float s = mask.at<float>(box.y + y, box.x + x);
      cv::Vec3f& c = part.at<cv::Vec3f>(y, x);
      c = c * (1 - s) + eye.at<cv::Vec3f>(y, x) * s;
    }
  }
}

}  // namespace auforge::warp::internal
