// The dense points of features/dense_points.h on a drawn face: exact where the mesh has the edge (lids, irises), along a
// smooth line through the exact landmarks where it has none (lips).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "features/dense_points.h"

namespace auforge::datasets::synthetic {

// Immutable; thread-safe.
class DenseFacePoints {
 public:
  explicit DenseFacePoints(const FaceModel& model);
  // In model space. shape: all vertices; landmarks: the 68 points on it; iris_angle: EyeLook's, degrees.
  std::array<Vec3, features::kDenseCount> Place(std::span<const Vec3> shape, std::span<const Vec3, features::kLandmarkCount> landmarks,
                                                float iris_angle) const;

 private:
  struct Eye {
    std::vector<std::int32_t> upper, lower;  // the lids' edges, from the outer corner to the inner
    std::vector<std::int32_t> pupil;         // vertices round it
    std::int32_t ball_begin = 0, ball_end = 0;
    float outwards = 1;                      // sign of x
  };
  std::array<Eye, 2> eyes_;  // the subject's right one, the left one
};

}  // namespace auforge::datasets::synthetic
