#include "gan/warp/internal/displacement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "datasets/synthetic/skin_unwrap.h"

namespace auforge::warp::internal {
namespace {

constexpr float kSoftRim = 0.7F;     // cm inside the skin's outline over which its movement gives way to the outside's
constexpr float kSmooth = 0.05F;      // cm
constexpr float kFadesAside = 2.2F, kFadesUpright = 5.0F;  // cm beyond the outline
constexpr float kSlips = 0.9F;                              // the same for movement along the outline

// Movement (source - target) and gain over the skin; has: 255 where there is some.
std::vector<synthetic::VisibilityBuffer::Hit> DrawSkin(const MovedSkin& skin, cv::Mat& movement, cv::Mat& gain, cv::Mat& has) {
  std::vector<synthetic::ScreenVertex> screen(skin.to.size());
  for (std::size_t v = 0; v < screen.size(); ++v) screen[v] = {skin.to[v].x, skin.to[v].y, skin.inverse_depth[v]};
  synthetic::VisibilityBuffer buffer;
  buffer.Reset(movement.cols, movement.rows);
  buffer.Draw(screen, skin.triangles, synthetic::Facing::kFront, 0);
  for (int y = 0; y < movement.rows; ++y) {
    auto* move = movement.ptr<cv::Vec2f>(y);
    auto* bright = gain.ptr<float>(y);
    auto* known = has.ptr<std::uint8_t>(y);
    for (int x = 0; x < movement.cols; ++x) {
      const auto& hit = buffer.At(x, y);
      if (hit.triangle == synthetic::VisibilityBuffer::kNothing) continue;
      const synthetic::MeshTriangle& t = skin.triangles[static_cast<std::size_t>(hit.triangle)];
      const std::array<float, 3> weight{1 - hit.b1 - hit.b2, hit.b1, hit.b2};
      cv::Vec2f sum{0, 0};
      float light = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        const auto v = static_cast<std::size_t>(t[k]);
        sum += cv::Vec2f(skin.from[v].x - skin.to[v].x, skin.from[v].y - skin.to[v].y) * weight[k];
        light += skin.gain[v] * weight[k];
      }
      move[x] = sum;
      bright[x] = light;
      known[x] = 255;
    }
  }
  return {buffer.hits().begin(), buffer.hits().end()};
}

// The outline filled: skin with the openings of eyes and mouth.
cv::Mat Filled(const cv::Mat& has) {
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(has, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  cv::Mat filled = cv::Mat::zeros(has.size(), CV_8UC1);
  cv::drawContours(filled, contours, -1, 255, cv::FILLED);
  return filled;
}

// The skin's movement goes on a few pixels into openings, so that soft edges find it there.
void GrowInto(const cv::Mat& filled, cv::Mat& movement, cv::Mat& has) {
  constexpr int kSteps = 3;
  for (int step = 0; step < kSteps; ++step) {
    const cv::Mat before = has.clone();
    for (int y = 1; y + 1 < has.rows; ++y) {
      for (int x = 1; x + 1 < has.cols; ++x) {
        if (before.at<std::uint8_t>(y, x) != 0 || filled.at<std::uint8_t>(y, x) == 0) continue;
        for (const auto& [dx, dy] : {std::array{0, -1}, {0, 1}, {-1, 0}, {1, 0}}) {
          if (before.at<std::uint8_t>(y + dy, x + dx) == 0) continue;
          movement.at<cv::Vec2f>(y, x) = movement.at<cv::Vec2f>(y + dy, x + dx);
          has.at<std::uint8_t>(y, x) = 255;
          break;
        }
      }
    }
  }
}

// How far down (pixels along `down`) a line of points lies at a place along it, and how its points move there.
struct LinePlace {
  float down = 0;
  cv::Vec2f move;  // before - after
};
LinePlace AlongLine(std::span<const features::Point2> before, std::span<const features::Point2> after, features::Point2 origin,
                    features::Point2 along, float x) {
  const auto on = [&](features::Point2 p) { return (p.x - origin.x) * along.x + (p.y - origin.y) * along.y; };
  const auto down = [&](features::Point2 p) { return (p.y - origin.y) * along.x - (p.x - origin.x) * along.y; };
  std::size_t i = 0;
  while (i + 2 < after.size() && on(after[i + 1]) < x) ++i;
  const float from = on(after[i]), to = on(after[i + 1]);
  const float t = to > from ? std::clamp((x - from) / (to - from), 0.0F, 1.0F) : 0.0F;
  const auto move = [&](std::size_t k) { return cv::Vec2f(before[k].x - after[k].x, before[k].y - after[k].y); };
  return {down(after[i]) * (1 - t) + down(after[i + 1]) * t, move(i) * (1 - t) + move(i + 1) * t};
}

void MoveLidSkin(const LidSkin& lid, float pixels_per_cm, cv::Mat& movement, cv::Mat& has) {
  if (lid.share <= 0) return;
  constexpr float kLashes = 0.30F, kBrow = 0.66F;  // of the way to the line of the brow: where lashes end and its hair begins
  const features::Point2 origin = lid.rim_after.front(), end = lid.rim_after.back();
  const float length = std::max(1.0F, features::Distance(origin, end));
  const features::Point2 along{(end.x - origin.x) / length, (end.y - origin.y) / length};
  std::vector<cv::Point2f> outline;
  for (const features::Point2& p : lid.rim_after) outline.emplace_back(p.x, p.y);
  for (const features::Point2& p : lid.brow_after) outline.emplace_back(p.x, p.y);
  cv::Rect box = cv::boundingRect(outline);
  const int margin = cvCeil(pixels_per_cm);
  box = cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) & cv::Rect({0, 0}, movement.size());
  for (int y = box.y; y < box.y + box.height; ++y) {
    for (int x = box.x; x < box.x + box.width; ++x) {
      const float px = static_cast<float>(x) + 0.5F - origin.x, py = static_cast<float>(y) + 0.5F - origin.y;
      const float at = px * along.x + py * along.y, down = py * along.x - px * along.y;
      const LinePlace rim = AlongLine(lid.rim_before, lid.rim_after, origin, along, at);
      const LinePlace brow = AlongLine(lid.brow_before, lid.brow_after, origin, along, at);
      const float height = (rim.down - down) / std::max(1.0F, rim.down - brow.down);
      const float beyond = std::max(-at, at - length) / pixels_per_cm;  // cm past a corner
      const float share = lid.share * (1 - synthetic::SmoothStep(0.80F, 1.15F, height)) * synthetic::SmoothStep(-0.15F, -0.02F, height) *
                          (1 - synthetic::SmoothStep(0, 0.9F, beyond));
      if (share <= 0) continue;
      const float part = std::clamp((height - kLashes) / (kBrow - kLashes), 0.0F, 1.0F);
      const cv::Vec2f even = rim.move + (brow.move - rim.move) * part;
      cv::Vec2f& move = movement.at<cv::Vec2f>(y, x);
      std::uint8_t& known = has.at<std::uint8_t>(y, x);
      move = known != 0 ? move * (1 - share) + even * share : even;
      known = 255;
    }
  }
}

// Where skin folds over itself the movement jumps from pixel to pixel; it is smoothed as far as it is known.
void Smooth(const cv::Mat& has, float sigma, cv::Mat& movement) {
  if (sigma < 0.3F) return;
  cv::Mat known, share, planes[2];
  has.convertTo(known, CV_32FC1, 1 / 255.0);
  cv::GaussianBlur(known, share, {}, sigma);
  cv::split(movement, planes);
  for (cv::Mat& plane : planes) {
    plane = plane.mul(known);
    cv::GaussianBlur(plane, plane, {}, sigma);
  }
  for (int y = 0; y < has.rows; ++y) {
    for (int x = 0; x < has.cols; ++x) {
      if (has.at<std::uint8_t>(y, x) == 0) continue;
      const float w = 1 / std::max(1e-3F, share.at<float>(y, x));
      movement.at<cv::Vec2f>(y, x) = {planes[0].at<float>(y, x) * w, planes[1].at<float>(y, x) * w};
    }
  }
}

// The movement beyond the skin, and within its openings, at the full size.
cv::Mat Beyond(const cv::Mat& movement, const cv::Mat& has, const cv::Mat& filled, float pixels_per_cm) {
  const int step = std::max(1, cvRound(pixels_per_cm / 4));
  const cv::Size low((movement.cols + step - 1) / step, (movement.rows + step - 1) / step);
  cv::Mat known, sum, share, is_face;
  has.convertTo(known, CV_32FC1, 1 / 255.0);
  cv::Mat planes[2];
  cv::split(movement, planes);
  const cv::Mat masked[3] = {planes[0].mul(known), planes[1].mul(known), cv::Mat::zeros(known.size(), CV_32FC1)};
  cv::Mat together;
  cv::merge(masked, 3, together);
  cv::resize(together, sum, low, 0, 0, cv::INTER_AREA);
  cv::resize(known, share, low, 0, 0, cv::INTER_AREA);
  for (int y = 0; y < low.height; ++y) {
    for (int x = 0; x < low.width; ++x) {
      const float w = share.at<float>(y, x);
      sum.at<cv::Vec3f>(y, x) *= w > 0 ? 1 / w : 0;
    }
  }
  cv::Mat field = synthetic::PushPull(sum, share);
  cv::Mat outside, distance;
  cv::resize(filled, is_face, low, 0, 0, cv::INTER_AREA);
  cv::threshold(is_face, outside, 127, 255, cv::THRESH_BINARY_INV);
  cv::distanceTransform(outside, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  // Across the outline it pushes and pulls what lies beyond: farther down and up than sideways, for necks and hair give
  // way and backgrounds do not. Along the outline it slips past.
  cv::Mat slope, across[2];
  cv::GaussianBlur(distance, slope, {}, 2.0);
  cv::Sobel(slope, across[0], CV_32F, 1, 0);
  cv::Sobel(slope, across[1], CV_32F, 0, 1);
  const float cm = pixels_per_cm / static_cast<float>(step);
  field.forEach<cv::Vec3f>([&](cv::Vec3f& v, const int* at) {
    const float d = distance.at<float>(at[0], at[1]);
    if (d <= 0) return;
    cv::Vec2f n(across[0].at<float>(at[0], at[1]), across[1].at<float>(at[0], at[1]));
    n *= 1 / std::max(1e-3F, std::hypot(n[0], n[1]));
    const float reach = kFadesAside + (kFadesUpright - kFadesAside) * n[1] * n[1];
    const float push = 1 - synthetic::SmoothStep(0, reach * cm, d), slip = 1 - synthetic::SmoothStep(0, kSlips * cm, d);
    const float pushed = v[0] * n[0] + v[1] * n[1];
    const cv::Vec2f rest(v[0] - pushed * n[0], v[1] - pushed * n[1]);
    v = {n[0] * pushed * push + rest[0] * slip, n[1] * pushed * push + rest[1] * slip, 0};
  });
  cv::GaussianBlur(field, field, {}, 1.0);
  cv::Mat full, out[3], both;
  cv::resize(field, full, movement.size(), 0, 0, cv::INTER_CUBIC);
  cv::split(full, out);
  cv::merge(out, 2, both);
  return both;
}

}  // namespace

Displacement Displace(const MovedSkin& skin, cv::Size size) {
  cv::Mat movement(size, CV_32FC2, cv::Scalar::all(0)), has = cv::Mat::zeros(size, CV_8UC1);
  Displacement result;
  result.gain = cv::Mat(size, CV_32FC1, cv::Scalar(1));
  result.hits = DrawSkin(skin, movement, result.gain, has);
  const cv::Mat filled = Filled(has);
  for (const LidSkin& lid : skin.lids) MoveLidSkin(lid, skin.pixels_per_cm, movement, has);
  Smooth(has, kSmooth * skin.pixels_per_cm, movement);
  GrowInto(filled, movement, has);
  const cv::Mat beyond = Beyond(movement, has, filled, skin.pixels_per_cm);
  cv::Mat depth;
  cv::distanceTransform(filled, depth, cv::DIST_L2, cv::DIST_MASK_5);
  result.source.create(size, CV_32FC2);
  const float rim = kSoftRim * skin.pixels_per_cm;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const bool known = has.at<std::uint8_t>(y, x) != 0;
      const float share = known ? synthetic::SmoothStep(0, rim, depth.at<float>(y, x)) : 0;
      const cv::Vec2f move = movement.at<cv::Vec2f>(y, x) * share + beyond.at<cv::Vec2f>(y, x) * (1 - share);
      result.source.at<cv::Vec2f>(y, x) = {static_cast<float>(x) + 0.5F + move[0], static_cast<float>(y) + 0.5F + move[1]};
      result.gain.at<float>(y, x) = 1 + share * (result.gain.at<float>(y, x) - 1);
    }
  }
  return result;
}

}  // namespace auforge::warp::internal
