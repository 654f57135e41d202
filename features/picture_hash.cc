#include "features/picture_hash.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "features/align.h"
#include "features/internal/typical_waves.h"

namespace auforge::features {
namespace {

constexpr int kSide = 32;  // of the picture that is transformed
// A larger image is sampled at this side before it is averaged: enough, and a hundred times as fast for a large one.
constexpr int kSampled = 128;
// Of the picture that a face is brought to before it is averaged, and how it lies in it: from the brows to below the mouth, a
// little wider than the eyes; further out copies are cut, further in one picture of a person resembles another.
constexpr int kFaceSide = 64;
constexpr float kWidthInEyes = 2.6F;
constexpr float kEyeHeight = 0.38F;
constexpr std::size_t kFirstInner = 17;  // landmark; the jaw's are the least steady

void RequirePicture(const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3))
    throw std::invalid_argument("a hash is of a picture of 8 bits, grey or in colour");
}

// Frequencies of the bits, lowest first: along the diagonals, without the mean.
std::array<cv::Point, kHashBits> LowFrequencies() {
  std::array<cv::Point, kHashBits> frequencies;
  std::size_t count = 0;
  for (int sum = 1; count < kHashBits; ++sum) {
    for (int y = 0; y <= sum && count < kHashBits; ++y) frequencies[count++] = {sum - y, y};
  }
  return frequencies;
}

// Smooth for pictures of either size, but OpenCV averages areas only where both sides shrink.
void Resize(const cv::Mat& from, cv::Mat& to, int side) {
  const bool shrinks = from.rows >= side && from.cols >= side;
  cv::resize(from, to, {side, side}, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
}

std::array<float, kHashBits> WavesOf(const cv::Mat& image) {
  static const std::array<cv::Point, kHashBits> kFrequencies = LowFrequencies();
  cv::Mat small, grey, waves;
  Resize(image, small, kSide);
  if (small.channels() == 3) cv::cvtColor(small, small, cv::COLOR_BGR2GRAY);
  small.convertTo(grey, CV_32F);
  cv::dct(grey, waves);
  std::array<float, kHashBits> values;
  for (std::size_t i = 0; i < kHashBits; ++i) values[i] = waves.at<float>(kFrequencies[i]);
  return values;
}

template <typename Holds>
ImageHash BitsWhere(const Holds& holds) {
  ImageHash hash;
  for (std::size_t i = 0; i < kHashBits; ++i) {
    if (holds(i)) hash.words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  if (hash.IsNone()) hash.words.back() = std::uint64_t{1} << 63;  // a picture of one colour has a hash, too
  return hash;
}

}  // namespace

ImageHash HashOf(const cv::Mat& image) {
  RequirePicture(image);
  cv::Mat sampled = image;
  if (image.rows > 2 * kSampled && image.cols > 2 * kSampled)
    cv::resize(image, sampled, {kSampled, kSampled}, 0, 0, cv::INTER_LINEAR);
  const std::array<float, kHashBits> waves = WavesOf(sampled);
  std::array<float, kHashBits> sorted = waves;
  std::nth_element(sorted.begin(), sorted.begin() + kHashBits / 2, sorted.end());
  const float middle = sorted[kHashBits / 2];
  return BitsWhere([&](std::size_t i) { return waves[i] > middle; });
}

std::array<float, kHashBits> FaceWaves(const cv::Mat& image, const Landmarks68& landmarks) {
  RequirePicture(image);
  const float unit = kFaceSide / kWidthInEyes;
  Landmarks68 target = MeanFace();
  for (Point2& point : target) point = {kFaceSide / 2.0F + unit * point.x, kFaceSide * kEyeHeight + unit * point.y};
  const Similarity place =
      FitSimilarity(std::span(landmarks).subspan(kFirstInner), std::span<const Point2>(target).subspan(kFirstInner));
  std::array<float, kHashBits> waves = WavesOf(Warp(image, place, kFaceSide, kFaceSide));
  double squares = 0;
  for (const float wave : waves) squares += static_cast<double>(wave) * wave;
  const double size = std::sqrt(squares / kHashBits);
  for (float& wave : waves) wave = size > 0 ? static_cast<float>(wave / size) : 0;
  return waves;
}

ImageHash FaceHashOf(const cv::Mat& image, const Landmarks68& landmarks) {
  const std::array<float, kHashBits> waves = FaceWaves(image, landmarks);
  return BitsWhere([&](std::size_t i) { return waves[i] * kTypicalScale > kTypicalWaves[i]; });
}

std::array<std::uint32_t, kHashBands> BandsOf(const ImageHash& hash) {
  std::array<std::uint32_t, kHashBands> bands;
  for (std::size_t b = 0; b < kHashBands; ++b) {
    const std::size_t bit = b * kBandBits, word = bit / 64, shift = bit % 64;
    std::uint64_t run = hash.words[word] >> shift;
    if (shift + kBandBits > 64) run |= hash.words[word + 1] << (64 - shift);
    bands[b] = static_cast<std::uint32_t>(run & ((std::uint64_t{1} << kBandBits) - 1));
  }
  return bands;
}

bool AreNearDuplicates(const ImageHash& a, const ImageHash& b) {
  if (HashDistance(a, b) > kNearBits) return false;
  const auto of_a = BandsOf(a), of_b = BandsOf(b);
  for (std::size_t i = 0; i < kHashBands; ++i) {
    if (of_a[i] == of_b[i]) return true;
  }
  return false;
}

}  // namespace auforge::features
