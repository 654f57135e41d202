#include "gan/warp/internal/mouth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "gan/warp/internal/inside_mouth.h"
#include "gan/warp/internal/sample.h"

namespace auforge::warp::internal {

using features::Point2;
using synthetic::Vec3;

void FillMouth(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
               std::span<const Vec3> shape, const Opening& before, const Opening& after, Point2 jaw_moves, float pixels_per_cm,
               const cv::Mat& source, cv::Mat& target) {
  if (LargestGap(after) < 0.06F * pixels_per_cm) return;
  // Lips that stay leave what is between them alone.
  const float share = synthetic::SmoothStep(0.01F, 0.06F, LargestMove(before, after) / pixels_per_cm);
  if (share == 0) return;
  const int margin = std::max(4, cvRound(0.3F * pixels_per_cm));
  const cv::Rect box = BoxOf(after, margin, target.size());
  if (box.empty()) return;
  cv::Mat inside = DrawInside(renderer, light, camera, shape, before, after, pixels_per_cm, box);
  if (LargestGap(before) > kOwnGap * pixels_per_cm) PutOwnMouth(light, before, after, jaw_moves, pixels_per_cm, source, box, inside);
  const cv::Mat mask = OpeningMask(after, target.size(), std::max(0.5F, 0.02F * pixels_per_cm))(box);
  cv::Mat part = target(box);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const float s = share * mask.at<float>(y, x);
      cv::Vec3f& c = part.at<cv::Vec3f>(y, x);
      c = c * (1 - s) + inside.at<cv::Vec3f>(y, x) * s;
    }
  }
}

void DrawLipLine(const Opening& before, const Opening& after, float pixels_per_cm, cv::Mat& target) {
  const float px = pixels_per_cm;
  const int margin = cvCeil(0.25F * px) + 1;
  const cv::Rect box = BoxOf(after, margin, target.size());
  const OpeningFrame frame(after, px);
  // The lips' colours beside the line, smooth along it: rests of teeth are painted over.
  std::array<cv::Vec3f, kRimPoints> upper, lower;
  const cv::Mat picture = target.clone();
  const Point2 a = after.upper.front(), b = after.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length * px, (b.x - a.x) / length * px};
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    cv::Vec3f above{0, 0, 0}, below{0, 0, 0};
    float count = 0;
    for (int n = -3; n <= 3; ++n) {
      const auto at = static_cast<std::size_t>(std::clamp(static_cast<int>(k) + n, 0, kRimPoints - 1));
      for (const float cm : {0.17F, 0.22F, 0.27F}) {
        above += At(picture, {after.upper[at].x - down.x * cm, after.upper[at].y - down.y * cm});
        below += At(picture, {after.lower[at].x + down.x * cm, after.lower[at].y + down.y * cm});
        count += 1;
      }
    }
    upper[k] = above * (1 / count);
    lower[k] = below * (1 / count);
  }
  for (int y = box.y; y < box.y + box.height; ++y) {
    for (int x = box.x; x < box.x + box.width; ++x) {
      const InOpening at = frame.At({static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F});
      if (std::abs(at.across) >= 1) continue;
      const std::size_t k = at.Place();
      const float was = features::Distance(before.upper[k], before.lower[k]) / px, is = features::Distance(after.upper[k], after.lower[k]) / px;
      const float closed = synthetic::SmoothStep(0.05F, 0.2F, was - is) * (1 - synthetic::SmoothStep(0.3F, 0.6F, is / std::max(0.01F, was)));
      if (closed == 0) continue;
      const float off = (at.below_upper - at.above_lower) / 2;  // cm from the middle of the line
      cv::Vec3f& c = target.at<cv::Vec3f>(y, x);
      const float fill = closed * (1 - synthetic::SmoothStep(0.11F, 0.20F, std::abs(off))), low = synthetic::SmoothStep(-0.06F, 0.06F, off);
      c = c * (1 - fill) + (upper[k] * (1 - low) + lower[k] * low) * fill;
      const float dark = 0.50F * std::exp(-(off / 0.05F) * (off / 0.05F)) + 0.15F * std::exp(-(off / 0.15F) * (off / 0.15F));
      c *= 1 - closed * dark * (1 - synthetic::SmoothStep(0.8F, 1.0F, std::abs(at.across)));
    }
  }
}

}  // namespace auforge::warp::internal
