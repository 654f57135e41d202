#include <gtest/gtest.h>

#include <cmath>

#include "annotator/face_quality.h"
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

TEST(Pose, DegenerateLandmarksGiveNumbers) {
  const features::HeadPose pose = EstimatePose(features::Landmarks68{});
  EXPECT_TRUE(std::isfinite(pose.yaw) && std::isfinite(pose.pitch) && std::isfinite(pose.roll));
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
