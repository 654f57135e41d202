// The rasteriser: watertight, depth-ordered, and equal to a plain point-in-triangle test.
#include "datasets/synthetic/renderer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "datasets/synthetic/random.h"
#include "datasets/synthetic/visibility.h"

namespace auforge::datasets::synthetic {
namespace {

TEST(VisibilityBuffer, NeighboursShareNoSampleAndLeaveNone) {
  // A fan of random triangles round a point: every sample inside the outline belongs to exactly one of them.
  Random random(3, 0);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<ScreenVertex> vertices{{32 + random.Uniform(-6, 6), 32 + random.Uniform(-6, 6), 0.01F}};
    std::vector<MeshTriangle> fan;
    constexpr int kCorners = 9;
    for (int i = 0; i < kCorners; ++i) {
      const float angle = 6.2831853F * static_cast<float>(i) / kCorners, radius = random.Uniform(20, 30);
      vertices.push_back({32 + radius * std::cos(angle), 32 + radius * std::sin(angle), 0.01F});
      fan.push_back({0, 1 + i, 1 + (i + 1) % kCorners});
    }
    std::vector<int> count(64 * 64, 0);
    for (std::size_t t = 0; t < fan.size(); ++t) {
      VisibilityBuffer one;
      one.Reset(64, 64);
      one.Draw(vertices, std::span(fan).subspan(t, 1), Facing::kBoth, 0);
      for (std::size_t i = 0; i < count.size(); ++i) count[i] += one.hits()[i].triangle == 0;
    }
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        const int c = count[static_cast<std::size_t>(y * 64 + x)];
        EXPECT_LE(c, 1) << x << "," << y;
        if (std::hypot(static_cast<float>(x) + 0.5F - 32, static_cast<float>(y) + 0.5F - 32) < 14) {
          EXPECT_EQ(c, 1) << x << "," << y;
        }
      }
    }
  }
}

TEST(VisibilityBuffer, TheNearestSurfaceWinsWhateverTheOrder) {
  const std::vector<ScreenVertex> vertices{{0, 0, 0.01F}, {0, 64, 0.01F}, {64, 0, 0.01F}, {0, 0, 0.02F}, {0, 32, 0.02F}, {32, 0, 0.02F}};
  const std::vector<MeshTriangle> far_first{{0, 1, 2}, {3, 4, 5}}, near_first{{3, 4, 5}, {0, 1, 2}};
  VisibilityBuffer a, b;
  a.Reset(64, 64);
  b.Reset(64, 64);
  a.Draw(vertices, far_first, Facing::kBoth, 0);
  b.Draw(vertices, near_first, Facing::kBoth, 0);
  EXPECT_EQ(a.At(2, 2).triangle, 1);
  EXPECT_EQ(b.At(2, 2).triangle, 0);
  EXPECT_EQ(a.At(40, 10).triangle, 0);
  EXPECT_FLOAT_EQ(a.InverseDepth(2, 2), 0.02F);
}

TEST(VisibilityBuffer, FacingAndTheCameraPlaneAreRespected) {
  // Counter-clockwise with y up is a front side.
  const std::vector<ScreenVertex> vertices{{2, 30, 0.01F}, {30, 30, 0.01F}, {2, 2, 0.01F}, {2, 2, -1.0F}};
  VisibilityBuffer buffer;
  const auto drawn = [&](MeshTriangle t, Facing facing) {
    buffer.Reset(32, 32);
    const std::vector<MeshTriangle> one{t};
    buffer.Draw(vertices, one, facing, 5);
    return buffer.At(5, 20).triangle == 5;
  };
  EXPECT_TRUE(drawn({0, 1, 2}, Facing::kFront));
  EXPECT_FALSE(drawn({0, 1, 2}, Facing::kBack));
  EXPECT_FALSE(drawn({0, 2, 1}, Facing::kFront));
  EXPECT_TRUE(drawn({0, 2, 1}, Facing::kBoth));
  EXPECT_FALSE(drawn({0, 1, 3}, Facing::kBoth)) << "a vertex behind the camera";
}

TEST(VisibilityBuffer, WeightsAreThoseOfThePerspective) {
  // A triangle seen askew: the weights must give back the 3-D point that projects to the sample.
  Camera camera;
  camera.view_from_model = RotationOf({50, 10, 0});
  camera.translation = {0, 0, -30};
  camera.focal = 120;
  camera.centre = {32, 32};
  const std::vector<Vec3> points{{-8, -6, 1}, {9, -5, -2}, {0, 8, 3}};
  std::vector<ScreenVertex> screen(3);
  ProjectVertices(points, camera, 1, screen);
  const std::vector<MeshTriangle> triangle{{0, 1, 2}};
  VisibilityBuffer buffer;
  buffer.Reset(64, 64);
  buffer.Draw(screen, triangle, Facing::kBoth, 0);
  int checked = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const auto& hit = buffer.At(x, y);
      if (hit.triangle != 0) continue;
      const Vec3 p = points[0] * (1 - hit.b1 - hit.b2) + points[1] * hit.b1 + points[2] * hit.b2;
      const features::Point2 at = camera.Project(camera.View(p));
      EXPECT_NEAR(at.x, static_cast<float>(x) + 0.5F, 0.02F);
      EXPECT_NEAR(at.y, static_cast<float>(y) + 0.5F, 0.02F);
      EXPECT_NEAR(1 / buffer.InverseDepth(x, y), -camera.View(p).z, 0.01F);
      ++checked;
    }
  }
  EXPECT_GT(checked, 200);
}

TEST(VisibilityBuffer, RefusesAbsurdSizes) {
  VisibilityBuffer buffer;
  EXPECT_THROW(buffer.Reset(0, 10), std::invalid_argument);
  EXPECT_THROW(buffer.Reset(10, 100000), std::invalid_argument);
}

TEST(PointsSeen, WhatIsBehindOrOutsideIsNotSeen) {
  Camera camera;
  camera.focal = 100;
  camera.centre = {32, 32};
  camera.translation = {0, 0, -50};
  constexpr int kSamples = 2;
  // A wall 50 cm away over the left half of the picture.
  const std::vector<Vec3> wall{{-40, -40, 0}, {0, -40, 0}, {0, 40, 0}, {-40, 40, 0}};
  const std::vector<MeshTriangle> triangles{{0, 1, 2}, {0, 2, 3}};
  std::vector<ScreenVertex> screen(wall.size());
  ProjectVertices(wall, camera, kSamples, screen);
  VisibilityBuffer buffer;
  buffer.Reset(64 * kSamples, 64 * kSamples);
  buffer.Draw(screen, triangles, Facing::kBoth, 0);
  // In front of the wall, on it, behind it; beside it; just behind its edge; left of the picture.
  const std::vector<Vec3> points{{-5, 0, 3}, {-5, 0, 0}, {-5, 0, -3}, {5, 0, -3}, {-2, 0, -3}, {-30, 0, 3}};
  std::array<bool, 6> seen{};
  PointsSeen(points, camera, buffer, kSamples, seen);
  EXPECT_EQ(seen, (std::array{true, true, false, true, false, false}));
}

TEST(Geometry, PosesRoundTrip) {
  for (const features::HeadPose pose : {features::HeadPose{0, 0, 0}, {35, -20, 10}, {-60, 30, -30}, {5, 1, -80}}) {
    const features::HeadPose back = PoseOf(RotationOf(pose));
    EXPECT_NEAR(back.yaw, pose.yaw, 1e-3);
    EXPECT_NEAR(back.pitch, pose.pitch, 1e-3);
    EXPECT_NEAR(back.roll, pose.roll, 1e-3);
  }
}

TEST(VertexNormals, PointOutwardsFromASphere) {
  // An octahedron.
  const std::vector<Vec3> points{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
  const std::vector<MeshTriangle> faces{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  std::vector<Vec3> normals(points.size());
  VertexNormals(points, faces, normals);
  for (std::size_t i = 0; i < points.size(); ++i) EXPECT_NEAR(Dot(points[i], normals[i]), 1, 1e-5);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
