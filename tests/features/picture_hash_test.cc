#include "features/picture_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <random>

#include "features/align.h"
#include "tests/support/faces.h"

namespace auforge::features {
namespace {

ImageHash RandomHash(std::mt19937_64& random) { return {{random(), random(), random(), random()}}; }

ImageHash WithFlips(ImageHash hash, const std::vector<std::size_t>& bits) {
  for (const std::size_t bit : bits) hash.words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
  return hash;
}

// A face of which the landmarks are the mean face's: NeutralFace lies in it as in a photograph.
cv::Mat FacePicture(std::uint64_t seed) { return tests::Texture(256, 256, 3, seed); }

// The definition, term by term: the cosine transform of a 32 x 32 picture and the median of its low frequencies.
ImageHash PlainHash(const cv::Mat& grey32) {
  constexpr int n = 32;
  std::vector<double> waves;
  for (int sum = 1; waves.size() < kHashBits; ++sum) {
    for (int v = 0; v <= sum && waves.size() < kHashBits; ++v) {
      const int u = sum - v;
      double wave = 0;
      for (int y = 0; y < n; ++y) {
        for (int x = 0; x < n; ++x) {
          wave += grey32.at<std::uint8_t>(y, x) * std::cos(std::numbers::pi * (2 * x + 1) * u / (2.0 * n)) *
                  std::cos(std::numbers::pi * (2 * y + 1) * v / (2.0 * n));
        }
      }
      waves.push_back(wave * (u == 0 ? std::sqrt(0.5) : 1) * (v == 0 ? std::sqrt(0.5) : 1));
    }
  }
  std::vector<double> sorted = waves;
  std::sort(sorted.begin(), sorted.end());
  ImageHash hash;
  for (std::size_t i = 0; i < kHashBits; ++i) {
    if (waves[i] > sorted[kHashBits / 2]) hash.words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return hash;
}

TEST(PictureHash, IsTheCosineTransformsSigns) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    cv::Mat grey = tests::Texture(32, 32, 1, seed);
    // Rounding may turn a bit that lies on the median itself.
    EXPECT_LE(HashDistance(HashOf(grey), PlainHash(grey)), 2) << seed;
  }
}

TEST(PictureHash, CopiesAreNearAndOthersAreNot) {
  const cv::Mat image = tests::Texture(400, 300, 3, 7);
  cv::Mat half, larger, noisy = image.clone(), grey;
  cv::resize(image, half, {}, 0.5, 0.5, cv::INTER_AREA);
  cv::resize(image, larger, {}, 1.7, 1.7, cv::INTER_LINEAR);
  cv::Mat noise(image.size(), CV_8SC3);
  cv::theRNG().state = 5;
  cv::randn(noise, 0, 6);
  cv::add(image, noise, noisy, {}, CV_8UC3);
  cv::cvtColor(image, grey, cv::COLOR_BGR2GRAY);
  for (const cv::Mat& copy : {half, larger, noisy, grey}) EXPECT_TRUE(AreNearImages(HashOf(image), HashOf(copy)));
  for (std::uint64_t seed = 8; seed < 40; ++seed)
    EXPECT_GT(HashDistance(HashOf(image), HashOf(tests::Texture(400, 300, 3, seed))), 2 * kNearImageBits) << seed;
}

TEST(PictureHash, EveryPictureHasOne) {
  EXPECT_FALSE(HashOf(cv::Mat(40, 50, CV_8UC3, cv::Scalar(7, 7, 7))).IsNone());
  EXPECT_FALSE(HashOf(cv::Mat(1, 1, CV_8UC1, cv::Scalar(0))).IsNone());
  EXPECT_FALSE(HashOf(tests::Texture(3000, 20, 1, 1)).IsNone());
  EXPECT_FALSE(FaceHashOf(cv::Mat(256, 256, CV_8UC1, cv::Scalar(0)), tests::NeutralFace()).IsNone());
  EXPECT_THROW(HashOf(cv::Mat()), std::invalid_argument);
  EXPECT_THROW(HashOf(cv::Mat(8, 8, CV_32FC1)), std::invalid_argument);
  EXPECT_THROW(FaceHashOf(cv::Mat(), tests::NeutralFace()), std::invalid_argument);
}

TEST(PictureHash, AFacesHashGoesWithTheFace) {
  const Landmarks68 points = tests::NeutralFace();
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const cv::Mat image = FacePicture(seed);
    const ImageHash hash = FaceHashOf(image, points);
    // Moved, turned and scaled, the rest of the picture cut off, its light changed.
    const Similarity move{1.3F * std::cos(0.2F), 1.3F * std::sin(0.2F), -20, 30};
    const cv::Mat moved = Warp(image, move, 380, 420);
    EXPECT_TRUE(AreNearDuplicates(hash, FaceHashOf(moved, Transform(move, points)))) << seed;
    cv::Mat darker;
    image.convertTo(darker, CV_8U, 0.6, 12);
    EXPECT_TRUE(AreNearDuplicates(hash, FaceHashOf(darker, points))) << seed;
    EXPECT_FALSE(AreNearDuplicates(hash, FaceHashOf(FacePicture(seed + 10), points))) << seed;
  }
}

TEST(PictureHash, BandsAreRunsOfBits) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    const ImageHash hash = RandomHash(random);
    const auto bands = BandsOf(hash);
    for (std::size_t bit = 0; bit < kHashBands * kBandBits; ++bit) {
      EXPECT_EQ(bands[bit / kBandBits] >> (bit % kBandBits) & 1, hash.words[bit / 64] >> (bit % 64) & 1) << bit;
    }
  }
}

TEST(PictureHash, NearMeansFewBitsAndAWholeBand) {
  std::mt19937_64 random(2);
  const ImageHash hash = RandomHash(random);
  EXPECT_TRUE(AreNearDuplicates(hash, hash));
  std::vector<std::size_t> every_band, first_bands;
  for (std::size_t b = 0; b < kHashBands; ++b) every_band.push_back(b * kBandBits + 3);
  EXPECT_FALSE(AreNearDuplicates(hash, WithFlips(hash, every_band))) << "no band is whole";
  every_band.pop_back();
  EXPECT_TRUE(AreNearDuplicates(hash, WithFlips(hash, every_band)));
  for (std::size_t bit = 0; bit < static_cast<std::size_t>(kNearBits); ++bit) first_bands.push_back(bit);
  EXPECT_TRUE(AreNearDuplicates(hash, WithFlips(hash, first_bands)));
  first_bands.push_back(first_bands.size());
  EXPECT_FALSE(AreNearDuplicates(hash, WithFlips(hash, first_bands))) << "one too many";
}

}  // namespace
}  // namespace auforge::features
