// Fits the face model to 68 landmarks of a photo: who it is, what the face does, and the camera.
// Method: alternate pose, silhouette matches of the jaw line, and box-constrained ridge regression of the shape weights.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/geometry.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

struct FaceFitOptions {
  int rounds = 7;                 // alternations, 1..50
  float distance = 75;            // of the camera from the head, cm, 30..1000: landmarks alone hardly tell it
  float noise = 0.14F;            // expected error of a landmark, cm, > 0; smaller follows the landmarks more closely
  float expression_spread = 0.3F; // standard deviation expected of expression weights, > 0
  void Validate() const;          // throws std::invalid_argument naming field and value
};

struct FaceFit {
  std::vector<float> identity;    // one per identity shape, -3..3
  std::vector<float> expression;  // one per expression shape, 0..1
  Camera camera;                  // of the photo: projects model space to its pixels
  float residual = 0;             // root mean square distance of the 51 inner landmarks, cm on the face
  // What the shapes cannot do (landmark_pull.h): added to each vertex of the fitted shape, cm; empty: nothing.
  std::vector<Vec3> pull;

  // All vertices, with the fitted expression.
  std::vector<Vec3> Shape(const FaceModel& model) const;
  // Adds the pull to a shape of the model.
  void AddPull(std::vector<Vec3>& shape) const;
};

// Immutable; thread-safe.
class FaceFitter {
 public:
  explicit FaceFitter(const FaceModel& model, const FaceFitOptions& options = {});
  // expected: what the face is believed to do, one weight for each expression shape; the landmarks are explained by as
  // little beside it as they allow. Empty: nothing. Throws std::invalid_argument for another length.
  FaceFit Fit(const features::Landmarks68& landmarks, std::span<const float> expected = {}) const;

 private:
  struct Match {
    std::vector<std::int32_t> vertex;  // of each landmark
  };
  void MatchJaw(const features::Landmarks68& landmarks, const FaceFit& fit, Match& match) const;
  void SolveShape(const features::Landmarks68& landmarks, const Match& match, std::span<const float> expected,
                  FaceFit& fit) const;

  const FaceModel& model_;
  FaceFitOptions options_;
  std::vector<std::size_t> shapes_;                     // expressions that landmarks can tell
  std::vector<std::vector<std::int32_t>> jaw_candidates_;  // skin vertices near each jaw landmark
  std::vector<std::vector<Vec3>> jaw_normals_;          // theirs, on the neutral face
};

// The camera at `distance` that best projects points (model space, cm) onto pixels; its translation is
// along the viewing axis only. weights: of each point. Gauss and Newton, from a frontal start.
Camera FitCamera(const std::vector<Vec3>& points, const std::vector<features::Point2>& pixels,
                 const std::vector<float>& weights, float distance);

}  // namespace auforge::datasets::synthetic
