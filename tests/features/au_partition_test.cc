#include "features/au_partition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <set>

#include "features/align.h"
#include "features/au_schema.h"
#include "tests/support/faces.h"

namespace auforge::features {
namespace {

double Area(const std::vector<Point2>& polygon) {  // > 0 when clockwise on the screen
  double twice = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point2 a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    twice += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return twice / 2;
}

TEST(RoiPolygon, IsClockwiseAndHasAnArea) {
  const Landmarks68 face = tests::NeutralFace();
  for (int roi = 1; roi <= kRoiCount; ++roi) EXPECT_GT(Area(RoiPolygon(roi, face)), 1) << roi;
}

TEST(RoiPolygon, RefusesOtherNumbers) {
  EXPECT_THROW(RoiPolygon(0, tests::NeutralFace()), std::invalid_argument);
  EXPECT_THROW(RoiPolygon(44, tests::NeutralFace()), std::invalid_argument);
  EXPECT_THROW(RegionLabels(9), std::invalid_argument);
}

TEST(RoiPolygon, FollowsTheFace) {
  const Landmarks68 face = tests::ShakenFace(3, 2);
  const float angle = 0.7F, scale = 1.8F;
  const Similarity turn{scale * std::cos(angle), scale * std::sin(angle), 50, -20};
  const Landmarks68 turned = Transform(turn, face);
  for (int roi = 1; roi <= kRoiCount; ++roi) {
    const std::vector<Point2> polygon = RoiPolygon(roi, face), expected = RoiPolygon(roi, turned);
    for (const Point2& p : polygon) {
      const Point2 q = turn(p);
      float nearest = 1e9F;
      for (const Point2& e : expected) nearest = std::min(nearest, Distance(q, e));
      EXPECT_LT(nearest, 0.05F) << roi;
    }
  }
}

TEST(RoiPolygon, BrowRegionsReachAboveTheBrows) {
  const Landmarks68 face = tests::NeutralFace();
  float top = 1e9F;
  for (const Point2& p : RoiPolygon(3, face)) top = std::min(top, p.y);
  // 27uu: two steps of .12 inter-ocular distances above the root of the nose.
  EXPECT_NEAR(top,
              std::min(face[27].y - 0.24F * InterOcularDistance(face),
                       face[21].y - 0.12F * InterOcularDistance(face)),
              0.6F);
}

TEST(AuGroups, HoldThePublishedAusOnce) {
  std::set<int> all;
  for (const AuGroup& group : AuGroups()) {
    for (const int au : group.aus) EXPECT_TRUE(all.insert(au).second) << au;
    for (const int roi : group.rois) EXPECT_TRUE(roi >= 1 && roi <= kRoiCount) << roi;
  }
  const std::set<int> published{1,  2,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14,
                                15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28};
  EXPECT_EQ(all, published);
  for (const int au : CatalogueSchema().numbers()) EXPECT_NE(AuGroupOf(au), 0) << au;
  EXPECT_EQ(AuGroupOf(45), 1);
  EXPECT_EQ(AuGroupOf(64), 0);
}

TEST(AuGroups, FetchLabelsIntoOtherRegions) {
  EXPECT_EQ(RegionLabels(1), (std::vector<int>{1, 2, 5, 7}));
  EXPECT_EQ(RegionLabels(2), (std::vector<int>{1, 2, 4, 5, 7}));
  EXPECT_EQ(RegionLabels(3), (std::vector<int>{6, 9}));
  EXPECT_EQ(RegionLabels(7), (std::vector<int>{17, 18, 22, 23, 24, 28}));
}

TEST(AuRois, OfTheTwoSidesTogetherAreThoseOfTheWhole) {
  for (const int au : CatalogueSchema().numbers()) {
    const auto right = AuRois(au, FaceSide::kRight), left = AuRois(au, FaceSide::kLeft);
    std::set<int> both(right.begin(), right.end());
    both.insert(left.begin(), left.end());
    const auto whole = AuRois(au);
    EXPECT_EQ(std::vector<int>(both.begin(), both.end()), whole) << au;
    EXPECT_EQ(right.size(), left.size()) << au;
  }
  // AU12 acts on both sides of the mouth; the right one has nothing of the left cheek (28).
  const auto right = AuRois(12, FaceSide::kRight);
  EXPECT_NE(std::find(right.begin(), right.end(), 25), right.end());
  EXPECT_EQ(std::find(right.begin(), right.end(), 28), right.end());
}

TEST(AuRegionMask, CoversWhatTheAuMovesAndNotTheRest) {
  const Landmarks68 face = tests::NeutralFace();
  const cv::Mat mouth = AuRegionMask(25, face, 256, 256), brows = AuRegionMask(4, face, 256, 256);
  const auto at = [](const cv::Mat& mask, Point2 p) {
    return mask.at<std::uint8_t>(static_cast<int>(p.y), static_cast<int>(p.x));
  };
  EXPECT_EQ(at(mouth, Midpoint(face[62], face[66])), 255);
  EXPECT_EQ(at(mouth, face[37]), 0);
  EXPECT_EQ(at(brows, Midpoint(face[21], face[39])), 255);
  EXPECT_EQ(at(brows, face[57]), 0);
  EXPECT_EQ(cv::countNonZero(AuRegionMask(64, face, 256, 256)), 0);
  EXPECT_GE(cv::countNonZero(AuRegionMask(12, face, 256, 256, true)),
            cv::countNonZero(AuRegionMask(12, face, 256, 256)));
}

TEST(AuRegionMask, IsSymmetricOnASymmetricFace) {
  const Landmarks68 face = Transform({64, 0, 128, 100}, MeanFace());
  for (const int au : CatalogueSchema().numbers()) {
    const cv::Mat mask = AuRegionMask(au, face, 256, 256, true);
    cv::Mat flipped, difference;
    cv::flip(mask, flipped, 1);
    cv::absdiff(mask, flipped, difference);
    // The published polygons of the chin differ by a corner; edges differ by a pixel.
    EXPECT_LT(cv::countNonZero(difference), cv::countNonZero(mask) / 12) << au;
  }
}

TEST(ShareOfChangeInside, IsTheShareOfTheChange) {
  const cv::Mat before = tests::Texture(64, 64, 3, 5);
  cv::Mat mask = cv::Mat::zeros(64, 64, CV_8UC1);
  mask(cv::Rect(0, 0, 32, 64)).setTo(255);
  EXPECT_EQ(ShareOfChangeInside(before, before, mask), 1);
  cv::Mat after = cv::Mat::zeros(64, 64, CV_8UC3), base = after.clone();
  after(cv::Rect(4, 4, 10, 10)).setTo(cv::Scalar(30, 30, 30));
  EXPECT_NEAR(ShareOfChangeInside(base, after, mask), 1, 1e-12);
  after(cv::Rect(40, 4, 10, 10)).setTo(cv::Scalar(90, 90, 90));
  EXPECT_NEAR(ShareOfChangeInside(base, after, mask), 0.25, 1e-12);
  EXPECT_THROW(ShareOfChangeInside(before, after, cv::Mat::zeros(10, 10, CV_8UC1)), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
