#include "features/shape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "features/align.h"
#include "tests/support/faces.h"

namespace auforge::features {
namespace {

std::vector<float> Features(const Landmarks68& face) {
  std::vector<float> out(kShapeFeatureCount);
  ShapeFeatures(face, out);
  return out;
}

TEST(ShapeTriangles, AreATriangulationOf66Points) {
  std::set<std::uint8_t> used;
  std::map<std::pair<int, int>, int> edges;
  for (const Triangle& t : ShapeTriangles()) {
    for (std::size_t i = 0; i < 3; ++i) {
      used.insert(t[i]);
      const int a = t[i], b = t[(i + 1) % 3];
      ++edges[{std::min(a, b), std::max(a, b)}];
    }
  }
  EXPECT_EQ(used.size(), 66U);
  EXPECT_FALSE(used.contains(60));
  EXPECT_FALSE(used.contains(64));
  int hull = 0;
  for (const auto& [edge, count] : edges) {
    EXPECT_LE(count, 2) << edge.first << "-" << edge.second;
    hull += count == 1;
  }
  EXPECT_EQ(hull, 23);                                            // as many as corners of the hull
  EXPECT_EQ(ShapeTriangles().size(), 2 * 66U - 2 - 23);           // Euler
}

TEST(ShapeTriangles, AreAllDifferent) {
  std::set<std::set<int>> all;
  for (const Triangle& t : ShapeTriangles()) all.insert({t[0], t[1], t[2]});
  EXPECT_EQ(all.size(), 107U);
}

TEST(ShapeFeatures, DoNotChangeWithPlaceTurnAndSize) {
  const Landmarks68 face = tests::ShakenFace(7, 6);
  const std::vector<float> expected = Features(face);
  const float angle = 0.6F, scale = 3.1F;
  const Landmarks68 moved = Transform({scale * std::cos(angle), scale * std::sin(angle), 500, -20}, face);
  const std::vector<float> found = Features(moved);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], i < kShapeDistanceCount ? 0.05 : 2e-3) << i;
  }
}

TEST(ShapeFeatures, DistancesOfAMirroredFaceAreThoseOfMirroredPairs) {
  const Landmarks68 face = tests::ShakenFace(8, 6);
  const std::vector<float> plain = Features(face);
  const std::vector<float> mirrored = Features(Mirror(face, 256));
  const auto points = ShapePoints();
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> column;
  std::size_t next = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) column[{points[i], points[j]}] = next++;
  }
  for (const auto& [pair, at] : column) {
    std::size_t a = MirrorLandmark(pair.first), b = MirrorLandmark(pair.second);
    if (a > b) std::swap(a, b);
    EXPECT_NEAR(mirrored[(column.at({a, b}))], plain[at], 0.02) << pair.first << "-" << pair.second;
  }
}

TEST(ShapeFeatures, AnglesOfATriangleSumToPi) {
  const std::vector<float> features = Features(tests::ShakenFace(9, 3));
  for (std::size_t t = 0; t < kTriangleCount; ++t) {
    const std::size_t at = kShapeDistanceCount + 3 * t;
    EXPECT_NEAR(features[at] + features[at + 1] + features[at + 2], std::numbers::pi, 1e-3) << t;
  }
}

TEST(ShapeFeatures, EyesAre300PixelsApart) {
  const Landmarks68 shape = NormaliseShape(tests::ShakenFace(10, 5));
  EXPECT_NEAR(InterOcularDistance(shape), 300, 1e-2);
  EXPECT_NEAR(RightEyeCentre(shape).y, LeftEyeCentre(shape).y, 1e-2);
  EXPECT_NEAR(Midpoint(RightEyeCentre(shape), LeftEyeCentre(shape)).x, 0, 1e-2);
}

TEST(ShapeFeatures, RefusesAFaceWithoutWidth) {
  const Landmarks68 point{};
  std::vector<float> out(kShapeFeatureCount);
  EXPECT_THROW(ShapeFeatures(point, out), std::invalid_argument);
  out.resize(10);
  EXPECT_THROW(ShapeFeatures(tests::NeutralFace(), out), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
