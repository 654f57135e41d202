// What a fit leaves over, spread over the mesh; and the outline that surroundings are dragged along by.
#include "datasets/synthetic/landmark_pull.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "datasets/synthetic/internal/face_outline.h"
#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/random.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

std::vector<Vec3> Moved(const std::vector<Vec3>& shape, const std::vector<Vec3>& field) {
  std::vector<Vec3> moved = shape;
  for (std::size_t v = 0; v < moved.size(); ++v) moved[v] += field[v];
  return moved;
}

// Mean distance of landmarks first..67, pixels.
float MeanDistance(const features::Landmarks68& a, const features::Landmarks68& b, std::size_t first) {
  float sum = 0;
  for (std::size_t i = first; i < a.size(); ++i) sum += features::Distance(a[i], b[i]);
  return sum / static_cast<float>(a.size() - first);
}

TEST(LandmarkPuller, BringsTheMeshOntoLandmarksOfAnotherFace) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const LandmarkPoints points(model);
  const LandmarkPuller puller(model);
  const std::vector<float> still(model.expressions.size(), 0.0F);
  for (std::uint64_t i = 0; i < 4; ++i) {
    Random random(12, i);
    std::vector<float> identity(model.identities.size());
    for (float& w : identity) w = random.Normal(0, 0.6F);
    const Camera camera = CameraAt({random.Uniform(-15, 15), random.Uniform(-8, 8), random.Uniform(-10, 10)});
    const features::Landmarks68 wanted = points.Project(model.Evaluate(identity, still), camera);
    const std::vector<Vec3> field = puller.Pull(model.neutral, camera, wanted);
    const features::Landmarks68 before = points.Project(model.neutral, camera);
    const features::Landmarks68 after = points.Project(Moved(model.neutral, field), camera);
    EXPECT_GT(MeanDistance(before, wanted, 0), 0.9F) << "the faces differ";
    EXPECT_LT(MeanDistance(after, wanted, 0), 0.4F * MeanDistance(before, wanted, 0));
    EXPECT_LT(MeanDistance(after, wanted, 17), 0.4F * MeanDistance(before, wanted, 17));
    for (const Vec3& d : field) {
      EXPECT_LT(std::abs(camera.view_from_model(d).z), 1e-3F) << "across the viewing direction only";
      ASSERT_LT(Length(d), 1.5F) << "cm";
    }
  }
}

TEST(LandmarkPuller, LeavesWhatFitsAndIsSmooth) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const LandmarkPoints points(model);
  const LandmarkPuller puller(model);
  const Camera camera = CameraAt({5, 3, 0});
  const features::Landmarks68 own = points.Project(model.neutral, camera);
  for (const Vec3& d : puller.Pull(model.neutral, camera, own)) ASSERT_LT(Length(d), 2e-3F);

  // One landmark far off, as where a landmarker fails: held to the limit, and its neighbourhood keeps its shape.
  features::Landmarks68 wild = own;
  wild[30].x += 80;
  const std::vector<Vec3> field = puller.Pull(model.neutral, camera, wild);
  for (const FaceTriangle& t : model.triangles) {
    const auto a = static_cast<std::size_t>(t.vertex[0]), b = static_cast<std::size_t>(t.vertex[1]);
    if (t.vertex[0] >= internal::kFaceEnd) continue;
    const float edge = Length(model.neutral[a] - model.neutral[b]);
    ASSERT_LT(Length(field[a] - field[b]), 0.75F * edge + 1e-3F) << "no triangle turns over";
  }
}

TEST(LandmarkPuller, LidsStillCloseAndEyesStayRound) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const LandmarkPoints points(model);
  const Camera camera = CameraAt({});
  features::Landmarks68 wide = points.Project(model.neutral, camera);
  for (const std::size_t i : {37U, 38U, 43U, 44U, 61U, 62U, 63U}) wide[i].y -= 3;
  for (const std::size_t i : {40U, 41U, 46U, 47U, 65U, 66U, 67U}) wide[i].y += 3;
  for (const std::size_t i : {36U, 39U, 42U, 45U}) wide[i].x += 3;
  const std::vector<Vec3> field = LandmarkPuller(model).Pull(model.neutral, camera, wide);
  const auto at = [&](std::size_t i) { return MarkedPoints()[i].On(field); };
  for (const auto& [upper, lower] : {std::array<std::size_t, 2>{37, 41}, {38, 40}, {43, 47}, {44, 46}, {61, 67}, {62, 66}, {63, 65}})
    EXPECT_LT(std::abs(at(upper).y - at(lower).y), 0.03F) << "cm, landmarks " << upper << " and " << lower;
  EXPECT_GT(at(36).x, 0.1F) << "sideways they follow";
  for (std::int32_t v = internal::kLeftIrisBegin; v < internal::kLeftIrisEnd; ++v)
    ASSERT_EQ(field[static_cast<std::size_t>(v)], field[static_cast<std::size_t>(internal::kLeftIrisBegin)]);
}

TEST(PullOptions, NameWhatIsWrong) {
  PullOptions options;
  options.jaw_noise = 0;
  EXPECT_THROW(options.Validate(), std::invalid_argument);
}

TEST(FaceOutline, LiesOutsideTheLandmarksFromEverySide) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const internal::FaceOutline outline(model);
  for (const float yaw : {-25.0F, 0.0F, 25.0F}) {
    const Camera camera = CameraAt({yaw, 0, 0});
    const std::vector<features::Point2> traced = outline.Trace(model.neutral, camera);
    ASSERT_EQ(traced.size(), static_cast<std::size_t>(internal::FaceOutline::kPoints));
    float left = 1e9F, right = -1e9F, top = 1e9F, bottom = -1e9F;
    for (const features::Point2& p : traced) {
      left = std::min(left, p.x);
      right = std::max(right, p.x);
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
    for (const features::Point2& p : LandmarkPoints(model).Project(model.neutral, camera)) {
      EXPECT_TRUE(p.x > left - 2 && p.x < right + 2 && p.y > top && p.y < bottom + 4);
    }
  }
}

}  // namespace
}  // namespace auforge::datasets::synthetic
