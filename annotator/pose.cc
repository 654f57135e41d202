// Head pose from landmarks: the affine camera that best maps a rigid set of 3-D facial points to the picture,
// and the scaled rotation nearest to it.
#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "annotator/face_quality.h"
#include "annotator/landmarker.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

struct RigidPoint {
  std::size_t landmark;
  double x, y,
      z;          // cm from the middle between the outer eye corners; x right, y down, z away from the camera
  double weight;  // how little it moves with expression
};

// An average adult face in round figures (anthropometric means: biocular width 8.8, intercanthal 3.4,
// mouth 5.2 cm).
constexpr std::array<RigidPoint, 16> kRigidFace = {{
    {36, -4.4, 0.0, 0.0, 1.0},
    {39, -1.7, 0.1, -0.6, 1.0},
    {42, 1.7, 0.1, -0.6, 1.0},
    {45, 4.4, 0.0, 0.0, 1.0},
    {27, 0.0, -0.3, -2.1, 1.0},
    {28, 0.0, 0.8, -2.9, 1.0},
    {29, 0.0, 1.8, -3.7, 1.0},
    {30, 0.0, 3.0, -4.4, 1.0},
    {31, -1.3, 4.5, -2.3, 1.0},
    {32, -0.6, 4.6, -2.8, 1.0},
    {33, 0.0, 4.7, -3.0, 1.0},
    {34, 0.6, 4.6, -2.8, 1.0},
    {35, 1.3, 4.5, -2.3, 1.0},
    {48, -2.6, 6.9, -1.6, 0.3},
    {54, 2.6, 6.9, -1.6, 0.3},
    {8, 0.0, 11.0, -1.8, 0.15},
}};

struct AffineFit {
  Eigen::Matrix<double, 2, 3> camera;  // the M minimising sum w |p - M P|^2 over centred points
  double mean_square_error = 0;        // that sum over the sum of weights, pixels^2
};

AffineFit FitAffineCamera(const features::Landmarks68& landmarks) {
  Eigen::Vector2d image_mean = Eigen::Vector2d::Zero();
  Eigen::Vector3d model_mean = Eigen::Vector3d::Zero();
  double total = 0;
  for (const RigidPoint& r : kRigidFace) {
    image_mean += r.weight * Eigen::Vector2d(landmarks[r.landmark].x, landmarks[r.landmark].y);
    model_mean += r.weight * Eigen::Vector3d(r.x, r.y, r.z);
    total += r.weight;
  }
  image_mean /= total;
  model_mean /= total;
  Eigen::Matrix3d moment = Eigen::Matrix3d::Zero();
  Eigen::Matrix<double, 2, 3> cross = Eigen::Matrix<double, 2, 3>::Zero();
  for (const RigidPoint& r : kRigidFace) {
    const Eigen::Vector3d model = Eigen::Vector3d(r.x, r.y, r.z) - model_mean;
    const Eigen::Vector2d image =
        Eigen::Vector2d(landmarks[r.landmark].x, landmarks[r.landmark].y) - image_mean;
    moment += r.weight * model * model.transpose();
    cross += r.weight * image * model.transpose();
  }
  AffineFit fit;
  fit.camera = cross * moment.inverse();
  for (const RigidPoint& r : kRigidFace) {
    const Eigen::Vector2d expected = image_mean + fit.camera * (Eigen::Vector3d(r.x, r.y, r.z) - model_mean);
    const Eigen::Vector2d found(landmarks[r.landmark].x, landmarks[r.landmark].y);
    fit.mean_square_error += r.weight * (found - expected).squaredNorm() / total;
  }
  return fit;
}

}  // namespace

features::HeadPose EstimatePose(const features::Landmarks68& landmarks) {
  const Eigen::Matrix<double, 2, 3> camera = FitAffineCamera(landmarks).camera;
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(camera, Eigen::ComputeThinU | Eigen::ComputeThinV);
  if (!(svd.singularValues()(1) > 0)) return {};  // all landmarks on one line: there is no pose to speak of
  const Eigen::Matrix<double, 2, 3> rows = svd.matrixU() * svd.matrixV().transpose();
  const Eigen::Vector3d depth = rows.row(0).transpose().cross(rows.row(1).transpose());
  // R = Ry(yaw) Rx(pitch) Rz(roll) takes the face to the camera; the face looks along -z, its right ear along
  // -x.
  const Eigen::Vector3d gaze(-rows(0, 2), -rows(1, 2), -depth.z());
  constexpr double kDegrees = 180 / std::numbers::pi;
  const double yaw = std::atan2(gaze.x(), -gaze.z());
  const double pitch = std::atan2(-gaze.y(), std::hypot(gaze.x(), gaze.z()));
  // Undo yaw and pitch: what is left of the second row of R is cos(pitch) (sin roll, cos roll).
  const double roll = std::atan2(rows(1, 0), rows(1, 1));
  return {static_cast<float>(yaw * kDegrees), static_cast<float>(pitch * kDegrees),
          static_cast<float>(roll * kDegrees)};
}

float LandmarkMisfit(const features::Landmarks68& landmarks) {
  const double unit = features::InterOcularDistance(landmarks);
  return unit > 0 ? static_cast<float>(std::sqrt(FitAffineCamera(landmarks).mean_square_error) / unit) : 1e3F;
}

}  // namespace auforge::annotator
