// Shadows of the one lamp that casts them.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "datasets/synthetic/light.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic::internal {

// An orthographic picture from a lamp, of all that casts shadows. Uses the buffer and camera that it is
// given.
class ShadowMap {
 public:
  static constexpr int kShadowSide = 176;

  ShadowMap(const Lamp& lamp, const Camera& camera, VisibilityBuffer& buffer)
      : buffer_(buffer), camera_(camera), towards_(lamp.direction), radius_(0.12F + 0.75F * lamp.softness) {
    side_ = Normalised(Cross(std::abs(towards_.y) < 0.9F ? Vec3{0, 1, 0} : Vec3{1, 0, 0}, towards_));
    up_ = Cross(towards_, side_);
    centre_ = camera.View({0, 0, 2});
    buffer_.Reset(kShadowSide, kShadowSide);
  }

  ScreenVertex Place(Vec3 view) const {
    constexpr float kScale = kShadowSide / (2 * 17.0F);
    const Vec3 p = view - centre_;
    return {kShadowSide * 0.5F + kScale * Dot(side_, p), kShadowSide * 0.5F - kScale * Dot(up_, p),
            100 + Dot(towards_, p)};
  }
  template <typename Keep>
  void Cast(std::span<const Vec3> model_points, std::span<const MeshTriangle> triangles,
            std::vector<ScreenVertex>& screen, const Keep& keep) {
    screen.resize(model_points.size());
    for (std::size_t i = 0; i < model_points.size(); ++i) screen[i] = Place(camera_.View(model_points[i]));
    buffer_.Draw(screen, triangles, Facing::kBoth, 0, keep);
  }
  // 0..1 of the lamp that reaches a point; bias in cm.
  float Lit(Vec3 view, float bias) const {
    const ScreenVertex at = Place(view);
    constexpr float kTexels = kShadowSide / (2 * 17.0F);
    static constexpr std::array<std::array<float, 2>, 9> kDisc{{{0, 0},
                                                                {0.9F, 0.2F},
                                                                {-0.3F, 0.85F},
                                                                {-0.85F, -0.3F},
                                                                {0.3F, -0.9F},
                                                                {0.5F, 0.55F},
                                                                {-0.55F, 0.45F},
                                                                {-0.45F, -0.6F},
                                                                {0.6F, -0.4F}}};
    float lit = 0;
    for (const auto& [dx, dy] : kDisc) {
      const int x = static_cast<int>(at.x + dx * radius_ * kTexels),
                y = static_cast<int>(at.y + dy * radius_ * kTexels);
      const bool inside = x >= 0 && y >= 0 && x < kShadowSide && y < kShadowSide;
      if (!inside || buffer_.InverseDepth(x, y) <= at.invz + bias) lit += 1;
    }
    return lit / 9;
  }

 private:
  VisibilityBuffer& buffer_;
  const Camera& camera_;
  Vec3 towards_, side_, up_, centre_;
  float radius_;  // cm
};

}  // namespace auforge::datasets::synthetic::internal
