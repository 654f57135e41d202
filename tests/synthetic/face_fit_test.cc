#include "datasets/synthetic/face_fit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/synthetic/au_shapes.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

struct Made {
  features::Landmarks68 landmarks;
  Camera camera;
};

// The model's own landmarks through a known camera.
Made Project(const FaceModel& model, const std::vector<float>& identity, const std::vector<float>& weights, features::HeadPose pose) {
  Made made;
  made.camera.view_from_model = RotationOf(pose);
  made.camera.translation = {0, 0, -75};
  made.camera.focal = 750;
  made.camera.centre = {160, 150};
  const std::vector<Vec3> points = model.EvaluateAt(LandmarkVertices(), identity, weights);
  for (std::size_t i = 0; i < points.size(); ++i) made.landmarks[i] = made.camera.Project(made.camera.View(points[i]));
  return made;
}

TEST(FaceFitter, FindsPoseAndShapeOfProjectedLandmarks) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const FaceFitter fitter(model);
  const AuShapes shapes(model);
  for (std::uint64_t i = 0; i < 6; ++i) {
    Random random(6, i);
    std::vector<float> identity(model.identities.size());
    for (float& w : identity) w = std::clamp(random.Normal(0, 0.6F), -2.0F, 2.0F);
    const features::HeadPose pose{random.Uniform(-20, 20), random.Uniform(-10, 10), random.Uniform(-15, 15)};
    const Made made = Project(model, identity, shapes.Weights(shapes.Single(12, random.Uniform(0, 5)), 1), pose);
    const FaceFit fit = fitter.Fit(made.landmarks);
    EXPECT_LT(fit.residual, 0.12F) << "cm";
    const features::HeadPose found = PoseOf(fit.camera.view_from_model);
    EXPECT_NEAR(found.yaw, pose.yaw, 6);
    EXPECT_NEAR(found.pitch, pose.pitch, 8);
    EXPECT_NEAR(found.roll, pose.roll, 3);
    for (const float w : fit.identity) EXPECT_TRUE(w >= -3 && w <= 3);
    for (const float w : fit.expression) EXPECT_TRUE(w >= 0 && w <= 1);
  }
}

TEST(FaceFitter, SeesTheSmileInTheWeights) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const FaceFitter fitter(model);
  const AuShapes shapes(model);
  const auto smile = [&](float intensity) {
    const FaceFit fit = fitter.Fit(Project(model, {}, shapes.Weights(shapes.Single(12, intensity), 1), {5, 0, 0}).landmarks);
    return fit.expression[model.Expression("mouthSmile_L")] + fit.expression[model.Expression("mouthSmile_R")];
  };
  EXPECT_LT(smile(0), 0.3F);
  EXPECT_GT(smile(5), smile(0) + 0.5F);
}

TEST(FitCamera, RecoversAKnownCamera) {
  std::vector<Vec3> points;
  Random random(8, 1);
  for (int i = 0; i < 30; ++i) points.push_back({random.Uniform(-7, 7), random.Uniform(-9, 9), random.Uniform(-4, 5)});
  for (const features::HeadPose pose : {features::HeadPose{0, 0, 0}, {30, -15, 20}, {-40, 10, -25}}) {
    Camera truth;
    truth.view_from_model = RotationOf(pose);
    truth.translation = {0, 0, -75};
    truth.focal = 600;
    truth.centre = {120, 140};
    std::vector<features::Point2> pixels;
    for (const Vec3 p : points) pixels.push_back(truth.Project(truth.View(p)));
    const Camera found = FitCamera(points, pixels, std::vector<float>(points.size(), 1.0F), 75);
    EXPECT_NEAR(found.focal, 600, 0.5);
    EXPECT_NEAR(found.centre.x, 120, 0.1);
    EXPECT_NEAR(PoseOf(found.view_from_model).yaw, pose.yaw, 0.1);
    EXPECT_NEAR(PoseOf(found.view_from_model).pitch, pose.pitch, 0.1);
    EXPECT_NEAR(PoseOf(found.view_from_model).roll, pose.roll, 0.1);
  }
}

TEST(FaceFitOptions, NameWhatIsWrong) {
  FaceFitOptions options;
  options.rounds = 0;
  EXPECT_THROW(options.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
