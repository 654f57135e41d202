#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "features/gabor.h"

namespace auforge::features {
namespace {

// Flat areas must not turn sensor noise of this size into texture.
constexpr float kNoiseLevel = 2;  // grey levels
// A window of this σ in pixels of the reduced picture is still sampled well.
constexpr float kReducedSigma = 3.5F;

}  // namespace

cv::Mat NormaliseLocally(const cv::Mat& grey, float sigma) {
  cv::Mat image;
  grey.convertTo(image, CV_32FC1, sigma > 0 ? 1.0 : 1.0 / 255);
  if (sigma <= 0) return image;
  // Mean and variance vary slowly: they are found on a picture reduced by as much as the window bears.
  const float factor = std::clamp(std::floor(sigma / kReducedSigma), 1.0F, 8.0F);
  const cv::Size reduced(std::max(1, static_cast<int>(static_cast<float>(image.cols) / factor)),
                         std::max(1, static_cast<int>(static_cast<float>(image.rows) / factor)));
  cv::Mat mean, square;
  cv::resize(image, mean, reduced, 0, 0, cv::INTER_AREA);
  cv::resize(image.mul(image), square, reduced, 0, 0, cv::INTER_AREA);
  const double small = sigma / factor;
  cv::GaussianBlur(mean, mean, cv::Size(0, 0), small, small, cv::BORDER_REPLICATE);
  cv::GaussianBlur(square, square, cv::Size(0, 0), small, small, cv::BORDER_REPLICATE);
  cv::Mat gain;
  cv::sqrt(cv::max(square - mean.mul(mean), 0) + kNoiseLevel * kNoiseLevel, gain);
  cv::divide(1, gain, gain);
  cv::resize(mean, mean, image.size(), 0, 0, cv::INTER_LINEAR);
  cv::resize(gain, gain, image.size(), 0, 0, cv::INTER_LINEAR);
  return (image - mean).mul(gain);
}

}  // namespace auforge::features
