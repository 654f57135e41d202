// Where the exact landmarks lie on drawn faces, and what is held in front of them.
#include "datasets/synthetic/landmark_points.h"

#include <gtest/gtest.h>

#include <cmath>

#include "datasets/synthetic/occluders.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

TEST(LandmarkPoints, AreMirroredOnAFrontalFace) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const features::Landmarks68 p = LandmarkPoints(model).Project(model.neutral, CameraAt({}));
  const auto mirrored = [&](std::size_t a, std::size_t b) {
    EXPECT_NEAR(p[a].x - 160, 160 - p[b].x, 1.5) << a << " and " << b;
    EXPECT_NEAR(p[a].y, p[b].y, 1.5) << a << " and " << b;
  };
  for (std::size_t i = 0; i < 8; ++i) mirrored(i, 16 - i);
  for (std::size_t i = 17; i < 22; ++i) mirrored(i, 43 - i);
  for (const auto& [a, b] : {std::array<std::size_t, 2>{36, 45},
                             {37, 44},
                             {38, 43},
                             {39, 42},
                             {40, 47},
                             {41, 46},
                             {48, 54},
                             {49, 53},
                             {60, 64}})
    mirrored(a, b);
  // In the order of the marking scheme: down one cheek, over the chin and up the other.
  for (std::size_t i = 0; i < 8; ++i) EXPECT_LT(p[i].y, p[i + 1].y) << i;
  for (std::size_t i = 0; i < 16; ++i) EXPECT_LT(p[i].x, p[i + 1].x) << i;
}

TEST(LandmarkPoints, CheeksFollowTheOutlineOfATurnedHead) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const LandmarkPoints points(model);
  for (const float yaw : {-35.0F, 35.0F}) {
    const Camera camera = CameraAt({yaw, 0, 0});
    const features::Landmarks68 p = points.Project(model.neutral, camera);
    // The far cheek's points cannot lie inside the outline that the skin at their height draws.
    for (std::size_t i = 1; i < 4; ++i) {
      const bool right_is_far =
          camera.Project(camera.View(model.neutral[static_cast<std::size_t>(LandmarkVertices()[30])])).x <
          160;
      const std::size_t k = right_is_far ? i : 16 - i;
      const auto fixed = static_cast<std::size_t>(MarkedPoints()[k].vertex[0]);
      const features::Point2 old = camera.Project(camera.View(model.neutral[fixed]));
      const float gain = right_is_far ? old.x - p[k].x : p[k].x - old.x;
      EXPECT_GT(gain, 3) << "landmark " << k << " at yaw " << yaw << ": the vertex is behind the cheek";
      EXPECT_NEAR(old.y, p[k].y, 12);
    }
  }
}

TEST(Occluders, HandsAndObjectsAreClosedBodiesInFrontOfTheFace) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  for (const Occluder kind : {Occluder::kHand, Occluder::kObject}) {
    for (std::uint64_t i = 0; i < 24; ++i) {
      Random random(9, i);
      const std::vector<ExtraMesh> meshes =
          OccluderMeshes(model.neutral, model.neutral, {0.1F, 0.2F, 0.3F}, Bit(kind), random);
      ASSERT_EQ(meshes.size(), 1U);
      const ExtraMesh& mesh = meshes.front();
      ASSERT_EQ(mesh.colours.size(), mesh.positions.size());
      ASSERT_EQ(mesh.directions.size(), mesh.positions.size());
      float nearest = -1e9F;
      for (std::size_t v = 0; v < mesh.positions.size(); ++v) {
        ASSERT_NEAR(Length(mesh.directions[v]), 1, 1e-3F) << OccluderName(kind) << i;
        ASSERT_TRUE(mesh.colours[v].x >= 0 && mesh.colours[v].x <= 1);
        nearest = std::max(nearest, mesh.positions[v].z);
      }
      EXPECT_GT(nearest, 7) << "in front of the cheeks";
      for (const MeshTriangle& t : mesh.triangles) {
        for (const std::int32_t v : t)
          ASSERT_TRUE(v >= 0 && static_cast<std::size_t>(v) < mesh.positions.size());
      }
    }
  }
}

TEST(Occluders, LooseHairHangsCloseInFrontOfTheSkin) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  std::size_t over_skin = 0, points = 0;
  for (std::uint64_t i = 0; i < 24; ++i) {
    Random random(10, i);
    const std::vector<ExtraMesh> meshes = OccluderMeshes(model.neutral, model.neutral, {0.1F, 0.2F, 0.3F}, Bit(Occluder::kHairStrands), random);
    ASSERT_EQ(meshes.size(), 1U);
    const ExtraMesh& mesh = meshes.front();
    ASSERT_EQ(mesh.part, FacePart::kHair);
    ASSERT_EQ(mesh.texcoords.size(), mesh.positions.size());
    ASSERT_EQ(mesh.directions.size(), mesh.positions.size());
    points += mesh.positions.size();
    for (std::size_t p = 0; p < mesh.positions.size(); ++p) {
      ASSERT_NEAR(Length(mesh.directions[p]), 1, 1e-3F);
      float nearest = 1e9F, before = 0, away = 1e9F;
      for (std::size_t v = 0; v < 6706; v += 3) {
        const Vec3 d = mesh.positions[p] - model.neutral[v];
        away = std::min(away, Length(d));
        if (std::hypot(d.x, d.y) >= nearest) continue;
        nearest = std::hypot(d.x, d.y);
        before = d.z;
      }
      if (nearest > 0.3F) continue;
      ++over_skin;
      ASSERT_GT(before, -0.6F) << "it does not run through the face";
      ASSERT_LT(away, 3.5F) << "nor far off";
    }
  }
  // Some hang beside the face; most do not.
  EXPECT_GT(over_skin, points / 3);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
