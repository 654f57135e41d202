#include "datasets/synthetic/internal/face_outline.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic::internal {
namespace {

constexpr Vec3 kMiddle{0, 0.5F, 0};  // the axis through it runs from the nose backwards

}  // namespace

FaceOutline::FaceOutline(const FaceModel& model) : sections_(kPoints) {
  for (int s = 0; s < kPoints; ++s) {
    const float angle = 2 * std::numbers::pi_v<float> * static_cast<float>(s) / kPoints;
    sections_[static_cast<std::size_t>(s)].outwards = {std::cos(angle), std::sin(angle), 0};
  }
  for (const FaceTriangle& t : model.triangles) {
    if (*std::max_element(t.vertex.begin(), t.vertex.end()) >= kNarrowFaceEnd) continue;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int32_t a = t.vertex[k], b = t.vertex[(k + 1) % 3];
      const Vec3 from = model.neutral[static_cast<std::size_t>(a)] - kMiddle;
      const Vec3 to = model.neutral[static_cast<std::size_t>(b)] - kMiddle;
      for (Section& section : sections_) {
        const float da = from.x * section.outwards.y - from.y * section.outwards.x;
        const float db = to.x * section.outwards.y - to.y * section.outwards.x;
        if ((da <= 0) == (db <= 0)) continue;
        const float at = da / (da - db);
        if (Dot(Mix(from, to, at), section.outwards) > 2) section.points.push_back({{a, b, b}, {1 - at, at, 0}});
      }
    }
  }
}

std::vector<features::Point2> FaceOutline::Trace(std::span<const Vec3> shape, const Camera& camera) const {
  std::vector<features::Point2> outline;
  for (const Section& section : sections_) {
    // The head's own roll is the picture's; its turn and nod are not.
    const Vec3 across = camera.view_from_model(section.outwards);
    features::Point2 best;
    float farthest = -1e30F;
    for (const MeshPoint& point : section.points) {
      const features::Point2 p = camera.Project(camera.View(point.On(shape)));
      const float reach = p.x * across.x - p.y * across.y;
      if (reach <= farthest) continue;
      farthest = reach;
      best = p;
    }
    outline.push_back(best);
  }
  return outline;
}

}  // namespace auforge::datasets::synthetic::internal
