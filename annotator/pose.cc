// Head pose from landmarks: a mean face, the modes by which faces differ (face_shape.h) and a camera are fitted to the points.
// And how far the points are from any picture of a rigid set of 3-D points.
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "annotator/face_quality.h"
#include "annotator/face_shape.h"
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

// The least sum w |p - M P|^2 of any affine camera M over centred points, by the sum of weights; pixels^2.
double AffineError(const features::Landmarks68& landmarks) {
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
  const Eigen::Matrix<double, 2, 3> camera = cross * moment.inverse();
  double error = 0;
  for (const RigidPoint& r : kRigidFace) {
    const Eigen::Vector2d expected = image_mean + camera * (Eigen::Vector3d(r.x, r.y, r.z) - model_mean);
    const Eigen::Vector2d found(landmarks[r.landmark].x, landmarks[r.landmark].y);
    error += r.weight * (found - expected).squaredNorm() / total;
  }
  return error;
}

constexpr double kDistance = 60;     // of the camera from the face, cm: points alone hardly tell it
constexpr double kPointError = 0.2;  // standard deviation of a found point, cm on the face
constexpr int kRounds = 5;
constexpr int kModes = static_cast<int>(kShapeModes);
constexpr int kUnknowns = 6 + kModes;  // rotation 3, logarithm of the scale, shift 2, modes
constexpr int kRows = 2 * static_cast<int>(kShapePoints);
constexpr double kMostTurn = 0.4, kMostMode = 3;  // of a round, radians; of a mode's weight

// A face of the mean shape and its modes before a camera, both fitted to points: Gauss-Newton with the modes' prior N(0, 1)
// (the maximum a posteriori of a morphable model, Blanz and Vetter 1999, from points alone).
class ShapeFit {
 public:
  explicit ShapeFit(const features::Landmarks68& landmarks) : landmarks_(landmarks) {}

  // Whether there was anything to fit; rotation() is then a rotation.
  bool Run() {
    if (!Start()) return false;
    for (int round = 0; round < kRounds; ++round) Improve();
    return rotation_.allFinite();
  }
  // Takes the face to the camera.
  const Eigen::Matrix3d& rotation() const { return rotation_; }

 private:
  static Eigen::Vector3d Vector(const std::array<float, 3>& of) {
    return Eigen::Vector3f(of[0], of[1], of[2]).cast<double>();
  }
  Eigen::Vector2d Found(const ShapePoint& point) const {
    return {static_cast<double>(landmarks_[point.landmark].x), static_cast<double>(landmarks_[point.landmark].y)};
  }

  // The scaled rotation nearest to the affine camera of the mean shape.
  bool Start() {
    Eigen::Vector2d image_mean = Eigen::Vector2d::Zero();
    Eigen::Vector3d model_mean = Eigen::Vector3d::Zero();
    for (const ShapePoint& point : kFaceShape) {
      image_mean += Found(point) / static_cast<double>(kShapePoints);
      model_mean += Vector(point.mean) / static_cast<double>(kShapePoints);
    }
    Eigen::Matrix3d moment = Eigen::Matrix3d::Zero();
    Eigen::Matrix<double, 2, 3> cross = Eigen::Matrix<double, 2, 3>::Zero();
    for (const ShapePoint& point : kFaceShape) {
      const Eigen::Vector3d model = Vector(point.mean) - model_mean;
      moment += model * model.transpose();
      cross += (Found(point) - image_mean) * model.transpose();
    }
    const Eigen::Matrix<double, 2, 3> camera = cross * moment.inverse();
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(camera, Eigen::ComputeThinU | Eigen::ComputeThinV);
    // All points on one line: there is no pose to speak of.
    if (!(svd.singularValues()(1) > 1e-6 * svd.singularValues()(0))) return false;
    const Eigen::Matrix<double, 2, 3> rows = svd.matrixU() * svd.matrixV().transpose();
    rotation_.topRows<2>() = rows;
    rotation_.row(2) = rows.row(0).cross(rows.row(1));
    scale_ = svd.singularValues().mean();
    shift_ = image_mean - scale_ * (rotation_ * model_mean).head<2>();
    return true;
  }

  void Improve() {
    Eigen::Matrix<double, kRows, kUnknowns> slope = Eigen::Matrix<double, kRows, kUnknowns>::Zero();
    Eigen::Matrix<double, kRows, 1> off;
    for (std::size_t i = 0; i < kShapePoints; ++i) {
      const ShapePoint& point = kFaceShape[i];
      const int row = 2 * static_cast<int>(i);
      Eigen::Vector3d model = Vector(point.mean);
      for (int k = 0; k < kModes; ++k) model += modes_(k) * Vector(point.modes[static_cast<std::size_t>(k)]);
      const Eigen::Vector3d view = rotation_ * model;
      const double nearness = 1 / (1 + view.z() / kDistance);
      const auto moved = [&](const Eigen::Vector3d& by) -> Eigen::Vector2d {
        return nearness * (by.head<2>() - view.head<2>() * (nearness * by.z() / kDistance));
      };
      off.segment<2>(row) = (Found(point) - shift_) / scale_ - nearness * view.head<2>();
      for (int k = 0; k < 3; ++k) slope.block<2, 1>(row, k) = moved(Eigen::Vector3d::Unit(k).cross(view));
      slope.block<2, 1>(row, 3) = nearness * view.head<2>();
      slope.block<2, 2>(row, 4).setIdentity();
      for (int k = 0; k < kModes; ++k)
        slope.block<2, 1>(row, 6 + k) = moved(rotation_ * Vector(point.modes[static_cast<std::size_t>(k)]));
    }
    Eigen::Matrix<double, kUnknowns, kUnknowns> normal = slope.transpose() * slope;
    Eigen::Matrix<double, kUnknowns, 1> right = slope.transpose() * off;
    constexpr double kPrior = kPointError * kPointError;
    for (int k = 0; k < kModes; ++k) {
      normal(6 + k, 6 + k) += kPrior;
      right(6 + k) -= kPrior * modes_(k);
    }
    const Eigen::Matrix<double, kUnknowns, 1> step = normal.ldlt().solve(right);
    const Eigen::Vector3d turn = step.head<3>().cwiseMax(-kMostTurn).cwiseMin(kMostTurn);
    if (turn.norm() > 0) rotation_ = Eigen::AngleAxisd(turn.norm(), turn.normalized()) * rotation_;
    shift_ += scale_ * step.segment<2>(4);
    scale_ *= std::exp(std::clamp(step(3), -kMostTurn, kMostTurn));
    modes_ = (modes_ + step.tail<kModes>()).cwiseMax(-kMostMode).cwiseMin(kMostMode);
  }

  const features::Landmarks68& landmarks_;
  Eigen::Matrix3d rotation_ = Eigen::Matrix3d::Identity();
  double scale_ = 1;  // pixels a cm, at the middle between the outer eye corners
  Eigen::Vector2d shift_ = Eigen::Vector2d::Zero();
  Eigen::Matrix<double, kModes, 1> modes_ = Eigen::Matrix<double, kModes, 1>::Zero();
};

}  // namespace

features::HeadPose EstimatePose(const features::Landmarks68& landmarks) {
  ShapeFit fit(landmarks);
  if (!fit.Run()) return {};
  const Eigen::Matrix3d& rows = fit.rotation();
  // R = Ry(yaw) Rx(pitch) Rz(roll) takes the face to the camera; the face looks along -z, its right ear along
  // -x.
  const Eigen::Vector3d gaze = -rows.col(2);
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
  return unit > 0 ? static_cast<float>(std::sqrt(AffineError(landmarks)) / unit) : 1e3F;
}

}  // namespace auforge::annotator
