#include "gan/warp/internal/photo_fit.h"

#include <array>
#include <cmath>
#include <opencv2/core.hpp>

#include "features/au_schema.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::Vec3;

// Landmarks whose points lie on one side of an opening.
struct Side {
  const Seam* seam;
  bool is_upper;
  std::vector<std::size_t> landmarks;
};

constexpr float kReach = 0.7F, kSpread = 0.15F, kNoise = 0.03F;  // cm, as PullOptions

}  // namespace

std::vector<Point2> ProjectAll(std::span<const Vec3> shape, const synthetic::Camera& camera) {
  std::vector<Point2> at;
  at.reserve(shape.size());
  for (const Vec3& p : shape) at.push_back(camera.Project(camera.View(p)));
  return at;
}

PhotoFitter::PhotoFitter(const synthetic::FaceModel& model, const synthetic::AuShapes& shapes, const Seams& seams)
    : model_(model), shapes_(shapes), seams_(seams), fitter_(model), puller_(model), points_(model) {}

FittedPhoto PhotoFitter::Fit(const features::Landmarks68& landmarks, const synthetic::Expression& own) const {
  FittedPhoto photo;
  photo.fit = fitter_.Fit(landmarks, shapes_.Weights(own, 1));
  photo.fit.pull = puller_.Pull(photo.fit.Shape(model_), photo.fit.camera, landmarks);
  photo.shape = photo.fit.Shape(model_);
  photo.at = ProjectAll(photo.shape, photo.fit.camera);
  photo.pixels_per_cm = photo.fit.camera.focal / -photo.fit.camera.View(photo.shape[static_cast<std::size_t>(synthetic::LandmarkVertices()[27])]).z;
  AddResiduals(landmarks, photo);
  return photo;
}

void PhotoFitter::AddResiduals(const features::Landmarks68& landmarks, FittedPhoto& photo) const {
  photo.residual.assign(photo.at.size(), {});
  const auto points = points_.Locate(photo.shape, photo.fit.camera);
  const std::array<Side, 6> sides{{{&seams_.mouth, true, {48, 49, 50, 51, 52, 53, 54, 60, 61, 62, 63, 64}},
                                   {&seams_.mouth, false, {48, 54, 55, 56, 57, 58, 59, 60, 64, 65, 66, 67}},
                                   {&seams_.eyes[0], true, {36, 37, 38, 39}},
                                   {&seams_.eyes[0], false, {36, 39, 40, 41}},
                                   {&seams_.eyes[1], true, {42, 43, 44, 45}},
                                   {&seams_.eyes[1], false, {42, 45, 46, 47}}}};
  const auto kernel = [](Vec3 a, Vec3 b) {
    const float d = Length(a - b) / kReach;
    return kSpread * kSpread * std::exp(-0.5F * d * d);
  };
  for (const Side& side : sides) {
    const int n = static_cast<int>(side.landmarks.size());
    std::vector<Vec3> places;
    cv::Mat covariance(n, n, CV_64F), said(n, 2, CV_64F), weights;
    for (int i = 0; i < n; ++i) {
      const std::size_t landmark = side.landmarks[static_cast<std::size_t>(i)];
      const synthetic::MeshPoint& point = points[landmark];
      places.push_back(point.On(model_.neutral));
      const Point2 p = photo.fit.camera.Project(photo.fit.camera.View(point.On(photo.shape)));
      said.at<double>(i, 0) = landmarks[landmark].x - p.x;
      said.at<double>(i, 1) = landmarks[landmark].y - p.y;
    }
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) covariance.at<double>(i, j) = kernel(places[static_cast<std::size_t>(i)], places[static_cast<std::size_t>(j)]);
      covariance.at<double>(i, i) += kNoise * kNoise;
    }
    cv::solve(covariance, said, weights, cv::DECOMP_CHOLESKY);
    for (const Seam::NearVertex& near : side.seam->near) {
      if (near.is_upper != side.is_upper) continue;
      Point2& r = photo.residual[static_cast<std::size_t>(near.vertex)];
      for (int i = 0; i < n; ++i) {
        const float k = kernel(model_.neutral[static_cast<std::size_t>(near.vertex)], places[static_cast<std::size_t>(i)]);
        r.x += k * static_cast<float>(weights.at<double>(i, 0));
        r.y += k * static_cast<float>(weights.at<double>(i, 1));
      }
    }
  }
  for (std::size_t v = 0; v < photo.at.size(); ++v) photo.at[v] = {photo.at[v].x + photo.residual[v].x, photo.at[v].y + photo.residual[v].y};
}

}  // namespace auforge::warp::internal
