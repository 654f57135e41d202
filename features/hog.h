// Histograms of oriented gradients over an aligned crop (Dalal & Triggs, CVPR 2005): 8-pixel cells, 9
// unsigned orientations, each cell normalised by its 3x3 neighbourhood. Pure function.
#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

namespace auforge::features {

inline constexpr int kHogCell = 8;
inline constexpr int kHogOrientations = 9;
// Values for a crop of this side: (side / 8)² cells of 9.
std::size_t HogDimension(int crop_size);
// crop: CV_8UC1, square. out: HogDimension(crop.rows) floats, cells row by row.
void HogFeatures(const cv::Mat& crop, std::span<float> out);
// For each value the one of the mirrored crop that equals it (up to where a direction between two bins
// falls).
std::vector<std::size_t> MirrorHogFeatures(int crop_size);

}  // namespace auforge::features
