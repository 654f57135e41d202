// The head as a distance in each direction from the skull's centre: what hair and hats lie on.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic::internal {

inline constexpr Vec3 kSkullCentre{0, 4.0F, -0.5F};  // model space, cm

// How far the head reaches from the skull's centre in each direction, so that hair lies on it.
class SkullMap {
 public:
  explicit SkullMap(std::span<const Vec3> shape) : radius_(kAcross * kDown, 0.0F) {
    for (std::size_t v = 0; v < static_cast<std::size_t>(kHeadEnd); ++v) {
      const Vec3 d = shape[v] - kSkullCentre;
      if (d.y < -13) continue;
      const float r = Length(d);
      const auto [column, row] = Cell(d);
      float& cell = radius_[static_cast<std::size_t>(row) * kAcross + static_cast<std::size_t>(column)];
      cell = std::max(cell, r);
    }
    for (int round = 0; round < 12; ++round) {
      const std::vector<float> before = radius_;
      for (std::size_t row = 0; row < kDown; ++row) {
        for (std::size_t column = 0; column < kAcross; ++column) {
          float& r = radius_[row * kAcross + column];
          if (r > 0) continue;
          float sum = 0, count = 0;
          for (const auto& [dr, dc] :
               {std::array<std::size_t, 2>{0, 1}, {0, kAcross - 1}, {1, 0}, {kDown - 1, 0}}) {
            if ((dr == 1 && row + 1 == kDown) || (dr == kDown - 1 && row == 0)) continue;
            const float near = before[(row + dr) % kDown * kAcross + (column + dc) % kAcross];
            if (near > 0) {
              sum += near;
              ++count;
            }
          }
          if (count > 0) r = sum / count;
        }
      }
    }
  }
  float Radius(Vec3 direction) const {
    const float u =
        (std::atan2(direction.x, direction.z) / (2 * std::numbers::pi_v<float>)+0.5F) * kAcross - 0.5F;
    const float v = std::clamp(
        (0.5F - std::asin(std::clamp(direction.y, -1.0F, 1.0F)) / std::numbers::pi_v<float>)*kDown - 0.5F,
        0.0F, kDown - 1.001F);
    const float fu = std::floor(u), fv = std::floor(v), tu = u - fu, tv = v - fv;
    const auto column = static_cast<std::size_t>((static_cast<int>(fu) + static_cast<int>(kAcross)) %
                                                 static_cast<int>(kAcross));
    const std::size_t next = (column + 1) % kAcross, row = static_cast<std::size_t>(fv),
                      below = std::min<std::size_t>(row + 1, kDown - 1);
    const auto at = [&](std::size_t r, std::size_t c) { return radius_[r * kAcross + c]; };
    return (at(row, column) * (1 - tu) + at(row, next) * tu) * (1 - tv) +
           (at(below, column) * (1 - tu) + at(below, next) * tu) * tv;
  }

 private:
  static constexpr std::size_t kAcross = 40, kDown = 24;
  static std::array<int, 2> Cell(Vec3 d) {
    const Vec3 n = Normalised(d);
    const float u = (std::atan2(n.x, n.z) / (2 * std::numbers::pi_v<float>)+0.5F) * kAcross,
                v = (0.5F - std::asin(std::clamp(n.y, -1.0F, 1.0F)) / std::numbers::pi_v<float>)*kDown;
    return {std::clamp(static_cast<int>(u), 0, static_cast<int>(kAcross) - 1),
            std::clamp(static_cast<int>(v), 0, static_cast<int>(kDown) - 1)};
  }
  std::vector<float> radius_;
};

}  // namespace auforge::datasets::synthetic::internal
