#include "warp/internal/displacement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "datasets/synthetic/skin_unwrap.h"

namespace auforge::warp::internal {
namespace {

constexpr float kSoftRim = 0.7F;     // cm inside the skin's outline over which its movement gives way to the outside's
constexpr float kFadesWithin = 2.6F;  // cm beyond the outline, sideways; twice that up and down

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
  // Farther down and up than sideways: necks and hair give way, backgrounds do not.
  cv::Mat outside, squeezed, distance;
  cv::resize(filled, is_face, low, 0, 0, cv::INTER_AREA);
  cv::threshold(is_face, outside, 127, 255, cv::THRESH_BINARY_INV);
  cv::resize(outside, squeezed, {low.width, std::max(1, low.height / 2)}, 0, 0, cv::INTER_NEAREST);
  cv::distanceTransform(squeezed, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  cv::resize(distance, distance, low, 0, 0, cv::INTER_LINEAR);
  const float fades = kFadesWithin * pixels_per_cm / static_cast<float>(step);
  field.forEach<cv::Vec3f>([&](cv::Vec3f& v, const int* at) {
    v *= 1 - synthetic::SmoothStep(0, fades, distance.at<float>(at[0], at[1]));
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
