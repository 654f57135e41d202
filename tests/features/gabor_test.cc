#include "features/gabor.h"

#include <gtest/gtest.h>

#include <numbers>
#include <opencv2/imgproc.hpp>

#include "features/align.h"
#include "tests/support/faces.h"

namespace auforge::features {
namespace {

std::vector<GaborOptions> Banks() {
  GaborOptions narrow;
  narrow.wavelengths = {5};
  narrow.orientations = 3;
  narrow.sigma_ratios = {0.25F, 1.0F};
  narrow.gamma = 0.7F;
  narrow.phases = {0, 1, 2};
  narrow.output = GaborOutput::kResponses;
  return {GaborOptions{}, GaborOptions::EmotioNet(), narrow};
}

TEST(GaborBank, HasTheDimensionsOfThePaper) {
  const GaborBank bank(GaborOptions::EmotioNet());
  EXPECT_EQ(bank.PointCount(), 66U);
  EXPECT_EQ(bank.Dimension(), 5280U);
  EXPECT_EQ(GaborBank(GaborOptions{}).PointCount(), 70U);
  EXPECT_EQ(GaborBank(GaborOptions{}).Dimension(), 70U * 4 * 6);
}

TEST(GaborBank, FiltersHaveNoDc) {
  for (const GaborOptions& options : Banks()) {
    const GaborBank bank(options);
    for (std::size_t f = 0; f < bank.FilterCount(); ++f) {
      EXPECT_NEAR(cv::sum(bank.Filter(f))[0], 0, 1e-5) << f;
      EXPECT_NEAR(cv::norm(bank.Filter(f)), 1, 1e-4) << f;
    }
    const cv::Mat flat(80, 80, CV_32FC1, cv::Scalar(1));
    const std::vector<cv::Point> pixels{{40, 40}, {3, 70}};
    std::vector<float> out(pixels.size() * bank.FilterCount());
    bank.Respond(flat, pixels, out);
    for (const float v : out) EXPECT_NEAR(v, 0, 1e-4);
  }
}

// The plain reference: the whole picture through every filter, one pixel taken.
TEST(GaborBank, IsFilter2DAtThePoints) {
  for (const GaborOptions& options : Banks()) {
    const GaborBank bank(options);
    cv::Mat grey;
    tests::Texture(112, 112, 1, 5).convertTo(grey, CV_32FC1, 1.0 / 255);
    const std::vector<cv::Point> pixels{{56, 56}, {0, 0}, {111, 30}, {20, 90}, {77, 111}};
    std::vector<float> out(pixels.size() * bank.FilterCount());
    bank.Respond(grey, pixels, out);
    for (std::size_t f = 0; f < bank.FilterCount(); ++f) {
      cv::Mat expected;
      cv::filter2D(grey, expected, CV_32F, bank.Filter(f), cv::Point(-1, -1), 0, cv::BORDER_REPLICATE);
      for (std::size_t p = 0; p < pixels.size(); ++p) {
        EXPECT_NEAR(out[p * bank.FilterCount() + f], expected.at<float>(pixels[p]), 1e-4) << f << " at " << pixels[p];
      }
    }
  }
}

TEST(GaborBank, AnswersToItsOwnWave) {
  GaborOptions options;
  options.wavelengths = {6};
  options.orientations = 4;
  const GaborBank bank(options);
  cv::Mat wave(112, 112, CV_32FC1);
  for (int y = 0; y < wave.rows; ++y) {
    for (int x = 0; x < wave.cols; ++x) wave.at<float>(y, x) = std::cos(2 * std::numbers::pi_v<float> * static_cast<float>(x) / 6);
  }
  const std::vector<cv::Point> pixels{{56, 56}};
  std::vector<float> out(bank.FilterCount());
  bank.Respond(wave, pixels, out);
  const auto magnitude = [&out](std::size_t k) { return std::hypot(out[2 * k], out[2 * k + 1]); };
  EXPECT_GT(magnitude(0), 5 * magnitude(2)) << "a wave along x is none along y";
  EXPECT_GT(magnitude(0), magnitude(1));
}

TEST(FacePoints, AreMirrorSymmetric) {
  const Landmarks68 face = tests::ShakenFace(4, 3);
  for (const GaborPoints kind : {GaborPoints::kCompact, GaborPoints::kEmotioNet}) {
    const std::vector<Point2> plain = FacePoints(face, kind);
    const std::vector<Point2> mirrored = FacePoints(Mirror(face, 256), kind);
    const std::vector<std::size_t> partner = MirrorFacePoints(kind);
    ASSERT_EQ(plain.size(), partner.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      EXPECT_NEAR(mirrored[partner[i]].x, 256 - plain[i].x, 1e-3) << i;
      EXPECT_NEAR(mirrored[partner[i]].y, plain[i].y, 1e-3) << i;
    }
  }
}

TEST(NormaliseLocally, RemovesGainAndOffset) {
  const cv::Mat grey = tests::Texture(112, 112, 1, 6);
  cv::Mat dim;
  grey.convertTo(dim, CV_8UC1, 0.5, 60);
  const cv::Mat a = NormaliseLocally(grey, 14), b = NormaliseLocally(dim, 14);
  EXPECT_LT(cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total()), 0.03);
  EXPECT_NEAR(cv::mean(a)[0], 0, 0.1);
}

TEST(GaborOptions, NamesWhatIsWrong) {
  GaborOptions options;
  options.orientations = 0;
  try {
    options.Validate();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "gabor.orientations = 0; must be >= 1 and <= 32");
  }
  options = {};
  options.wavelengths = {1};
  EXPECT_THROW(options.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
