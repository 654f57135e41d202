// How much of a face, and of each AU's region, can be seen: turned away, hidden behind itself, covered, cut
// off by the frame.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {

struct Visibility {
  float face = 1;         // 0..1, of the skin from brow to chin and from cheek to cheek
  std::vector<float> au;  // per AU of the catalogue: of the skin that its shapes move
};

// Immutable; thread-safe.
class VisibilityMeter {
 public:
  explicit VisibilityMeter(const FaceModel& model);
  // shape, normals: of all vertices, model space. samples: drawn with the same camera, samples_per_pixel each
  // way.
  Visibility Measure(std::span<const Vec3> shape, std::span<const Vec3> normals, const Camera& camera,
                     const VisibilityBuffer& samples, int samples_per_pixel) const;

 private:
  std::vector<std::int32_t> vertices_;  // those with a weight
  std::vector<float> face_weight_;      // each
  std::vector<float> au_weight_;        // vertices x A
};

// Which points of the skin can be seen: inside the picture and nothing in front of them at most of the samples around
// them. points: model space, drawn with the camera into `samples`; seen: one for each, overwritten. Points of an
// outline count as seen: their skin stands edge-on.
void PointsSeen(std::span<const Vec3> points, const Camera& camera, const VisibilityBuffer& samples,
                int samples_per_pixel, std::span<bool> seen);

}  // namespace auforge::datasets::synthetic
