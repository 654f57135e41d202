// Pictures in the format that the file's name says: .png, .jpg .jpeg, .webp, .bmp, .tif .tiff, in small or capital
// letters. A device or a pipe has no such name and gets a PNG.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

namespace auforge::datasets {

// Tried before the work. Throws std::invalid_argument for a name that says no format that we write, and what
// storage::RequireOutputFile throws.
void RequirePictureFile(const std::string& path);
// bgr: CV_8UC3 or CV_8UC1. profile: datasets/colour_profile.h, of what the picture was made of; JPEG and PNG keep it. Throws std::runtime_error naming the file when it cannot be encoded or written,
// std::invalid_argument as above.
void WritePicture(const std::string& path, const cv::Mat& bgr, std::span<const std::uint8_t> profile = {});
// The bytes of a PNG: pixels and nothing else.
std::vector<std::uint8_t> EncodePng(const cv::Mat& bgr);

}  // namespace auforge::datasets
