#include "gan/warp/internal/inside_mouth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <opencv2/imgproc.hpp>

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::FacePart;
using synthetic::Vec3;

Vec3 Mean(std::span<const Vec3> shape, std::initializer_list<std::size_t> landmarks) {
  Vec3 sum;
  for (const std::size_t i : landmarks) sum += shape[static_cast<std::size_t>(synthetic::LandmarkVertices()[i])];
  return sum * (1 / static_cast<float>(landmarks.size()));
}

// Linear colour of what lies behind the lips. lit: as the renderer has it; depth: cm behind the lips.
cv::Vec3f Behind(FacePart part, const cv::Vec3f& lit, float depth, const InOpening& at, float gap, const PhotoLight& light) {
  const cv::Vec3f lips{light.lips.x, light.lips.y, light.lips.z};
  // The cheeks keep light from the sides, the upper lip from above; a wide mouth lets more in.
  const float sides = 1 - 0.93F * synthetic::SmoothStep(0.40F, 0.92F, std::abs(at.across));
  const float roof = 1 - 0.35F * std::exp(-std::max(0.0F, at.below_upper) / 0.12F);
  const float reach = 0.7F + 0.5F * std::min(gap, 2.0F);
  const auto falls_from = [&](float clear) { return std::exp(-std::max(0.0F, depth - clear) / reach); };
  const float falls = falls_from(0.2F);
  switch (part) {
    case FacePart::kTeeth: {
      const float shade = sides * roof * (0.06F + 0.94F * std::pow(falls_from(0.4F), 1.3F));
      // What little light comes back from the sides has been red before.
      cv::Vec3f c;
      const float white = light.white;
      for (int i = 0; i < 3; ++i) {
        constexpr std::array<float, 3> kIvory{0.78F, 0.92F, 1.0F};
        const float form = std::clamp(lit[i] / std::max(1e-4F, white), 0.0F, 1.0F);
        const float hue = std::pow(lips[i] / std::max(1e-4F, lips[2]), 1.1F * (1 - shade));
        c[i] = white * kIvory[static_cast<std::size_t>(i)] * shade * hue * (0.72F + 0.28F * form);
      }
      return c;
    }
    case FacePart::kGums:
      return lips * (0.62F * sides * roof * falls);
    case FacePart::kSkin:
    case FacePart::kInnerLip:
      return lit * (0.55F + 0.45F * sides);
    default:
      return cv::Vec3f{0.013F, 0.011F, 0.075F} * (light.white * sides * (0.35F + 0.65F * falls));
  }
}

// 0..1: where a tongue lies in a mouth that gapes.
float Tongue(const InOpening& at, float gap) {
  const float x = at.across / 0.62F, height = 0.52F * gap;
  const float top = height * std::sqrt(std::max(0.0F, 1 - x * x));
  return synthetic::SmoothStep(0.45F, 1.1F, gap) * (1 - synthetic::SmoothStep(0.62F * top, top + 0.05F, at.above_lower));
}

}  // namespace

cv::Mat DrawInside(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                   std::span<const Vec3> shape, const Opening& before, const Opening& opening, float pixels_per_cm, const cv::Rect& box) {
  const auto byte = [](float linear) { return cv::saturate_cast<std::uint8_t>(255 * std::sqrt(std::max(0.0F, linear))); };
  synthetic::SkinTextures skin;
  skin.face = cv::Mat(64, 64, CV_8UC4, cv::Scalar(byte(light.lips.x), byte(light.lips.y), byte(light.lips.z), 40));
  synthetic::FaceScene scene = SceneBehind(skin, light, camera, shape, box);
  scene.mouth.teeth = Vec3{1, 1, 1} * light.white;
  scene.parts = Bit(FacePart::kSkin) | Bit(FacePart::kMouth) | Bit(FacePart::kGums) | Bit(FacePart::kTeeth) | Bit(FacePart::kInnerLip);
  synthetic::RenderScratch scratch;
  const synthetic::RenderedFace drawn = renderer.Render(scene, scratch);
  const float front = -camera.View(Mean(shape, {61, 62, 63, 65, 66, 67})).z;
  const float gap = LargestGap(opening) / pixels_per_cm;
  const OpeningFrame frame(opening, pixels_per_cm), own(before, pixels_per_cm);
  const bool shows_teeth = LargestGap(before) > kOwnGap * pixels_per_cm;
  cv::Mat inside(box.size(), CV_32FC3);
  inside.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const float alpha = drawn.alpha.at<float>(at[0], at[1]);
    const cv::Vec3f lit = alpha > 0 ? drawn.linear.at<cv::Vec3f>(at[0], at[1]) * (1 / alpha) : cv::Vec3f{};
    const Point2 p{static_cast<float>(box.x + at[1]) + 0.5F, static_cast<float>(box.y + at[0]) + 0.5F};
    const InOpening in = frame.At(p);
    auto part = static_cast<FacePart>(drawn.part.at<std::uint8_t>(at[0], at[1]));
    // Teeth that the photo shows are not drawn again below their edge.
    if (part == FacePart::kTeeth && shows_teeth && own.At(p).below_upper > 0.1F) part = FacePart::kMouth;
    c = Behind(part, lit, drawn.depth.at<float>(at[0], at[1]) - front, in, gap, light);
    if (part == FacePart::kSkin || part == FacePart::kInnerLip || part == FacePart::kTeeth) return;
    const float tongue = Tongue(in, gap);
    const float lie = 0.55F + 0.45F * synthetic::SmoothStep(0, 0.35F, in.above_lower), furrow = 1 - 0.16F * std::exp(-std::pow(in.across / 0.07F, 2.0F));
    c = c * (1 - tongue) + cv::Vec3f{0.21F, 0.20F, 0.68F} * (0.80F * light.white * lie * furrow * tongue);
  });
  // As soft as a photo: parts meet without steps.
  cv::GaussianBlur(inside, inside, {}, std::max(0.6F, 0.03F * pixels_per_cm));
  cv::sqrt(cv::max(inside, 0), inside);
  if (light.is_grey) {
    inside.forEach<cv::Vec3f>([](cv::Vec3f& c, const int*) { c = cv::Vec3f::all(0.114F * c[0] + 0.587F * c[1] + 0.299F * c[2]); });
  }
  return inside;
}

}  // namespace auforge::warp::internal
