// Where the people who marked the training pictures of landmarkers (iBUG 300-W) would put the 68 points on a
// drawn face. Most are points of the skin. Those along the cheeks are points of the outline as it is seen:
// they slide over the skin when the head turns.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

// Vertices of the 68 points on a face seen from the front; right ones on the picture's left.
std::span<const std::int32_t, features::kLandmarkCount> MarkedVertices();

// Immutable; thread-safe.
class LandmarkPoints {
 public:
  explicit LandmarkPoints(const FaceModel& model);
  // shape: all vertices of the model, all in front of the camera. Pixels of the camera's picture.
  features::Landmarks68 Project(std::span<const Vec3> shape, const Camera& camera) const;

 private:
  static constexpr std::size_t kSliding = 5;  // 0..4 on one side, 16..12 on the other
  struct Strip {
    std::size_t landmark = 0;
    features::Point2 outwards;           // x right, y up, unit: across the outline of a frontal face
    std::vector<std::int32_t> vertices;  // from where it lies in a frontal face towards the nose
  };
  std::array<Strip, 2 * kSliding> strips_;
};

}  // namespace auforge::datasets::synthetic
