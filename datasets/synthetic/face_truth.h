// Everything exact about a picture whose face has just been drawn; both methods end with it.
#pragma once

#include <cstdint>
#include <span>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/dense_points.h"
#include "datasets/synthetic/face_generator.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/landmark_points.h"
#include "datasets/synthetic/visibility.h"

namespace auforge::datasets::synthetic {

// What was drawn. Refers to the caller's.
struct DrawnFace {
  std::span<const Vec3> neutral, shape;  // all vertices, without and with the expression
  const Camera& camera;
  const Expression& expression;
  const Light& light;
  std::uint32_t occluders;
  const RenderScratch& scratch;  // as the renderer left it
  float iris_angle;              // EyeLook's, degrees
  BrowLift brow_lift{};
};

// Immutable; thread-safe.
class FaceTruth {
 public:
  explicit FaceTruth(const FaceModel& model);
  // Fills in all of `face` but image, identity and source_key.
  void Complete(const DrawnFace& drawn, SyntheticFace& face) const;

 private:
  AuShapes au_shapes_;
  LandmarkPoints landmark_points_;
  DenseFacePoints dense_points_;
  VisibilityMeter visibility_;
};

}  // namespace auforge::datasets::synthetic
