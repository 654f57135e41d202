#include "datasets/synthetic/geometry.h"

#include <algorithm>
#include <numbers>

namespace auforge::datasets::synthetic {
namespace {

constexpr float kDegree = std::numbers::pi_v<float> / 180;

Rotation Multiply(const Rotation& a, const Rotation& b) {
  Rotation c;
  for (std::size_t i = 0; i < 3; ++i) c.row[i] = b.Inverse(a.row[i]);
  return c;
}

}  // namespace

Rotation RotationOf(const features::HeadPose& pose) {
  const float cy = std::cos(pose.yaw * kDegree), sy = std::sin(pose.yaw * kDegree);
  const float cp = std::cos(pose.pitch * kDegree), sp = -std::sin(pose.pitch * kDegree);
  const float cr = std::cos(pose.roll * kDegree), sr = -std::sin(pose.roll * kDegree);
  const Rotation yaw{{{{cy, 0, sy}, {0, 1, 0}, {-sy, 0, cy}}}};
  const Rotation pitch{{{{1, 0, 0}, {0, cp, -sp}, {0, sp, cp}}}};
  const Rotation roll{{{{cr, -sr, 0}, {sr, cr, 0}, {0, 0, 1}}}};
  return Multiply(Multiply(yaw, pitch), roll);
}

features::HeadPose PoseOf(const Rotation& r) {
  // Third column: (sin yaw cos p, -sin p, cos yaw cos p); second row: cos p (sin r, cos r), with p = -pitch,
  // r = -roll.
  return {std::atan2(r.row[0].z, r.row[2].z) / kDegree,
          std::asin(std::clamp(r.row[1].z, -1.0F, 1.0F)) / kDegree,
          -std::atan2(r.row[1].x, r.row[1].y) / kDegree};
}

}  // namespace auforge::datasets::synthetic
