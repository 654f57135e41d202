// What a fitted face model leaves over: its shapes hold the average of a few hundred heads, and no photo's
// landmarks lie quite where a mixture of them puts them. The rest is spread over the mesh as a smooth field, so that
// what the photo shows and where the mesh says it is agree.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/landmark_points.h"

namespace auforge::datasets::synthetic {

// The field is the mean of a Gaussian process (Rasmussen & Williams 2006, eq. 2.25) given what the landmarks say.
struct PullOptions {
  float reach = 1.4F;       // cm along which the field changes, > 0
  float spread = 0.2F;      // cm expected of it, > 0
  float noise = 0.05F;      // cm, expected error of a landmark, > 0; smaller follows them more closely
  float jaw_noise = 0.10F;  // of one on the jaw line, > 0
  float limit = 0.8F;       // cm; a landmark that is off by more counts as off by this, > 0
  void Validate() const;    // throws std::invalid_argument naming field and value
};

// Immutable; thread-safe.
class LandmarkPuller {
 public:
  // model: must outlive the puller.
  explicit LandmarkPuller(const FaceModel& model, const PullOptions& options = {});
  // shape: all vertices as fitted, with the expression, in front of the camera. landmarks: in the camera's pixels.
  // A displacement of every vertex, cm, across the viewing direction only. Lids move as one, so that they still
  // close, and so do the inner lips; eyes and teeth are shifted whole.
  std::vector<Vec3> Pull(std::span<const Vec3> shape, const Camera& camera,
                         const features::Landmarks68& landmarks) const;

 private:
  const FaceModel& model_;
  PullOptions options_;
  LandmarkPoints points_;
};

}  // namespace auforge::datasets::synthetic
