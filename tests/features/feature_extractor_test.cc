#include "features/feature_extractor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "features/align.h"
#include "features/hog.h"
#include "features/shape.h"
#include "tests/support/faces.h"

namespace auforge::features {
namespace {

TEST(FeatureSpec, JsonRoundTrip) {
  FeatureSpec spec;
  spec.hog = true;
  spec.gabor_options = GaborOptions::EmotioNet();
  EXPECT_EQ(FeatureSpec::FromJson(spec.ToJson()), spec);
  EXPECT_EQ(FeatureSpec::FromJson(spec.ToJson()).ToJson(), spec.ToJson());
}

TEST(FeatureSpec, RefusesDamagedJson) {
  for (const char* text : {"", "{}", "[]", "{\"shape\":1}", "not json"}) {
    EXPECT_THROW(FeatureSpec::FromJson(text), std::invalid_argument) << text;
  }
  FeatureSpec nothing;
  nothing.shape = ShapeKind::kNone;
  nothing.gabor = false;
  EXPECT_THROW(nothing.Validate(), std::invalid_argument);
}

TEST(FeatureExtractor, BlocksFillTheRow) {
  FeatureSpec spec;
  spec.hog = true;
  const FeatureExtractor extractor(spec);
  ASSERT_EQ(extractor.Blocks().size(), 3U);
  EXPECT_EQ(extractor.Blocks()[0].size, kShapeFeatureCount);
  EXPECT_EQ(extractor.Blocks()[2].size, HogDimension(112));
  EXPECT_EQ(extractor.Blocks()[2].begin + extractor.Blocks()[2].size, extractor.Dimension());
  std::vector<float> row(extractor.Dimension(), NAN);
  extractor.Extract(tests::Texture(256, 256, 3, 1), tests::NeutralFace(), row);
  for (const float v : row) ASSERT_TRUE(std::isfinite(v));
}

TEST(FeatureExtractor, HardlyChangesWhenThePictureIsTurnedAndEnlarged) {
  const FeatureExtractor extractor{FeatureSpec{}};
  const cv::Mat image = tests::Texture(256, 256, 3, 2);
  const Landmarks68 face = tests::NeutralFace();
  const Similarity move{1.5F * std::cos(0.2F), 1.5F * std::sin(0.2F), 60, 10};
  std::vector<float> a(extractor.Dimension()), b(extractor.Dimension());
  extractor.Extract(image, face, a);
  extractor.Extract(Warp(image, move, 512, 512), Transform(move, face), b);
  const FeatureBlock& gabor = extractor.Blocks()[1];
  double difference = 0, size = 0;
  for (std::size_t i = gabor.begin; i < gabor.begin + gabor.size; ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += a[i] * a[i];
  }
  EXPECT_LT(std::sqrt(difference / size), 0.12);
}

TEST(FeatureExtractor, TakesLandmarksFromNowhere) {
  const FeatureExtractor extractor{FeatureSpec{}};
  Landmarks68 far = tests::NeutralFace();
  for (Point2& p : far) p.x += 5000;
  std::vector<float> row(extractor.Dimension());
  extractor.Extract(tests::Texture(64, 64, 1, 3), far, row);
  for (const float v : row) ASSERT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace auforge::features
