// Pictures of kinds that OpenCV does not write, made from those that it does.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace auforge::tests {

// EXIF with nothing but an orientation 1..8, as a TIFF structure without "Exif\0\0".
std::string ExifBlock(int orientation);
// The file with that block: eXIf of a PNG (before or behind the picture's data), EXIF of a WebP.
std::string PngWithOrientation(const std::string& png, int orientation, bool behind = false);
std::string WebpWithOrientation(const std::string& webp, int width, int height, int orientation);
// An uncompressed TIFF, CV_8UC3; big: with 64-bit offsets.
std::string MakeTiff(const cv::Mat& bgr, int orientation, bool big);
// 64 x 64 pixels in one tile of 65,520 x 16,000: a gigabyte to unpack.
std::string TiffOfAHugeTile();
// Two frames, each a WebP of its own, at (x, y) of a canvas.
std::string AnimatedWebp(const std::string& first, const std::string& second, cv::Size frame, cv::Point at, cv::Size canvas);
// What a viewer turns by this orientation to show `upright`.
cv::Mat TurnedBack(const cv::Mat& upright, int orientation);
// The first bytes of an ISO media file of that brand ("heic", "avif", "isom").
std::string MediaFile(const std::string& brand);
// What macOS puts beside photo.jpg as ._photo.jpg.
std::string AppleDouble();

}  // namespace auforge::tests
