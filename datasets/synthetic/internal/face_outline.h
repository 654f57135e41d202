// The outline of the face as a camera sees it, in points that stand for each other on different shapes and from
// different sides: what lies outside it in a photo lies outside it in a picture that is drawn from the photo.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/landmark_points.h"

namespace auforge::datasets::synthetic::internal {

// Immutable; thread-safe.
class FaceOutline {
 public:
  static constexpr int kPoints = 72;  // one every 5 degrees round the middle of the face
  explicit FaceOutline(const FaceModel& model);
  // shape: all vertices of the model, in front of the camera. kPoints in pixels of the camera's picture.
  std::vector<features::Point2> Trace(std::span<const Vec3> shape, const Camera& camera) const;

 private:
  struct Section {
    Vec3 outwards;                  // model space, unit, z = 0
    std::vector<MeshPoint> points;  // where a half plane round the face's axis cuts its skin
  };
  std::vector<Section> sections_;
};

}  // namespace auforge::datasets::synthetic::internal
