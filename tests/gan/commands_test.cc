// What gan's commands are made of: metrics, pasting, films, requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <random>

#include "datasets/image_codec.h"
#include "gan/editor.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/gan/au_request.h"
#include "tools/cli/cli.h"
#include "tools/gan/gan_metrics.h"
#include "tools/gan/gan_paste.h"
#include "tools/gan/gif.h"

namespace auforge::tools {
namespace {

cv::Mat Cloud(int rows, int cols, double mean, double deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(static_cast<float>(mean), static_cast<float>(deviation));
  cv::Mat m(rows, cols, CV_32F);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) m.at<float>(i, j) = normal(random);
  }
  return m;
}

TEST(FrechetDistance, IsTheFormulaOfGaussians) {
  const cv::Mat a = Cloud(4000, 3, 0, 1, 1);
  EXPECT_NEAR(FrechetDistance(a, a, 3), 0, 1e-9);
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 0, 1, 2), 3), 0, 0.02);
  // Moved by 2 in each of three dimensions: 3 * 4. Twice as wide: 3 (1 + 4 - 2 * 2) = 3.
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 2, 1, 3), 3), 12, 0.5);
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 0, 2, 4), 3), 3, 0.3);
  EXPECT_THROW(FrechetDistance(Cloud(3, 3, 0, 1, 1), a, 3), std::invalid_argument);
}

TEST(GanMetrics, WhatHappensInsideTheMaskDoesNotCount) {
  features::Landmarks68 before = tests::NeutralFace(), after = before;
  cv::Mat mask = cv::Mat::zeros(256, 256, CV_8UC1);
  for (std::size_t i = 48; i < 68; ++i) {
    mask.at<std::uint8_t>(static_cast<int>(before[i].y), static_cast<int>(before[i].x)) = 255;
    after[i].x += 10;
  }
  EXPECT_EQ(MovedOutside(before, after, mask), 0);
  for (features::Point2& p : after) p.y += 6;  // a tenth of the inter-ocular distance
  EXPECT_NEAR(MovedOutside(before, after, mask), 0.1, 1e-3);
  const cv::Mat grey(256, 256, CV_8UC3, cv::Scalar(100, 100, 100));
  cv::Mat changed = grey.clone();
  changed.setTo(cv::Scalar(200, 200, 200), mask);
  EXPECT_EQ(ChangedOutside(grey, changed, mask), 0);
  EXPECT_NEAR(ChangedOutside(grey, cv::Mat(grey + cv::Scalar(3, 3, 3)), mask), 3, 1e-9);
}

TEST(GanPaste, NoChangeLeavesThePhotoAsItIs) {
  const cv::Mat photo = tests::Texture(200, 160, 3, 1), crop = tests::Texture(64, 64, 3, 2);
  cv::Mat same;
  crop.convertTo(same, CV_32FC3, 1 / 255.0);
  cv::Mat pasted = photo.clone();
  PasteChange(crop, same, {0.5F, 0.1F, -10, -5}, pasted);
  EXPECT_EQ(cv::norm(photo, pasted, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, same), cv::NORM_INF), 0);
}

TEST(GanPaste, AChangeLandsWhereTheCropCameFrom) {
  const cv::Mat photo(200, 200, CV_8UC3, cv::Scalar(100, 100, 100)),
      crop(64, 64, CV_8UC3, cv::Scalar(100, 100, 100));
  cv::Mat edited;
  crop.convertTo(edited, CV_32FC3, 1 / 255.0);
  edited.at<cv::Vec3f>(32, 32) = {1, 1, 1};
  // crop = 0.5 (photo - (40, 60)): crop (32.5, 32.5) is photo (105, 125).
  cv::Mat pasted = photo.clone();
  PasteChange(crop, edited, {0.5F, 0, -20, -30}, pasted);
  cv::Mat channel;
  cv::extractChannel(pasted, channel, 0);
  cv::Point brightest;
  cv::minMaxLoc(channel, nullptr, nullptr, nullptr, &brightest);
  EXPECT_NEAR(brightest.x, 104.5, 0.51);
  EXPECT_NEAR(brightest.y, 124.5, 0.51);
}

TEST(Gif, TheFirstFrameReadsBack) {
  const tests::TempDir dir;
  std::vector<cv::Mat> frames;
  for (int i = 0; i < 3; ++i) frames.emplace_back(20, 30, CV_8UC3, cv::Scalar(10 + 60 * i, 200, 50));
  WriteGif(dir / "film.gif", frames, 5);
  const std::string bytes = tests::ReadText(dir / "film.gif");
  EXPECT_TRUE(bytes.starts_with("GIF89a"));
  EXPECT_THAT(bytes, testing::HasSubstr("NETSCAPE2.0"));
  const auto image =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
  ASSERT_EQ(image.status, datasets::Outcome::kOk);
  EXPECT_LE(cv::norm(image.bgr, frames[0], cv::NORM_INF), 1);
  frames.emplace_back(10, 10, CV_8UC3);
  EXPECT_THROW(WriteGif(dir / "other.gif", frames, 5), std::invalid_argument);
}

TEST(DefaultGenerator, OpensTheMouthWhenAskedTo) {
  const std::string path = gan::DefaultGeneratorPath();
  EXPECT_LE(std::filesystem::file_size(path), 8U << 20);
  const gan::Editor editor(path);
  ASSERT_EQ(editor.schema().Names(), features::GanSchema().Names());
  const cv::Mat crop = tests::Texture(128, 128, 3, 3);
  std::vector<float> aus(editor.schema().size(), 0.0F);
  const cv::Mat closed = ApplyChange(crop, editor.Edit(crop, aus).face);
  aus[*editor.schema().Find(26)] = 1;
  const cv::Mat open = ApplyChange(crop, editor.Edit(crop, aus).face);
  cv::Mat difference;
  cv::absdiff(closed, open, difference);
  const cv::Rect lower(0, 64, 128, 64), upper(0, 0, 128, 64);
  const double below = cv::norm(difference(lower), cv::NORM_L1), above = cv::norm(difference(upper), cv::NORM_L1);
  EXPECT_GT(below, above);
}

TEST(AuRequest, ListsAndValues) {
  EXPECT_THAT(ParseAuList("AU4,12").Names(), testing::ElementsAre("AU4", "AU12"));
  EXPECT_THROW(ParseAuList("smile"), UsageError);
  const features::AuSchema schema({4, 12});
  EXPECT_THAT(Condition(schema, features::AuSchema({12, 4}), {5, 2.5F}, ParseAuRequest("AU4=1", schema)),
              testing::ElementsAre(1, 1));
  EXPECT_THROW(ParseAuRequest("AU12=2", schema), UsageError);
}

}  // namespace
}  // namespace auforge::tools
