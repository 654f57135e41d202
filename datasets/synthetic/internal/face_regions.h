// Where on the neutral face things grow and lie: hairline, brows, beard, lips, lids. Points are places on the
// model's neutral face, cm. Pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "datasets/synthetic/face_model.h"

namespace auforge::datasets::synthetic::internal {

// Piecewise linear through (x, y) knots of rising x.
template <std::size_t N>
float AlongKnots(const std::array<std::array<float, 2>, N>& knots, float x) {
  if (x <= knots.front()[0]) return knots.front()[1];
  for (std::size_t i = 1; i < N; ++i) {
    if (x < knots[i][0]) {
      const float t = (x - knots[i - 1][0]) / (knots[i][0] - knots[i - 1][0]);
      return knots[i - 1][1] + t * (knots[i][1] - knots[i - 1][1]);
    }
  }
  return knots.back()[1];
}

// Degrees round the vertical axis through the ears: 0 ahead, 90 either ear, 180 behind.
inline float Azimuth(Vec3 p) { return std::atan2(std::abs(p.x), p.z) * 180 / std::numbers::pi_v<float>; }

// Height of the hairline, cm, over the azimuth.
inline constexpr std::array<std::array<float, 2>, 17> kHairline{{{0, 10.7F},
                                                                 {18, 10.8F},
                                                                 {32, 10.5F},
                                                                 {42, 9.6F},
                                                                 {50, 8.2F},
                                                                 {56, 6.8F},
                                                                 {61, 5.2F},
                                                                 {65, 3.2F},
                                                                 {69, 1.2F},
                                                                 {77, 0.6F},
                                                                 {83, 3.2F},
                                                                 {92, 4.1F},
                                                                 {106, 4.0F},
                                                                 {116, 1.5F},
                                                                 {124, -1.5F},
                                                                 {140, -4.8F},
                                                                 {180, -6.2F}}};

// Signed distance to the hairline, about cm; > 0 where hair grows.
inline float ScalpDistance(Vec3 p) {
  constexpr float kArc = 8 * std::numbers::pi_v<float> / 180;  // cm a degree
  const float azimuth = Azimuth(p);
  float nearest = 1e9F;
  for (std::size_t i = 1; i < kHairline.size(); ++i) {
    const float ax = kHairline[i - 1][0] * kArc, ay = kHairline[i - 1][1], bx = kHairline[i][0] * kArc,
                by = kHairline[i][1];
    const float ux = bx - ax, uy = by - ay, qx = azimuth * kArc - ax, qy = p.y - ay;
    const float t = std::clamp((ux * qx + uy * qy) / (ux * ux + uy * uy), 0.0F, 1.0F);
    nearest = std::min(nearest, std::hypot(qx - t * ux, qy - t * uy));
  }
  return p.y > AlongKnots(kHairline, azimuth) ? nearest : -nearest;
}
// How far a receding hairline moves here, share of its recession: the temples go first, the sides stay.
inline float Recedes(Vec3 p) {
  const float azimuth = Azimuth(p);
  return (1 + 0.45F * SmoothStep(12, 36, azimuth)) * (1 - SmoothStep(44, 62, azimuth)) *
         SmoothStep(4, 8, p.y);
}

// 1 on the ears.
inline float OnEar(Vec3 p) {
  return SmoothStep(7.45F, 7.8F, std::abs(p.x)) * SmoothStep(-3.4F, -2.6F, p.y) *
         (1 - SmoothStep(3.2F, 3.9F, p.y)) * (1 - SmoothStep(1.0F, 1.6F, p.z));
}

// Where beards grow, 0..1.
struct BeardZones {
  float moustache, chin, cheeks, neck;
  float Any() const { return std::max({moustache, chin, cheeks, neck}); }
};
inline BeardZones BeardAt(Vec3 p) {
  const float x = std::abs(p.x);
  BeardZones zones{};
  if (p.y > 1.8F || p.y < -12) return zones;
  // Off the lips: the red of the lips is an almond about 2.5 cm to either side.
  const float lip_half = 0.98F * std::sqrt(std::max(0.0F, 1 - (x / 2.75F) * (x / 2.75F)));
  const float off_lips =
      SmoothStep(0.0F, 0.22F, std::abs(p.y + 3.42F) - lip_half + (x > 2.75F ? 1.0F : 0.0F));
  const float front = SmoothStep(5, 8, p.z);
  zones.moustache = SmoothStep(-3.9F, -3.2F, p.y + 0.25F * std::max(0.0F, x - 2.2F)) *
                    (1 - SmoothStep(-1.75F, -1.25F, p.y + 0.42F * x)) * (1 - SmoothStep(2.6F, 3.4F, x)) *
                    off_lips * front;
  zones.chin = (1 - SmoothStep(2.4F, 3.3F, x)) * (1 - SmoothStep(-4.9F, -4.3F, p.y + 0.12F * x)) *
               SmoothStep(-9.5F, -8.3F, p.y) * off_lips * SmoothStep(3, 6, p.z);
  // From the sideburns' end to the corner of the mouth.
  constexpr std::array<std::array<float, 2>, 5> kCheekLine{
      {{2.2F, -4.6F}, {3.2F, -3.5F}, {4.8F, -2.6F}, {6.2F, -1.2F}, {7.1F, 1.2F}}};
  const float edge = AlongKnots(kCheekLine, x);
  const float before_ear = SmoothStep(1.0F, 2.2F, p.z + 0.45F * std::max(0.0F, -2 - p.y));
  zones.cheeks = (1 - SmoothStep(edge - 0.9F, edge + 0.3F, p.y)) * SmoothStep(-8.6F, -7.4F, p.y) * off_lips *
                 before_ear * SmoothStep(1.6F, 2.6F, x);
  zones.neck = (1 - SmoothStep(-7.4F, -6.6F, p.y)) * SmoothStep(-10.5F, -8.5F, p.y) *
               SmoothStep(2.0F, 4.5F, p.z) * 0.7F;
  return zones;
}

// A place on a brow: along 0 (inner end) .. 1 (tail), across in cm from its middle line, up positive.
struct BrowPlace {
  float along = -1, across = 0;
};
// Height of its middle line, cm; x: from the middle of the face. arch 0..1.
inline float BrowHeight(float x, float arch, float offset) {
  const std::array<std::array<float, 2>, 6> line{{{1.15F, 5.48F},
                                                  {1.9F, 5.66F},
                                                  {2.8F, 5.82F + 0.10F * arch},
                                                  {3.9F, 5.86F + 0.24F * arch},
                                                  {4.9F, 5.66F + 0.12F * arch},
                                                  {5.7F, 5.14F}}};
  return offset + AlongKnots(line, std::abs(x));
}
inline BrowPlace BrowAt(Vec3 p, float arch, float offset) {
  const float x = std::abs(p.x);
  if (p.z < 5 || x < 0.3F || x > 6.9F || p.y < 3.5F || p.y > 8.2F) return {};
  return {(x - 1.15F) / 4.5F, p.y - BrowHeight(x, arch, offset)};
}

}  // namespace auforge::datasets::synthetic::internal
