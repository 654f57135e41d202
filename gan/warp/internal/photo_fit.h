// The face model laid over a photo: where each vertex of the face lies in it, and what the face does.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/face_fit.h"
#include "datasets/synthetic/landmark_points.h"
#include "datasets/synthetic/landmark_pull.h"
#include "gan/warp/internal/seams.h"

namespace auforge::warp::internal {

struct FittedPhoto {
  synthetic::FaceFit fit;               // camera in the photo's pixels
  std::vector<synthetic::Vec3> shape;   // all vertices as photographed
  std::vector<features::Point2> at;     // the same in the photo, brought to the landmarks
  std::vector<features::Point2> residual;  // what was added to the projections for that, pixels
  float pixels_per_cm = 1;              // at the face
};

// Immutable; thread-safe.
class PhotoFitter {
 public:
  PhotoFitter(const synthetic::FaceModel& model, const synthetic::AuShapes& shapes, const Seams& seams);
  // own: intensities 0..5 of the catalogue that the halves of the face are believed to show.
  FittedPhoto Fit(const features::Landmarks68& landmarks, const synthetic::Expression& own) const;

 private:
  void AddResiduals(const features::Landmarks68& landmarks, FittedPhoto& photo) const;

  const synthetic::FaceModel& model_;
  const synthetic::AuShapes& shapes_;
  const Seams& seams_;
  synthetic::FaceFitter fitter_;
  synthetic::LandmarkPuller puller_;
  synthetic::LandmarkPoints points_;
};

// All vertices in the camera's picture, y downwards.
std::vector<features::Point2> ProjectAll(std::span<const synthetic::Vec3> shape, const synthetic::Camera& camera);

}  // namespace auforge::warp::internal
