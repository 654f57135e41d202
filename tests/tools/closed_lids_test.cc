#include "tools/au/closed_lids.h"

#include <gtest/gtest.h>

#include "features/align.h"

namespace auforge::tools {
namespace {

using features::Landmarks68;

float Ratio(const Landmarks68& points, std::size_t eye) {
  const auto distance = [&](std::size_t i, std::size_t j) {
    return features::Distance(points[eye + i], points[eye + j]);
  };
  return (distance(1, 5) + distance(2, 4)) / 2 / distance(0, 3);
}

TEST(CloseLids, OpenAndSlightlyLoweredLidsStay) {
  for (const float intensity : {0.0F, 0.6F, 1.0F}) {
    Landmarks68 points = features::MeanFace();
    CloseLids(points, kLeftEye, intensity, 0.5F);
    EXPECT_EQ(points, features::MeanFace()) << intensity;
  }
}

TEST(CloseLids, CloseAsMuchAsTheAuSays) {
  ASSERT_GT(Ratio(features::MeanFace(), kLeftEye), 0.23F);
  float before = 1;
  for (const float intensity : {1.2F, 2.0F, 2.6F, 3.0F}) {
    Landmarks68 points = features::MeanFace();
    CloseLids(points, kLeftEye, intensity, 0.5F);
    EXPECT_LT(Ratio(points, kLeftEye), before) << intensity;
    before = Ratio(points, kLeftEye);
  }
  for (const float intensity : {3.0F, 5.0F}) {
    for (const float chance : {0.0F, 1.0F}) {
      Landmarks68 points = features::MeanFace();
      CloseLids(points, kLeftEye, intensity, chance);
      EXPECT_NEAR(Ratio(points, kLeftEye), 0.10F + 0.08F * chance, 1e-4F);
    }
  }
}

TEST(CloseLids, NothingElseMovesAndPairsKeepTheirMiddle) {
  for (const std::size_t eye : {kRightEye, kLeftEye}) {
    Landmarks68 points = features::MeanFace();
    CloseLids(points, eye, 5, 0.5F);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool is_lid = i == eye + 1 || i == eye + 2 || i == eye + 4 || i == eye + 5;
      EXPECT_EQ(points[i] == features::MeanFace()[i], !is_lid) << i;
    }
    for (const auto& [upper, lower] : {std::pair{eye + 1, eye + 5}, {eye + 2, eye + 4}}) {
      const features::Point2 now = features::Midpoint(points[upper], points[lower]);
      const features::Point2 then =
          features::Midpoint(features::MeanFace()[upper], features::MeanFace()[lower]);
      EXPECT_NEAR(features::Distance(now, then), 0, 1e-5F);
    }
  }
}

TEST(CloseLids, LidsThatMeetAlreadyAreNotDrawnApart) {
  Landmarks68 points = features::MeanFace();
  CloseLids(points, kRightEye, 5, 0);
  const Landmarks68 closed = points;
  CloseLids(points, kRightEye, 5, 1);
  EXPECT_EQ(points, closed);
}

}  // namespace
}  // namespace auforge::tools
