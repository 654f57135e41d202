// What the image codec does not do itself: PNG, WebP, BMP and TIFF, by OpenCV's imgcodecs (other_formats.cc). A trainer built
// without it (AUFORGE_ANNOTATOR=OFF) has png_alone.cc, which reads none of them and writes PNG. Thread-safe.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

namespace auforge::datasets {

// Whether this program can read them at all.
bool ReadsOtherFormats();
// As it is stored, of any depth and channels; empty when it is damaged. Throws cv::Exception.
cv::Mat DecodeOtherFormat(std::span<const std::uint8_t> bytes);
// bgr: CV_8UC3 or CV_8UC1. Empty when it cannot be encoded.
std::vector<std::uint8_t> PngOf(const cv::Mat& bgr);

}  // namespace auforge::datasets
