// Encoded bytes to pixels and back. The format is told by content, not by name. Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "datasets/outcome.h"

namespace auforge::datasets {

struct DecodeOptions {
  std::uint64_t max_pixels = 100'000'000;  // checked from the header, before decoding
  int min_side = 16;                       // pixels; smaller is kTooSmall
  double least_scale = 1;                  // 0..1; a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size where that is
                                           // not less: much faster, and nothing is lost that the caller would use
  void Validate() const;
};

struct DecodedImage {
  cv::Mat bgr;                        // CV_8UC3, upright (EXIF orientation applied); empty unless status is kOk
  Outcome status = Outcome::kOk;      // kOk, kUndecodable, kUnsupported, kTooLarge or kTooSmall
  std::string message;                // what is wrong, for people
  int width = 0;                      // of the upright image at full size; known even when it is too large
  int height = 0;
  double scale = 1;                   // pixels of bgr per pixel of the image: 1, 1/2, 1/4 or 1/8
};

// What the first bytes say of an image's size, without decoding: 0 x 0 when they do not say.
struct PictureSize {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};
PictureSize PeekSize(std::span<const std::uint8_t> bytes);

// Never throws for bad input; a truncated JPEG is kUndecodable.
DecodedImage DecodeImage(std::span<const std::uint8_t> bytes, const DecodeOptions& options);

// Pixels that were never encoded, CV_8UC3, held to the same limits: what DecodeImage makes of their PNG.
DecodedImage TakePixels(const cv::Mat& bgr, const DecodeOptions& options);

// bgr: CV_8UC3 or CV_8UC1. quality 1..100. Same pixels, same bytes. 4:4:4 when quality >= 90, else 4:2:0.
std::vector<std::uint8_t> EncodeJpeg(const cv::Mat& bgr, int quality);
// Writes a PNG atomically; throws std::runtime_error naming the file.
void WritePng(const std::string& path, const cv::Mat& bgr);

}  // namespace auforge::datasets
