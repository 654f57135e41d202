#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "annotator/face_quality.h"
#include "annotator/face_shape.h"
#include "annotator/landmarker.h"
#include "features/align.h"
#include "tests/support/faces.h"

namespace auforge::annotator {
namespace {

TEST(Pose, AFrontalFaceLooksAhead) {
  const features::HeadPose pose = EstimatePose(tests::NeutralFace());
  EXPECT_NEAR(pose.yaw, 0, 2);
  EXPECT_NEAR(pose.roll, 0, 1);
  EXPECT_NEAR(pose.pitch, 0, 15);
}

TEST(Pose, RollIsTheTurnInThePicture) {
  const float angle = 20 * 3.14159265F / 180;
  const features::Similarity turn{std::cos(angle), std::sin(angle), 40, 0};
  EXPECT_NEAR(EstimatePose(features::Transform(turn, tests::NeutralFace())).roll, 20, 1.5);
}

TEST(Pose, MirroringTurnsYawAround) {
  features::Landmarks68 face = tests::NeutralFace();
  for (std::size_t i = 27; i <= 35; ++i) face[i].x += 8;  // the nose points to the image's right
  const features::HeadPose pose = EstimatePose(face);
  const features::HeadPose mirrored = EstimatePose(features::Mirror(face, 256));
  EXPECT_GT(pose.yaw, 5);
  EXPECT_NEAR(mirrored.yaw, -pose.yaw, 1);
  EXPECT_NEAR(mirrored.pitch, pose.pitch, 1);
}

// A face of the shape, its modes weighted, in that pose before a camera at `distance` cm; 40 pixels a cm at 60 cm.
features::Landmarks68 Seen(const features::HeadPose& pose, const std::array<double, kShapeModes>& modes, double distance) {
  constexpr double kRadians = 3.14159265358979 / 180;
  const double cy = std::cos(pose.yaw * kRadians), sy = std::sin(pose.yaw * kRadians), cp = std::cos(pose.pitch * kRadians),
               sp = std::sin(pose.pitch * kRadians), cr = std::cos(pose.roll * kRadians), sr = std::sin(pose.roll * kRadians);
  features::Landmarks68 points{};
  for (const ShapePoint& point : kFaceShape) {
    std::array<double, 3> m{};
    for (std::size_t k = 0; k < 3; ++k) {
      m[k] = static_cast<double>(point.mean[k]);
      for (std::size_t j = 0; j < kShapeModes; ++j) m[k] += modes[j] * static_cast<double>(point.modes[j][k]);
    }
    // Rolled, nodded, turned: x right, y down, z away; a face that looks up shows its chin.
    const double x = cr * m[0] - sr * m[1], y1 = sr * m[0] + cr * m[1];
    const double y = cp * y1 + sp * m[2], z1 = -sp * y1 + cp * m[2];
    const double view_x = cy * x - sy * z1, z = sy * x + cy * z1;
    const double scale = 40 * 60 / (distance + z);
    points[point.landmark] = {static_cast<float>(300 + scale * view_x), static_cast<float>(200 + scale * y)};
  }
  return points;
}

TEST(Pose, IsThatOfAnyFaceBeforeACamera) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (int face = 0; face < 200; ++face) {
    const features::HeadPose pose{static_cast<float>(std::clamp(25 * normal(random), -60.0, 60.0)),
                                  static_cast<float>(std::clamp(15 * normal(random), -30.0, 30.0)),
                                  static_cast<float>(std::clamp(20 * normal(random), -40.0, 40.0))};
    std::array<double, kShapeModes> modes{};
    for (double& weight : modes) weight = normal(random);
    const features::HeadPose found = EstimatePose(Seen(pose, modes, 60));
    EXPECT_NEAR(found.yaw, pose.yaw, 2) << face;
    EXPECT_NEAR(found.pitch, pose.pitch, 3) << face;
    EXPECT_NEAR(found.roll, pose.roll, 2) << face;
    // The distance is not told by points: a few degrees more or less.
    const features::HeadPose far = EstimatePose(Seen(pose, modes, 200));
    EXPECT_NEAR(far.yaw, pose.yaw, 8) << face;
    EXPECT_NEAR(far.pitch, pose.pitch, 6) << face;
  }
}

TEST(Pose, DegenerateLandmarksGiveNumbers) {
  const auto is_sound = [](const features::Landmarks68& points) {
    const features::HeadPose pose = EstimatePose(points);
    return std::isfinite(pose.yaw) && std::isfinite(pose.pitch) && std::isfinite(pose.roll) && std::abs(pose.yaw) <= 180 &&
           std::abs(pose.pitch) <= 90 && std::abs(pose.roll) <= 180;
  };
  features::Landmarks68 points{};
  EXPECT_TRUE(is_sound(points));
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = {static_cast<float>(i), 2 * static_cast<float>(i)};  // on a line
  EXPECT_TRUE(is_sound(points));
  for (features::Point2& p : points) p = {1e-20F, 3};
  EXPECT_TRUE(is_sound(points));
  std::mt19937 random(1);
  for (const float size : {1e-6F, 1.0F, 1e6F}) {
    std::uniform_real_distribution<float> anywhere(-size, size);
    for (int round = 0; round < 100; ++round) {
      for (features::Point2& p : points) p = {anywhere(random), anywhere(random)};
      EXPECT_TRUE(is_sound(points)) << size;
    }
  }
  points[40].x = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(is_sound(points));
}

TEST(FaceQuality, FallsWithEachDoubt) {
  const QualityEvidence good{
      .detector_score = 1.5F, .inter_ocular = 60, .sharpness = 0.4F, .pose = {}, .landmark_misfit = 0.05F};
  const float best = FaceQuality(good);
  EXPECT_NEAR(best, 1, 1e-6);
  const auto worse = [&good](const auto& spoil) {
    QualityEvidence evidence = good;
    spoil(evidence);
    return FaceQuality(evidence);
  };
  EXPECT_LT(worse([](auto& e) { e.detector_score = 0; }), best);
  EXPECT_LT(worse([](auto& e) { e.inter_ocular = 12; }), best);
  EXPECT_LT(worse([](auto& e) { e.sharpness = 0.08F; }), best);
  EXPECT_LT(worse([](auto& e) { e.pose.yaw = -45; }), best);
  EXPECT_LT(worse([](auto& e) { e.landmark_misfit = 0.2F; }), best);
}

TEST(FaceQuality, MisfitTellsFacesFromNoise) {
  EXPECT_LT(LandmarkMisfit(tests::NeutralFace()), 0.12F);
  EXPECT_GT(LandmarkMisfit(tests::ShakenFace(3, 40)), 0.2F);
}

}  // namespace
}  // namespace auforge::annotator
