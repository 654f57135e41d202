// Light as second-order spherical harmonics of irradiance (Ramamoorthi & Hanrahan, SIGGRAPH 2001) and a few
// lamps. Colours are BGR in linear light; directions are in view space (x right, y up, z to the camera). Pure
// functions.
#pragma once

#include <array>
#include <vector>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic {

// Radiosity of a white surface with normal n: sum of c[i] * H_i(n),
// H = 1, y, z, x, xy, yz, 3z² - 1, xz, x² - y².
using ShLight = std::array<Vec3, 9>;

Vec3 Irradiance(const ShLight& light, Vec3 normal);
// Adds max(0, n·d) * colour, projected to second order. direction: unit, towards the lamp.
void AddLamp(ShLight& light, Vec3 direction, Vec3 colour);

struct Lamp {
  Vec3 direction;         // unit, towards the lamp
  Vec3 colour;            // radiosity of a white surface that faces it
  float softness = 0.5F;  // 0 hard edge of its shadow, 1 soft
  bool casts_shadow = true;
};

struct Light {
  ShLight ambient{};
  std::vector<Lamp> lamps;
  // Everything together, as harmonics: what is written down as the picture's light.
  ShLight Total() const;
};

// Random light: daylight, rooms, one-sided, from above, coloured, flat; exposure such that a white surface
// that faces the camera gets about 1.
Light SampleLight(Random& random);

}  // namespace auforge::datasets::synthetic
