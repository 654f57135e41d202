#include "datasets/synthetic/degrade.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "tests/support/faces.h"

namespace auforge::datasets::synthetic {
namespace {

TEST(Degrade, KeepsSizeAndDependsOnItsStreamAlone) {
  const cv::Mat image = tests::Texture(96, 96, 3, 4);
  const cv::Mat before = image.clone();
  for (std::uint64_t i = 0; i < 40; ++i) {
    Random a(1, i), b(1, i);
    const cv::Mat first = Degrade(image, {}, a), second = Degrade(image, {}, b);
    ASSERT_EQ(first.size(), image.size());
    ASSERT_EQ(first.type(), CV_8UC3);
    EXPECT_EQ(cv::norm(first, second, cv::NORM_INF), 0);
  }
  EXPECT_EQ(cv::norm(image, before, cv::NORM_INF), 0) << "the input must stay as it is";
}

TEST(Degrade, NothingAskedForIsNothingDone) {
  const cv::Mat image = tests::Texture(64, 64, 3, 4);
  Random random(1, 1);
  EXPECT_EQ(cv::norm(Degrade(image, {0, 0, 0, 0, 0, 0, 0, 0}, random), image, cv::NORM_INF), 0);
}

TEST(Degrade, GreyHasNoColour) {
  DegradeOptions grey{0, 0, 1, 0, 0, 0, 0, 0};
  Random random(1, 1);
  const cv::Mat out = Degrade(tests::Texture(64, 64, 3, 4), grey, random);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const auto& p = out.at<cv::Vec3b>(y, x);
      EXPECT_TRUE(p[0] == p[1] && p[1] == p[2]);
    }
  }
}

TEST(Degrade, NamesBadRatesAndPictures) {
  DegradeOptions options;
  options.blur = 1.5F;
  EXPECT_THROW(options.Validate(), std::invalid_argument);
  Random random(1, 1);
  EXPECT_THROW(Degrade(cv::Mat(8, 8, CV_8UC1), {}, random), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
