#include "gan/warp/internal/rims.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace auforge::warp::internal {
namespace {

using features::Point2;

// Points of OpenCV, in 1 / 2^shift of a pixel.
std::vector<cv::Point> Polygon(const Opening& opening, int shift) {
  const auto scale = static_cast<float>(1 << shift);
  std::vector<cv::Point> polygon;
  const auto add = [&](Point2 p) { polygon.emplace_back(cvRound((p.x - 0.5F) * scale), cvRound((p.y - 0.5F) * scale)); };
  for (const Point2& p : opening.upper) add(p);
  for (auto p = opening.lower.rbegin(); p != opening.lower.rend(); ++p) add(*p);
  return polygon;
}

}  // namespace

float LargestGap(const Opening& opening) {
  float gap = 0;
  for (std::size_t k = 0; k < opening.upper.size(); ++k) gap = std::max(gap, features::Distance(opening.upper[k], opening.lower[k]));
  return gap;
}

float GapByWidth(const Opening& opening) {
  return LargestGap(opening) / std::max(1.0F, features::Distance(opening.upper.front(), opening.upper.back()));
}

float LargestMove(const Opening& before, const Opening& after) {
  float move = 0;
  for (std::size_t k = 0; k < before.upper.size(); ++k) {
    move = std::max({move, features::Distance(before.upper[k], after.upper[k]), features::Distance(before.lower[k], after.lower[k])});
  }
  return move;
}

Opening Trace(const Seam& seam, std::span<const Point2> at) {
  Opening opening{TraceRim(seam.upper, at), TraceRim(seam.lower, at)};
  const Point2 a = opening.upper.front(), b = opening.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  for (std::size_t k = 0; k < opening.upper.size(); ++k) {
    Point2 &u = opening.upper[k], &l = opening.lower[k];
    if ((l.x - u.x) * down.x + (l.y - u.y) * down.y < 0) u = l = features::Midpoint(u, l);
  }
  return opening;
}

cv::Mat OpeningMask(const Opening& opening, cv::Size size, float blur) {
  constexpr int kShift = 6;
  cv::Mat mask = cv::Mat::zeros(size, CV_8UC1), soft;
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{Polygon(opening, kShift)}, 255, cv::LINE_AA, kShift);
  mask.convertTo(soft, CV_32FC1, 1 / 255.0);
  if (blur > 0.3F) cv::GaussianBlur(soft, soft, {}, blur);
  return soft;
}

cv::Rect BoxOf(const Opening& opening, int margin, cv::Size size) {
  const cv::Rect box = cv::boundingRect(Polygon(opening, 0));
  return cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) & cv::Rect({0, 0}, size);
}

void Close(const Seam& seam, const Opening& before, const Closing& closing, std::vector<Point2>& at) {
  const Opening now{TraceRim(seam.upper, at), TraceRim(seam.lower, at)};
  const Point2 a = now.upper.front(), b = now.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  const auto gap = [&](const Opening& o, std::size_t k) { return (o.lower[k].x - o.upper[k].x) * down.x + (o.lower[k].y - o.upper[k].y) * down.y; };
  for (const Seam::NearVertex& near : seam.near) {
    const float place = near.s * (kRimPoints - 1);
    const auto k = std::min<std::size_t>(static_cast<std::size_t>(place), kRimPoints - 2);
    const auto excess_at = [&](std::size_t i) { return gap(now, i) - closing.share * std::max(0.0F, gap(before, i)); };
    const float excess = excess_at(k) + (place - static_cast<float>(k)) * (excess_at(k + 1) - excess_at(k));
    if (excess == 0 || (closing.gap == Gap::kAtMost && excess < 0)) continue;
    const float reach = near.is_upper ? closing.reach_upper : closing.reach_lower;
    const float falls = 1 - synthetic::SmoothStep(0, reach, std::abs(near.u));
    const float move = near.is_upper ? excess * closing.upper_moves * falls : -excess * (1 - closing.upper_moves) * falls;
    Point2& p = at[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * move, p.y + down.y * move};
  }
}

void HoldBackUpperLip(const Seam& mouth, const Opening& before, float most, float pixels_per_cm, std::vector<Point2>& at) {
  constexpr float kReach = 1.0F;     // cm
  constexpr float kInSight = 0.35F;  // cm between the lips: teeth surely are
  const float held = synthetic::SmoothStep(kOwnGap, kInSight, LargestGap(before) / pixels_per_cm);
  if (held == 0) return;
  const Rim now = TraceRim(mouth.upper, at);
  const Point2 a = before.upper.front(), b = before.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  for (const Seam::NearVertex& near : mouth.near) {
    if (!near.is_upper) continue;
    const std::size_t k = RimPlace(near.s);
    const float rise = ((before.upper[k].x - now[k].x) * down.x + (before.upper[k].y - now[k].y) * down.y) / pixels_per_cm;
    if (rise <= 0) continue;
    const float falls = 1 - synthetic::SmoothStep(0, kReach, std::abs(near.u));
    const float back = held * (rise - most * std::tanh(rise / most)) * falls * pixels_per_cm;
    Point2& p = at[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * back, p.y + down.y * back};
  }
}

void Part(const Seam& eye, float least, std::vector<Point2>& at) {
  constexpr float kReachUpper = 0.9F, kReachLower = 0.4F, kUpperMoves = 0.88F;  // cm, cm, share
  const Opening now{TraceRim(eye.upper, at), TraceRim(eye.lower, at)};
  const Point2 a = now.upper.front(), b = now.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  for (const Seam::NearVertex& near : eye.near) {
    const std::size_t k = RimPlace(near.s);
    const float across = 2 * near.s - 1, wanted = least * length * (1 - across * across);
    const float gap = (now.lower[k].x - now.upper[k].x) * down.x + (now.lower[k].y - now.upper[k].y) * down.y;
    if (gap >= wanted) continue;
    const float falls = 1 - synthetic::SmoothStep(0, near.is_upper ? kReachUpper : kReachLower, std::abs(near.u));
    const float move = (near.is_upper ? -kUpperMoves : 1 - kUpperMoves) * (wanted - gap) * falls;
    Point2& p = at[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * move, p.y + down.y * move};
  }
}

void TakeFromOutside(const Seam& mouth, const Opening& before, const Opening& after, const LipEdges& edges, float pixels_per_cm,
                     std::vector<Point2>& from) {
  const float px = pixels_per_cm;
  constexpr float kReach = 0.65F;  // cm
  const Point2 a = before.upper.front(), b = before.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  const bool shows_teeth = LargestGap(before) > kOwnGap * px;
  for (const Seam::NearVertex& near : mouth.near) {
    if (near.u < 0 || near.u > kReach) continue;
    const auto k = RimPlace(near.s);
    const float was = features::Distance(before.upper[k], before.lower[k]) / px, is = features::Distance(after.upper[k], after.lower[k]) / px;
    const Point2 &rim_was = (near.is_upper ? before.upper : before.lower)[k], &rim_is = (near.is_upper ? after.upper : after.lower)[k];
    const float leaves = (near.is_upper ? -1.0F : 1.0F) * ((rim_is.x - rim_was.x) * down.x + (rim_is.y - rim_was.y) * down.y) / px;
    const float moves = std::max(synthetic::SmoothStep(0.05F, 0.3F, was - is), shows_teeth ? synthetic::SmoothStep(0.05F, 0.2F, leaves) : 0.0F);
    const float margin = (near.is_upper ? edges.upper : edges.lower)[k] * moves * (1 - near.u / kReach) * px * (near.is_upper ? -1.0F : 1.0F);
    Point2& p = from[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * margin, p.y + down.y * margin};
  }
}

}  // namespace auforge::warp::internal
