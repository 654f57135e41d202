#include "datasets/synthetic/landmark_points.h"

#include <cmath>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {
namespace {

// The vertices that lie nearest, in the median, to where dlib's landmarker finds the points on faces of both
// methods (900 made-up people, 45 photos; docs/synthetic-faces.md has what remains on others).
constexpr std::array<std::int32_t, features::kLandmarkCount> kMarkedVertices{
    1642, 1789, 8140, 372,  1901, 763,  1674, 1445, 965,  3659, 3881, 3004, 4101, 2613, 7413, 3992, 3851,
    269,  493,  309,  2042, 2008, 4208, 4238, 2550, 2734, 2510, 978,  4527, 4942, 4857, 4584, 2076, 4558,
    4270, 5049, 2243, 1540, 1536, 672,  575,  581,  2913, 3750, 3754, 4434, 2822, 2816, 5681, 5662, 2081,
    5525, 4275, 6167, 6186, 6357, 6508, 5518, 6004, 5852, 5596, 6038, 5526, 6542, 6101, 6512, 5515, 6008,
};

constexpr float kStripWidth = 0.2F;   // cm to either side
constexpr float kStripLength = 4.0F;  // cm

}  // namespace

std::span<const std::int32_t, features::kLandmarkCount> MarkedVertices() { return kMarkedVertices; }

LandmarkPoints::LandmarkPoints(const FaceModel& model) {
  const std::span<const std::int32_t, features::kLandmarkCount> line = LandmarkVertices();
  const auto at = [&](std::int32_t v) { return model.neutral[static_cast<std::size_t>(v)]; };
  for (std::size_t s = 0; s < strips_.size(); ++s) {
    Strip& strip = strips_[s];
    strip.landmark = s < kSliding ? s : 16 - (s - kSliding);
    const std::size_t before = strip.landmark > 0 ? strip.landmark - 1 : 0,
                      after = std::min<std::size_t>(16, strip.landmark + 1);
    const Vec3 tangent = at(line[after]) - at(line[before]);
    const float length = std::hypot(tangent.x, tangent.y);
    strip.outwards = {tangent.y / length, -tangent.x / length};
    const Vec3 own = at(line[strip.landmark]);
    if (strip.outwards.x * own.x < 0) strip.outwards = {-strip.outwards.x, -strip.outwards.y};
    const Vec3 start = at(kMarkedVertices[strip.landmark]);
    strip.vertices.push_back(kMarkedVertices[strip.landmark]);
    for (std::int32_t v = 0; v < internal::kFaceEnd; ++v) {
      const Vec3 d = at(v) - start;
      const float aside = d.x * strip.outwards.y - d.y * strip.outwards.x;
      if (d.z > 0 && std::abs(aside) < kStripWidth && Length(d) < kStripLength) strip.vertices.push_back(v);
    }
  }
}

features::Landmarks68 LandmarkPoints::Project(std::span<const Vec3> shape, const Camera& camera) const {
  const auto place = [&](std::int32_t v) {
    return camera.Project(camera.View(shape[static_cast<std::size_t>(v)]));
  };
  features::Landmarks68 points;
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = place(kMarkedVertices[i]);
  const features::Point2 right = features::Midpoint(points[36], points[39]),
                         left = features::Midpoint(points[42], points[45]);
  const float dx = left.x - right.x, dy = left.y - right.y, eyes = std::hypot(dx, dy);
  if (eyes <= 0) return points;
  const float c = dx / eyes, s = dy / eyes;
  for (const Strip& strip : strips_) {
    // The picture's y runs downwards.
    const features::Point2 outwards{c * strip.outwards.x + s * strip.outwards.y,
                                    s * strip.outwards.x - c * strip.outwards.y};
    float farthest = -1e30F;
    for (const std::int32_t v : strip.vertices) {
      const features::Point2 p = place(v);
      const float reach = p.x * outwards.x + p.y * outwards.y;
      if (reach <= farthest) continue;
      farthest = reach;
      points[strip.landmark] = p;
    }
  }
  return points;
}

}  // namespace auforge::datasets::synthetic
