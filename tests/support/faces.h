// Faces made of landmarks alone, for tests.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "features/types.h"

namespace auforge::tests {

// A frontal neutral face with 60 pixels between the eyes, the middle of them at (128, 100).
features::Landmarks68 NeutralFace();
// The same with every landmark moved by up to `pixels` at random.
features::Landmarks68 ShakenFace(std::uint64_t seed, float pixels);
// Smooth random texture, CV_8UC1 or CV_8UC3.
cv::Mat Texture(int width, int height, int channels, std::uint64_t seed);

}  // namespace auforge::tests
