// Vectors, rotations and the pinhole camera of the synthetic faces. Values only; pure functions.
// Model space: centimetres, x to the image's right when the face looks at us, y up, z towards the viewer.
#pragma once

#include <array>
#include <cmath>

#include "features/types.h"

namespace auforge::datasets::synthetic {

struct Vec3 {
  float x = 0, y = 0, z = 0;
  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
  friend constexpr Vec3 operator*(float s, Vec3 a) { return a * s; }
  constexpr Vec3& operator+=(Vec3 b) { return *this = *this + b; }
  friend constexpr bool operator==(const Vec3&, const Vec3&) = default;
};

constexpr float Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
constexpr Vec3 Cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline float Length(Vec3 a) { return std::sqrt(Dot(a, a)); }
// The zero vector stays zero.
inline Vec3 Normalised(Vec3 a) {
  const float length = Length(a);
  return length > 0 ? a * (1 / length) : a;
}
constexpr Vec3 Mix(Vec3 a, Vec3 b, float t) { return a * (1 - t) + b * t; }
// 0 below low, 1 above high, smooth between; low < high.
constexpr float SmoothStep(float low, float high, float x) {
  const float t = x <= low ? 0 : x >= high ? 1 : (x - low) / (high - low);
  return t * t * (3 - 2 * t);
}

struct Rotation {
  std::array<Vec3, 3> row{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  constexpr Vec3 operator()(Vec3 p) const { return {Dot(row[0], p), Dot(row[1], p), Dot(row[2], p)}; }
  // The rotation back.
  constexpr Vec3 Inverse(Vec3 p) const { return row[0] * p.x + row[1] * p.y + row[2] * p.z; }
};
// view_from_model = Ry(yaw) Rx(-pitch) Rz(-roll), in the signs of features::HeadPose.
Rotation RotationOf(const features::HeadPose& pose);
// The pose whose rotation this is; |pitch| < 90.
features::HeadPose PoseOf(const Rotation& view_from_model);

// A pinhole at the origin of view space that looks along -z. View space: x right, y up, centimetres.
struct Camera {
  Rotation view_from_model;
  Vec3 translation{0, 0, -60};  // of the model's origin, in view space; z < 0
  float focal = 600;            // pixels of the picture, > 0
  features::Point2 centre{128, 128};

  Vec3 View(Vec3 model) const { return view_from_model(model) + translation; }
  // requires: view.z < 0. Picture pixels, y downwards, pixel centres at .5.
  features::Point2 Project(Vec3 view) const {
    const float scale = focal / -view.z;
    return {centre.x + scale * view.x, centre.y - scale * view.y};
  }
  // Where the camera stands, in model space.
  Vec3 Eye() const { return view_from_model.Inverse(translation * -1.0F); }
};

}  // namespace auforge::datasets::synthetic
