// What an encoded image says of itself in its first bytes: format and size, read without decoding anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace auforge::datasets {

enum class ImageFormat { kUnknown, kJpeg, kPng, kWebp, kBmp, kTiff, kGif };

struct ImageHeader {
  ImageFormat format = ImageFormat::kUnknown;
  std::uint64_t width = 0;   // 0 while the header does not say it plainly
  std::uint64_t height = 0;
};

ImageHeader ReadImageHeader(std::span<const std::uint8_t> bytes);
// EXIF orientation 1..8 of a JPEG; 1 when there is none.
int JpegOrientation(std::span<const std::uint8_t> bytes);
std::string FormatName(ImageFormat format);

}  // namespace auforge::datasets
