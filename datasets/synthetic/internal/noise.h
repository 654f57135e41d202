// Value noise over space: cheap, smooth, repeatable.
#pragma once

#include <cmath>
#include <cstdint>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/internal/face_shader.h"

namespace auforge::datasets::synthetic::internal {

inline std::uint32_t HashCell(std::int32_t x, std::int32_t y, std::int32_t z, std::uint32_t seed) {
  return Hash(static_cast<std::uint32_t>(x) * 0x8DA6B343U ^ static_cast<std::uint32_t>(y) * 0xD8163841U ^
              static_cast<std::uint32_t>(z) * 0xCB1AB31FU ^ seed);
}

// -1..1, features about 1 unit large.
inline float Noise(Vec3 p, std::uint32_t seed) {
  const float fx = std::floor(p.x), fy = std::floor(p.y), fz = std::floor(p.z);
  const auto x = static_cast<std::int32_t>(fx), y = static_cast<std::int32_t>(fy), z = static_cast<std::int32_t>(fz);
  const auto smooth = [](float t) { return t * t * (3 - 2 * t); };
  const float tx = smooth(p.x - fx), ty = smooth(p.y - fy), tz = smooth(p.z - fz);
  const auto corner = [&](int dx, int dy, int dz) {
    return static_cast<float>(HashCell(x + dx, y + dy, z + dz, seed) >> 8) * 0x1p-23F - 1;
  };
  const auto mix = [](float a, float b, float t) { return a + (b - a) * t; };
  return mix(mix(mix(corner(0, 0, 0), corner(1, 0, 0), tx), mix(corner(0, 1, 0), corner(1, 1, 0), tx), ty),
             mix(mix(corner(0, 0, 1), corner(1, 0, 1), tx), mix(corner(0, 1, 1), corner(1, 1, 1), tx), ty), tz);
}

// Several octaves, about -1..1.
inline float Turbulence(Vec3 p, int octaves, std::uint32_t seed) {
  float sum = 0, weight = 0.6F;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * Noise(p, seed + static_cast<std::uint32_t>(i) * 101);
    p = p * 2.03F;
    weight *= 0.55F;
  }
  return sum;
}

}  // namespace auforge::datasets::synthetic::internal
