// Where the people who marked the training pictures of landmarkers (iBUG 300-W) would put the 68 points on a
// drawn face. Most are points of the skin. Those along the cheeks are points of the outline as it is seen:
// they slide over the skin when the head turns. Those of the brows lie on the brow's hair, wherever it grows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

// A point of the mesh: the weighted mean of three of its vertices. Weights sum to 1.
struct MeshPoint {
  std::array<std::int32_t, 3> vertex{};
  std::array<float, 3> weight{1, 0, 0};

  Vec3 On(std::span<const Vec3> shape) const {
    const auto at = [&](std::size_t k) { return shape[static_cast<std::size_t>(vertex[k])] * weight[k]; };
    return at(0) + at(1) + at(2);
  }
};

// The 68 points on a face seen from the front; right ones on the picture's left.
std::span<const MeshPoint, features::kLandmarkCount> MarkedPoints();

// How far up brow hair grows from where it grows on most faces, cm, at landmarks 17 to 26.
using BrowLift = std::array<float, 10>;

// Immutable; thread-safe.
class LandmarkPoints {
 public:
  explicit LandmarkPoints(const FaceModel& model);
  // Where the points lie on a face as the camera sees it. shape: all vertices of the model, in front of the camera.
  std::array<MeshPoint, features::kLandmarkCount> Locate(std::span<const Vec3> shape, const Camera& camera) const;
  // The same as points of the model's space, with the brows lifted.
  std::array<Vec3, features::kLandmarkCount> Place(std::span<const Vec3> shape, const Camera& camera,
                                                   const BrowLift& lift = {}) const;
  // The same in pixels of the camera's picture.
  features::Landmarks68 Project(std::span<const Vec3> shape, const Camera& camera, const BrowLift& lift = {}) const;

 private:
  static constexpr std::size_t kSliding = 5;  // 0..4 on one side, 16..12 on the other
  // A section of the skin by a plane that stands upright on the outline.
  struct Section {
    std::size_t landmark = 0;
    features::Point2 outwards;      // x right, y up, unit: across the outline of a frontal face
    std::vector<MeshPoint> points;  // where the plane cuts edges of the mesh
  };
  std::array<Section, 2 * kSliding> sections_;
};

}  // namespace auforge::datasets::synthetic
