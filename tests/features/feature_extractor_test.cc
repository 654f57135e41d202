#include "features/feature_extractor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "features/align.h"
#include "features/au_partition.h"
#include "features/hog.h"
#include "features/shape.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"

namespace auforge::features {
namespace {

std::shared_ptr<const LearntNet> Net(int crop, std::uint64_t seed = 1) {
  return std::make_shared<const LearntNet>(
      LearntNet::FromWeights(tests::RandomNet({crop, 8, 2, {{16, 2}, {64, 2}}}, seed)));
}

// Nothing but a net.
FeatureSpec NetAlone(int crop = 112) {
  FeatureSpec spec;
  spec.shape = ShapeKind::kNone;
  spec.gabor = false;
  spec.net = Net(crop);
  return spec;
}

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

TEST(FeatureSpec, NamesItsNet) {
  FeatureSpec spec;
  EXPECT_EQ(spec.ToJson().find("learnt"), std::string::npos) << "older models' digests stay as they are";
  spec.net = Net(112);
  EXPECT_NE(spec.ToJson().find("\"learnt\":\"" + spec.net->digest() + "\""), std::string::npos);
  EXPECT_EQ(FeatureSpec::FromJson(spec.ToJson(), Net(112)), spec) << "another object, the same net";
  EXPECT_NE(spec, FeatureSpec{});
  EXPECT_THROW(FeatureSpec::FromJson(spec.ToJson(), Net(112, 2)), std::invalid_argument);
  EXPECT_THROW(FeatureSpec::FromJson(spec.ToJson()), std::invalid_argument);
  EXPECT_THROW(FeatureSpec::FromJson(FeatureSpec{}.ToJson(), Net(112)), std::invalid_argument);
  NetAlone().Validate();
  EXPECT_TRUE(NetAlone().LooksAtPicture());
}

// The net sees the crop in which Gabor features are taken, or one of its own size; its numbers do not depend on
// what else is computed.
TEST(FeatureExtractor, LearntColumnsAreTheNetsOnTheCropAndItsMirrorImage) {
  const cv::Mat image = tests::Texture(256, 256, 3, 7);
  const Landmarks68 face = tests::ShakenFace(4, 3);
  for (const int crop : {112, 64}) {
    const FeatureSpec alone = NetAlone(crop);
    FeatureSpec all = alone;
    all.shape = ShapeKind::kEmotioNet;
    all.gabor = all.hog = true;
    std::vector<float> expected(2 * alone.net->embedding_size());
    alone.net->EmbedWithMirror(AlignFace(image, face, {crop, 0.36F, 0.36F}).crop, expected);
    for (const FeatureSpec& spec : {alone, all}) {
      const FeatureExtractor extractor(spec);
      const FeatureBlock& block = extractor.Blocks().back();
      EXPECT_EQ(block.name, "learnt");
      EXPECT_EQ(block.begin + block.size, extractor.Dimension());
      std::vector<float> row(extractor.Dimension(), NAN);
      extractor.Extract(image, face, row);
      EXPECT_EQ(std::vector<float>(row.end() - static_cast<std::ptrdiff_t>(block.size), row.end()), expected);
    }
  }
}

TEST(FeatureExtractor, HowHalvesDifferIsABlockOfItsOwn) {
  const cv::Mat image = tests::Texture(256, 256, 3, 7);
  const Landmarks68 face = tests::ShakenFace(4, 3);
  NetDescription description = tests::RandomNet({64, 8, 2, {{16, 2}, {24, 2}}}, 1);
  FeatureSpec means = NetAlone();
  means.net = std::make_shared<const LearntNet>(LearntNet::FromWeights(description));
  description.pooling = Pooling::kHalves;
  FeatureSpec spec = means;
  spec.net = std::make_shared<const LearntNet>(LearntNet::FromWeights(description));
  const FeatureExtractor extractor(spec), of_means(means);
  ASSERT_EQ(extractor.Blocks().size(), 2U);
  EXPECT_EQ(extractor.Blocks()[0].name, kLearntHalves);
  EXPECT_EQ(extractor.Blocks()[1].name, "learnt");
  ASSERT_EQ(extractor.Dimension(), 4U * 24);
  std::vector<float> row(extractor.Dimension(), NAN), mean(of_means.Dimension()), both(4 * 24);
  extractor.Extract(image, face, row);
  of_means.Extract(image, face, mean);
  EXPECT_TRUE(std::equal(mean.begin(), mean.end(), row.begin() + 48)) << "as without halves";
  spec.net->EmbedWithMirror(AlignFace(image, face, {64, 0.36F, 0.36F}).crop, both);
  for (std::size_t c = 0; c < 24; ++c) {
    EXPECT_EQ(row[c], both[24 + c]);
    EXPECT_EQ(row[24 + c], both[72 + c]);
    EXPECT_EQ(extractor.MirrorColumns()[c], 24 + c);
    EXPECT_EQ(extractor.MirrorColumns()[48 + c], 72 + c);
  }
}

TEST(FeatureExtractor, TheNetReadsGreyPicturesAsColourless) {
  for (const bool gabor : {false, true}) {
    FeatureSpec spec = NetAlone();
    spec.gabor = gabor;
    const FeatureExtractor extractor(spec);
    const cv::Mat grey = tests::Texture(256, 256, 1, 7);
    cv::Mat colour;
    cv::cvtColor(grey, colour, cv::COLOR_GRAY2BGR);
    std::vector<float> a(extractor.Dimension()), b(extractor.Dimension());
    extractor.Extract(grey, tests::NeutralFace(), a);
    extractor.Extract(colour, tests::NeutralFace(), b);
    EXPECT_EQ(a, b);
  }
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

// Extracted from a picture and its mirror image, columns are where MirrorColumns says.
TEST(FeatureExtractor, MirrorColumnsAreThoseOfTheMirroredFace) {
  FeatureSpec spec;
  spec.hog = true;
  spec.net = Net(112);
  const FeatureExtractor extractor(spec);
  const cv::Mat image = tests::Texture(256, 256, 1, 11);
  const Landmarks68 face = tests::ShakenFace(4, 3);
  cv::Mat flipped;
  cv::flip(image, flipped, 1);
  std::vector<float> row(extractor.Dimension()), mirrored(extractor.Dimension());
  extractor.Extract(image, face, row);
  extractor.Extract(flipped, Mirror(face, 256), mirrored);
  const std::vector<std::size_t> columns = extractor.MirrorColumns();
  ASSERT_EQ(columns.size(), row.size());
  for (const FeatureBlock& block : extractor.Blocks()) {
    double difference = 0, unpaired = 0, energy = 0;
    std::size_t missing = 0;
    for (std::size_t c = block.begin; c < block.begin + block.size; ++c) {
      if (columns[c] == kNoMirrorColumn) {
        ++missing;
        continue;
      }
      EXPECT_EQ(columns[columns[c]], c) << "twice mirrored is the same";
      difference += std::pow(row[c] - mirrored[columns[c]], 2);
      unpaired += std::pow(row[c] - mirrored[c], 2);
      energy += row[c] * row[c];
    }
    EXPECT_LT(missing, block.size / 50) << block.name;
    // The crop is sampled at other places of the picture's grid.
    EXPECT_LT(difference, 0.02 * energy) << block.name;
    EXPECT_LT(difference, 0.2 * unpaired) << block.name << ": pairing must matter";
  }
}

TEST(FeatureExtractor, LocalColumnsLookAtTheirPartOfTheFace) {
  FeatureSpec spec;
  spec.hog = true;
  spec.net = Net(112);
  const FeatureExtractor extractor(spec);
  const cv::Mat image = tests::Texture(256, 256, 1, 12);
  const Landmarks68 face = tests::NeutralFace();
  Landmarks68 moved = face;
  for (std::size_t i = 48; i < 68; ++i) moved[i].y += 2;  // the mouth moves; eyes and brows do not
  std::vector<float> before(kShapeFeatureCount), after(kShapeFeatureCount);
  ShapeFeatures(face, before);
  ShapeFeatures(moved, after);
  const std::vector<std::uint8_t> brows = extractor.LocalColumns(AuRois(4)), mouth = extractor.LocalColumns(AuRois(25));
  ASSERT_EQ(brows.size(), extractor.Dimension());
  std::size_t local = 0, changed_in_mouth = 0;
  for (std::size_t f = 0; f < kShapeFeatureCount; ++f) {
    local += brows[f];
    if (brows[f] != 0) {
      EXPECT_NEAR(before[f], after[f], 1e-3) << f;
    }
    changed_in_mouth += mouth[f] != 0 && std::abs(before[f] - after[f]) > 1e-3 ? 1 : 0;
  }
  EXPECT_GT(local, 50U);
  EXPECT_GT(changed_in_mouth, 50U);
  // Every block has some of its columns in either part, and not all.
  for (const FeatureBlock& block : extractor.Blocks()) {
    for (const auto* part : {&brows, &mouth}) {
      const auto begin = part->begin() + static_cast<std::ptrdiff_t>(block.begin);
      const auto count = std::count(begin, begin + static_cast<std::ptrdiff_t>(block.size), std::uint8_t{1});
      EXPECT_GT(count, 0) << block.name;
      // What a net has learnt belongs to every part.
      EXPECT_EQ(static_cast<std::size_t>(count) < block.size, block.name != "learnt") << block.name;
    }
  }
}

}  // namespace
}  // namespace auforge::features
