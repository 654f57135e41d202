#include "gan/warp/internal/folds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace auforge::warp::internal {
namespace {

using synthetic::Vec3;

constexpr int kSide = 384;             // texels of the reliefs
constexpr float kDepth = 0.55F;        // of folds that an AU adds, as WrinkleStyle::expression
constexpr float kSoft = 0.05F;            // cm
constexpr float kLeast = 0.45F, kMost = 1.3F;

// Bilinear: x, y, z of the gradient and the light that reaches a furrow.
cv::Vec4f At(const cv::Mat& relief, float u, float v) {
  const float fx = std::clamp(u * kSide - 0.5F, 0.0F, kSide - 1.01F), fy = std::clamp((1 - v) * kSide - 0.5F, 0.0F, kSide - 1.01F);
  const int x = static_cast<int>(fx), y = static_cast<int>(fy);
  const float ax = fx - static_cast<float>(x), ay = fy - static_cast<float>(y);
  using Texel = cv::Vec<std::int8_t, 4>;
  const auto* above = relief.ptr<Texel>(y) + x;
  const auto* below = relief.ptr<Texel>(y + 1) + x;
  cv::Vec4f out;
  for (int i = 0; i < 4; ++i) {
    out[i] = (static_cast<float>(above[0][i]) * (1 - ax) + static_cast<float>(above[1][i]) * ax) * (1 - ay) +
             (static_cast<float>(below[0][i]) * (1 - ax) + static_cast<float>(below[1][i]) * ax) * ay;
  }
  return out * (1.0F / 127);
}

float Lit(const PhotoLight& light, Vec3 normal, const cv::Vec4f& relief, const synthetic::Camera& camera) {
  constexpr float kFloor = 0.2F;
  const Vec3 gradient = camera.view_from_model(Vec3{relief[0], relief[1], relief[2]} * 2.0F);
  return (kFloor + Irradiance(light.harmonics, Normalised(normal - gradient)).y) * std::max(0.05F, relief[3]);
}

}  // namespace

FoldPainter::FoldPainter(const synthetic::FaceModel& model) : maps_(model, synthetic::FaceAtlas(model, kSide, 64)) {}

cv::Mat FoldPainter::Relief(const synthetic::Expression& expression) const {
  cv::Mat relief = maps_.Smooth();
  maps_.Add({0, kDepth, 0}, expression, relief);
  return relief;
}

Folds FoldPainter::Paint(const synthetic::Expression& own, const synthetic::Expression& wanted, const FoldedSkin& skin, const Displacement& moved,
                         const synthetic::Camera& camera, const PhotoLight& light, float pixels_per_cm) const {
  const cv::Mat before = Relief(own), after = Relief(wanted);
  const cv::Size size = moved.source.size();
  Folds folds{cv::Mat(size, CV_32FC1, cv::Scalar(1)), cv::Mat::zeros(size, CV_32FC1)};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const auto& hit = moved.hits[static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(x)];
      if (hit.triangle == synthetic::VisibilityBuffer::kNothing) continue;
      const auto t = static_cast<std::size_t>(hit.triangle);
      const std::array<float, 3> weight{1 - hit.b1 - hit.b2, hit.b1, hit.b2};
      float u = 0, v = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        u += skin.texcoords[t][k][0] * weight[k];
        v += skin.texcoords[t][k][1] * weight[k];
      }
      const cv::Vec4f was = At(before, u, v), is = At(after, u, v);
      if (was == is) continue;
      Vec3 normal;
      for (std::size_t k = 0; k < 3; ++k) normal += skin.normals[static_cast<std::size_t>(skin.triangles[t][k])] * weight[k];
      normal = camera.view_from_model(Normalised(normal));
      // Furrows that go are the photo's own: they are faded where they are, not lit where ours would be.
      const float ratio = Lit(light, normal, is, camera) / Lit(light, normal, was, camera);
      folds.gain.at<float>(y, x) = is[3] <= was[3] ? std::clamp(ratio, kLeast, kMost) : 1.0F;
      folds.fade.at<float>(y, x) = std::max(0.0F, is[3] - was[3]);
    }
  }
  // Skin is soft; furrows have no hard edges.
  cv::GaussianBlur(folds.gain, folds.gain, {}, std::max(0.5F, kSoft * pixels_per_cm));
  return folds;
}

void FadeFurrows(const cv::Mat& fade, float pixels_per_cm, cv::Mat& picture) {
  double most = 0;
  cv::minMaxLoc(fade, nullptr, &most);
  if (most < 0.01) return;
  cv::Mat wide, luma, broad;
  // The photo's furrow lies beside the model's.
  cv::GaussianBlur(fade, wide, {}, std::max(0.6F, 0.22F * pixels_per_cm));
  cv::cvtColor(picture, luma, cv::COLOR_BGR2GRAY);
  cv::GaussianBlur(luma, broad, {}, std::max(0.8F, 0.30F * pixels_per_cm));
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      const float share = std::min(0.85F, 4.0F * wide.at<float>(y, x));
      if (share < 0.01F) continue;
      const float lift = std::clamp(broad.at<float>(y, x) / std::max(0.02F, luma.at<float>(y, x)) - 1, 0.0F, 0.4F);
      picture.at<cv::Vec3f>(y, x) *= 1 + share * lift;
    }
  }
}

}  // namespace auforge::warp::internal
