#include "features/hog.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <vector>

namespace auforge::features {

std::size_t HogDimension(int crop_size) {
  const int cells = crop_size / kHogCell;
  return static_cast<std::size_t>(cells * cells * kHogOrientations);
}

void HogFeatures(const cv::Mat& crop, std::span<float> out) {
  if (crop.type() != CV_8UC1 || crop.rows != crop.cols || out.size() != HogDimension(crop.rows)) {
    throw std::invalid_argument("hog: needs a square CV_8UC1 crop and room for its cells");
  }
  cv::Mat dx, dy;
  cv::Sobel(crop, dx, CV_32F, 1, 0, 1, 1, 0, cv::BORDER_REPLICATE);
  cv::Sobel(crop, dy, CV_32F, 0, 1, 1, 1, 0, cv::BORDER_REPLICATE);
  // The bin is found by the best of the 9 half directions: no arc tangent for each pixel.
  std::array<float, kHogOrientations> cosine, sine;
  for (std::size_t k = 0; k < kHogOrientations; ++k) {
    const float angle = std::numbers::pi_v<float> * static_cast<float>(k) / kHogOrientations;
    cosine[k] = std::cos(angle);
    sine[k] = std::sin(angle);
  }
  const int cells = crop.rows / kHogCell;
  std::vector<float> histogram(out.size(), 0.0F);
  for (int y = 0; y < cells * kHogCell; ++y) {
    const float* gx = dx.ptr<float>(y);
    const float* gy = dy.ptr<float>(y);
    for (int x = 0; x < cells * kHogCell; ++x) {
      std::size_t best = 0;
      float best_dot = -1;
      for (std::size_t k = 0; k < kHogOrientations; ++k) {
        const float dot = std::abs(gx[x] * cosine[k] + gy[x] * sine[k]);
        if (dot > best_dot) {
          best_dot = dot;
          best = k;
        }
      }
      const auto cell = static_cast<std::size_t>((y / kHogCell) * cells + x / kHogCell);
      histogram[cell * kHogOrientations + best] += std::sqrt(gx[x] * gx[x] + gy[x] * gy[x]);
    }
  }
  std::vector<float> energy(static_cast<std::size_t>(cells * cells), 0.0F);
  for (std::size_t c = 0; c < energy.size(); ++c) {
    for (std::size_t k = 0; k < kHogOrientations; ++k) {
      energy[c] += histogram[c * kHogOrientations + k] * histogram[c * kHogOrientations + k];
    }
  }
  for (int cy = 0; cy < cells; ++cy) {
    for (int cx = 0; cx < cells; ++cx) {
      float sum = 1;
      for (int ny = std::max(0, cy - 1); ny <= std::min(cells - 1, cy + 1); ++ny) {
        for (int nx = std::max(0, cx - 1); nx <= std::min(cells - 1, cx + 1); ++nx) {
          sum += energy[static_cast<std::size_t>(ny * cells + nx)];
        }
      }
      const float scale = 1 / std::sqrt(sum);
      const auto cell = static_cast<std::size_t>(cy * cells + cx);
      for (std::size_t k = 0; k < kHogOrientations; ++k) {
        // The square root (Hellinger) keeps one strong edge from drowning its cell.
        out[cell * kHogOrientations + k] = std::sqrt(histogram[cell * kHogOrientations + k] * scale);
      }
    }
  }
}

std::vector<std::size_t> MirrorHogFeatures(int crop_size) {
  const auto cells = static_cast<std::size_t>(crop_size / kHogCell);
  constexpr auto kBins = static_cast<std::size_t>(kHogOrientations);
  std::vector<std::size_t> mirror;
  for (std::size_t y = 0; y < cells; ++y) {
    for (std::size_t x = 0; x < cells; ++x) {
      for (std::size_t k = 0; k < kBins; ++k) mirror.push_back((y * cells + cells - 1 - x) * kBins + (kBins - k) % kBins);
    }
  }
  return mirror;
}

}  // namespace auforge::features
