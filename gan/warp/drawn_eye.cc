#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "gan/warp/internal/eyes.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::FacePart;
using synthetic::Vec3;

// Gap by width: below the first a photo shows nothing of the eye, a little above its own eyeball is enough to go by. Landmarks
// see gaps in lashes where AU45 sees none: where it does, wider ones count as shut.
constexpr float kShut = 0.11F, kShutByAu = 0.23F, kSeenAbove = 0.08F;
// The model's pupil is a hole: what lies so far behind the ball's front, cm, is seen through it.
constexpr float kThroughPupil = 1.5F;

// Eyeballs alone, linear light, as the renderer has them: CV_32FC3, and how much of each pixel they cover.
synthetic::RenderedFace Render(const synthetic::FaceRenderer& renderer, const PhotoLight& light, synthetic::Camera camera,
                               std::span<const Vec3> shape, const cv::Rect& box) {
  synthetic::SkinTextures skin;
  skin.face = cv::Mat(8, 8, CV_8UC4, cv::Scalar(128, 128, 128, 0));
  synthetic::FaceScene scene = SceneBehind(skin, light, camera, shape, box);
  scene.eyes.iris = {0.020F, 0.034F, 0.060F};
  scene.eyes.iris_rim = {0.008F, 0.012F, 0.020F};
  scene.parts = Bit(FacePart::kLeftEye) | Bit(FacePart::kRightEye);
  synthetic::RenderScratch scratch;
  return renderer.Render(scene, scratch);
}

// Half of what skin's hue differs from usual skin is the light's, BGR about 1.
cv::Vec3f LightColour(const PhotoLight& light) {
  constexpr std::array<float, 3> kUsual{0.52F, 0.83F, 1.45F};  // of its brightness, linear
  const std::array<float, 3> skin{light.skin.x, light.skin.y, light.skin.z};
  cv::Vec3f colour;
  for (int i = 0; i < 3; ++i) {
    const auto c = static_cast<std::size_t>(i);
    colour[i] = std::sqrt(std::clamp(skin[c] / std::max(1e-4F, light.Skin()) / kUsual[c], 0.3F, 2.5F));
  }
  return colour;
}

template <typename Visit>
void VisitBall(const synthetic::RenderedFace& drawn, const cv::Mat& mask, const Visit& visit) {
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      if (mask.at<float>(y, x) > 0.5F && drawn.alpha.at<float>(y, x) > 0.5F) visit(cv::Point(x, y));
    }
  }
}

// Brightness of the whites as drawn; 1 where there are none.
float RenderedWhite(const synthetic::RenderedFace& drawn, const cv::Mat& mask) {
  std::vector<float> values;
  VisitBall(drawn, mask, [&](cv::Point p) {
    const auto& c = drawn.linear.at<cv::Vec3f>(p);
    values.push_back((0.1F * c[0] + 0.6F * c[1] + 0.3F * c[2]) / drawn.alpha.at<float>(p));
  });
  if (values.empty()) return 1;
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 85 / 100);
  std::nth_element(values.begin(), place, values.end());
  return std::max(0.02F, *place);
}

// CV_32FC1, 0..1: the pupil. The model's is a small hole, through which the ball's back is seen.
cv::Mat Pupil(const synthetic::RenderedFace& drawn, const cv::Mat& mask, float pixels_per_cm) {
  float front = 1e9F;
  VisitBall(drawn, mask, [&](cv::Point p) { front = std::min(front, drawn.depth.at<float>(p)); });
  cv::Mat behind = cv::Mat::zeros(mask.size(), CV_8UC1);
  VisitBall(drawn, mask, [&](cv::Point p) { behind.at<std::uint8_t>(p) = drawn.depth.at<float>(p) > front + kThroughPupil ? 1 : 0; });
  // The ball's outline is no hole: the pupil is what lies behind in one piece, the nearest to the eye's middle.
  cv::Mat labels, stats, centres;
  const int pieces = cv::connectedComponentsWithStats(behind, labels, stats, centres);
  int pupil = 0;
  double nearest = 0.3 * mask.cols;
  for (int i = 1; i < pieces; ++i) {
    const double off = std::hypot(centres.at<double>(i, 0) - mask.cols / 2.0, centres.at<double>(i, 1) - mask.rows / 2.0);
    if (off < nearest) nearest = off, pupil = i;
  }
  cv::Mat hole;
  if (pupil > 0) {
    cv::Mat(labels == pupil).convertTo(hole, CV_32FC1, 1 / 255.0);
  } else {
    hole = cv::Mat::zeros(mask.size(), CV_32FC1);
  }
  const int wider = 1 + cvRound(0.09F * pixels_per_cm);
  cv::dilate(hole, hole, cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * wider + 1, 2 * wider + 1}));
  cv::GaussianBlur(hole, hole, {}, std::max(0.5F, 0.02F * pixels_per_cm));
  return hole;
}

// A window's reflection beside the pupil's middle, by which eyes live: adds to `eye`, linear.
void AddGlint(const cv::Mat& pupil, float brightness, float pixels_per_cm, cv::Mat& eye) {
  const cv::Moments m = cv::moments(pupil);
  if (m.m00 < 1) return;
  const double x0 = m.m10 / m.m00 - 0.10 * pixels_per_cm, y0 = m.m01 / m.m00 - 0.12 * pixels_per_cm;
  const double width = std::max(0.6, 0.05 * pixels_per_cm);
  eye.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const double d2 = (std::pow(at[1] - x0, 2) + std::pow(at[0] - y0, 2)) / (width * width);
    c += cv::Vec3f::all(brightness * static_cast<float>(std::exp(-d2 * d2)));
  });
}

}  // namespace

float NeverSeen(const Opening& before, const Opening& after, float au45, float pixels_per_cm) {
  const float opens = (LargestGap(after) - LargestGap(before)) / pixels_per_cm;
  const float shut = kShut + (kShutByAu - kShut) * synthetic::SmoothStep(1.5F, 3.2F, au45);
  return (1 - synthetic::SmoothStep(shut, shut + kSeenAbove, GapByWidth(before))) * synthetic::SmoothStep(0.02F, 0.12F, opens);
}

void DrawEyeball(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                 std::span<const Vec3> shape, Point2 moved, const Opening& after, float share,
                 float pixels_per_cm, cv::Mat& target) {
  const float px = pixels_per_cm;
  if (share <= 0) return;
  const cv::Rect box = BoxOf(after, cvCeil(0.15F * px) + 2, target.size());
  if (box.empty()) return;
  synthetic::Camera at_rims = camera;
  at_rims.centre.x += moved.x;
  at_rims.centre.y += moved.y;
  const synthetic::RenderedFace drawn = Render(renderer, light, at_rims, shape, box);
  const cv::Mat mask = OpeningMask(after, target.size(), std::max(0.5F, 0.02F * px))(box);
  // Whites of shut eyes were not seen either: they are a little brighter than skin, and in its light.
  const float skin = light.Skin(), white = std::clamp(light.white, 1.0F * skin, 1.5F * skin);
  const cv::Vec3f tint = LightColour(light) * (white / RenderedWhite(drawn, mask));
  const cv::Mat pupil = Pupil(drawn, mask, px);
  const OpeningFrame frame(after, px);
  cv::Mat eye(box.size(), CV_32FC3);
  eye.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const InOpening in = frame.At({static_cast<float>(box.x + at[1]) + 0.5F, static_cast<float>(box.y + at[0]) + 0.5F});
    // Beyond the ball: the corners' red.
    const cv::Vec3f corner{0.30F * light.skin.x, 0.30F * light.skin.y, 0.45F * light.skin.z};
    const float alpha = drawn.alpha.at<float>(at[0], at[1]);
    const cv::Vec3f seen = alpha > 0 ? drawn.linear.at<cv::Vec3f>(at[0], at[1]).mul(tint) * (1 / alpha) : corner;
    const cv::Vec3f ball = seen * (1 - pupil.at<float>(at[0], at[1]));
    const float lid = 1 - 0.35F * std::exp(-std::max(0.0F, in.below_upper) / 0.08F);
    const float sides = 1 - 0.25F * synthetic::SmoothStep(0.7F, 1.0F, std::abs(in.across));
    c = (ball * alpha + corner * (1 - alpha)) * (lid * sides);
  });
  AddGlint(pupil, 2.5F * white, px, eye);
  cv::GaussianBlur(eye, eye, {}, std::max(0.5F, 0.02F * px));
  cv::sqrt(cv::max(eye, 0), eye);
  cv::Mat part = target(box);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const InOpening in = frame.At({static_cast<float>(box.x + x) + 0.5F, static_cast<float>(box.y + y) + 0.5F});
      cv::Vec3f& c = part.at<cv::Vec3f>(y, x);
      cv::Vec3f e = eye.at<cv::Vec3f>(y, x);
      if (light.is_grey) e = cv::Vec3f::all(0.114F * e[0] + 0.587F * e[1] + 0.299F * e[2]);
      const float s = share * mask.at<float>(y, x);
      c = c * (1 - s) + e * s;
      // The lashes' line goes up with the lid.
      const float ends = 1 - synthetic::SmoothStep(0.85F, 1.0F, std::abs(in.across));
      const float width = std::max(0.045F, 0.7F / px), line = std::exp(-std::pow(in.below_upper / width, 2.0F));
      c *= 1 - 0.6F * share * ends * line * std::min(1.0F, 0.06F / width);
    }
  }
}

}  // namespace auforge::warp::internal
