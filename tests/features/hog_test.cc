#include "features/hog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <vector>

#include "tests/support/faces.h"

namespace auforge::features {
namespace {

std::vector<float> Features(const cv::Mat& crop) {
  std::vector<float> out(HogDimension(crop.rows));
  HogFeatures(crop, out);
  return out;
}

TEST(Hog, CountsItsCells) { EXPECT_EQ(HogDimension(112), 14U * 14 * 9); }

TEST(Hog, FlatCropsAreZero) {
  for (const float v : Features(cv::Mat(112, 112, CV_8UC1, cv::Scalar(99)))) EXPECT_EQ(v, 0);
}

TEST(Hog, VerticalEdgesFallIntoTheFirstBin) {
  cv::Mat stripes(64, 64, CV_8UC1);
  for (int x = 0; x < 64; ++x) stripes.col(x).setTo(x / 4 % 2 == 0 ? 20 : 220);
  const std::vector<float> features = Features(stripes);
  for (std::size_t cell = 0; cell < features.size() / 9; ++cell) {
    for (std::size_t k = 1; k < 9; ++k) EXPECT_EQ(features[cell * 9 + k], 0) << cell << " " << k;
    EXPECT_GT(features[cell * 9], 0.3F);
  }
}

TEST(Hog, DoesNotCareForContrast) {
  const cv::Mat crop = tests::Texture(112, 112, 1, 11);
  cv::Mat dim;
  crop.convertTo(dim, CV_8UC1, 0.6, 20);
  const std::vector<float> a = Features(crop), b = Features(dim);
  // Rounding to 8 bits moves single weak gradients into another bin; the descriptor as a whole stays.
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference += std::abs(a[i] - b[i]);
  EXPECT_LT(difference / static_cast<double>(a.size()), 0.02);
}

TEST(Hog, RefusesOtherPictures) {
  std::vector<float> out(HogDimension(112));
  EXPECT_THROW(HogFeatures(cv::Mat(112, 112, CV_8UC3), out), std::invalid_argument);
  EXPECT_THROW(HogFeatures(cv::Mat(64, 64, CV_8UC1), out), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
