// What an encoded image says of itself in its first bytes: format and size, read without decoding anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace auforge::datasets {

enum class ImageFormat { kUnknown, kJpeg, kPng, kWebp, kBmp, kTiff, kGif };

struct ImageHeader {
  ImageFormat format = ImageFormat::kUnknown;
  std::uint64_t width = 0;   // 0 while the header does not say it plainly
  std::uint64_t height = 0;
  std::uint64_t tile_width = 0, tile_height = 0;  // of a TIFF in tiles, of which one is unpacked whole; else 0
  bool is_big_tiff = false;  // 64-bit offsets
  bool is_raw = false;       // a camera's raw file (DNG, NEF, ARW, …) in the clothes of a TIFF: a preview comes first
};

ImageHeader ReadImageHeader(std::span<const std::uint8_t> bytes);
// EXIF orientation 1..8 of a JPEG, PNG (eXIf) or WebP, or a TIFF's own; 1 when there is none.
int Orientation(std::span<const std::uint8_t> bytes, ImageFormat format);

// A copy of a TIFF that says nothing of its orientation.
std::vector<std::uint8_t> WithoutTiffOrientation(std::span<const std::uint8_t> bytes);

// The first frame of an animated WebP: where it lies on the canvas, and its data as a WebP of its own.
struct WebpFrame {
  std::uint64_t x = 0, y = 0, width = 0, height = 0;
  std::vector<std::uint8_t> still;
};
bool IsAnimatedWebp(std::span<const std::uint8_t> bytes);
// nullopt when the file is not animated or lacks part of its first frame.
std::optional<WebpFrame> FirstWebpFrame(std::span<const std::uint8_t> bytes);

// A name that lasts as long as the program.
std::string_view FormatName(ImageFormat format);

}  // namespace auforge::datasets
