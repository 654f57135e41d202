#include "datasets/synthetic/occluders.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "tests/support/faces.h"

namespace auforge::datasets::synthetic {
namespace {

TEST(Occluders, StrandsCoverWhatTheySayTheyCover) {
  const cv::Mat image = tests::Texture(256, 256, 3, 7);
  for (std::uint64_t i = 0; i < 10; ++i) {
    cv::Mat painted = image.clone(), covered = cv::Mat::zeros(image.size(), CV_8UC1);
    Random random(5, i);
    PaintOccluders(painted, covered, tests::NeutralFace(), Bit(Occluder::kHairStrands), random);
    const int share = cv::countNonZero(covered);
    EXPECT_GT(share, 100);
    EXPECT_LT(share, 256 * 256 * 3 / 4);
    // Away from what is covered, the picture is as it was.
    int far_changed = 0;
    for (int y = 0; y < 256; ++y) {
      for (int x = 0; x < 256; ++x) {
        const cv::Rect around = cv::Rect(x - 8, y - 8, 17, 17) & cv::Rect(0, 0, 256, 256);
        if (painted.at<cv::Vec3b>(y, x) != image.at<cv::Vec3b>(y, x) && cv::countNonZero(covered(around)) == 0) ++far_changed;
      }
    }
    EXPECT_EQ(far_changed, 0);
  }
}

TEST(Occluders, RatesAreKept) {
  int with = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Random random(1, i);
    const std::uint32_t kinds = SampleOccluders({.rate = 0.3F}, random);
    with += kinds != 0;
    EXPECT_EQ(kinds >> kOccluderCount, 0U);
    EXPECT_FALSE((kinds & Bit(Occluder::kGlasses)) != 0 && (kinds & Bit(Occluder::kSunglasses)) != 0);
  }
  EXPECT_NEAR(with / 4000.0, 0.3, 0.03);
  Random random(1, 1);
  EXPECT_EQ(SampleOccluders({.rate = 0}, random), 0U);
  EXPECT_THROW(OccluderOptions{.rate = 2}.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
