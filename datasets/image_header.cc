#include <algorithm>
#include <cstring>
#include <string_view>

#include "datasets/internal/image_header.h"

namespace auforge::datasets {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool StartsWith(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

// An unsigned number of `size` bytes; 0 beyond the end.
std::uint64_t Number(Bytes bytes, std::size_t at, std::size_t size, bool little_endian) {
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | bytes[at + (little_endian ? size - 1 - i : i)];
  }
  return value;
}

void ReadPng(Bytes bytes, ImageHeader& header) {
  header.width = Number(bytes, 16, 4, false);
  header.height = Number(bytes, 20, 4, false);
}

void ReadBmp(Bytes bytes, ImageHeader& header) {
  const auto magnitude = [&](std::size_t at) {
    const auto value = static_cast<std::int32_t>(Number(bytes, at, 4, true));
    return static_cast<std::uint64_t>(value < 0 ? -static_cast<std::int64_t>(value) : value);
  };
  header.width = magnitude(18);
  header.height = magnitude(22);
}

void ReadWebp(Bytes bytes, ImageHeader& header) {
  if (StartsWith(bytes, "VP8 ", 12)) {
    header.width = Number(bytes, 26, 2, true) & 0x3FFF;
    header.height = Number(bytes, 28, 2, true) & 0x3FFF;
  } else if (StartsWith(bytes, "VP8L", 12)) {
    const std::uint64_t bits = Number(bytes, 21, 4, true);
    header.width = (bits & 0x3FFF) + 1;
    header.height = (bits >> 14 & 0x3FFF) + 1;
  } else if (StartsWith(bytes, "VP8X", 12)) {
    header.width = Number(bytes, 24, 3, true) + 1;
    header.height = Number(bytes, 27, 3, true) + 1;
  }
}

void ReadTiff(Bytes bytes, ImageHeader& header) {
  const bool little = bytes[0] == 'I';
  const std::size_t directory = Number(bytes, 4, 4, little);
  const std::size_t entries = std::min<std::uint64_t>(Number(bytes, directory, 2, little), 4096);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    const std::uint64_t tag = Number(bytes, at, 2, little);
    const std::uint64_t type = Number(bytes, at + 2, 2, little);
    const std::uint64_t value = Number(bytes, at + 8, type == 3 ? 2 : 4, little);
    if (tag == 256) header.width = value;
    if (tag == 257) header.height = value;
  }
}

void ReadGif(Bytes bytes, ImageHeader& header) {
  header.width = Number(bytes, 6, 2, true);
  header.height = Number(bytes, 8, 2, true);
}

// From the first start-of-frame segment.
void ReadJpeg(Bytes bytes, ImageHeader& header) {
  std::size_t at = 2;
  while (at + 9 <= bytes.size() && bytes[at] == 0xFF) {
    const std::uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return;
    const bool is_frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) {
      header.height = Number(bytes, at + 5, 2, false);
      header.width = Number(bytes, at + 7, 2, false);
      return;
    }
    at += 2 + Number(bytes, at + 2, 2, false);
  }
}

// Orientation from the TIFF structure inside an APP1 segment.
int ExifOrientation(Bytes exif) {
  if (!StartsWith(exif, std::string_view("Exif\0\0", 6))) return 1;
  const Bytes tiff = exif.subspan(6);
  if (tiff.size() < 8 || (tiff[0] != 'I' && tiff[0] != 'M')) return 1;
  const bool little = tiff[0] == 'I';
  const std::size_t directory = Number(tiff, 4, 4, little);
  const std::size_t entries = Number(tiff, directory, 2, little);
  for (std::size_t i = 0; i < entries && directory + 14 + 12 * i <= tiff.size(); ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (Number(tiff, at, 2, little) != 0x0112) continue;
    const auto value = static_cast<int>(Number(tiff, at + 8, 2, little));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace

ImageHeader ReadImageHeader(Bytes bytes) {
  ImageHeader header;
  if (StartsWith(bytes, "\xFF\xD8\xFF")) {
    header.format = ImageFormat::kJpeg;
    ReadJpeg(bytes, header);
  } else if (StartsWith(bytes, "\x89PNG\r\n\x1A\n")) {
    header.format = ImageFormat::kPng;
    ReadPng(bytes, header);
  } else if (StartsWith(bytes, "RIFF") && StartsWith(bytes, "WEBP", 8)) {
    header.format = ImageFormat::kWebp;
    ReadWebp(bytes, header);
  } else if (StartsWith(bytes, "BM") && bytes.size() > 26) {
    header.format = ImageFormat::kBmp;
    ReadBmp(bytes, header);
  } else if (StartsWith(bytes, std::string_view("II*\0", 4)) || StartsWith(bytes, std::string_view("MM\0*", 4))) {
    header.format = ImageFormat::kTiff;
    ReadTiff(bytes, header);
  } else if (StartsWith(bytes, "GIF87a") || StartsWith(bytes, "GIF89a")) {
    header.format = ImageFormat::kGif;
    ReadGif(bytes, header);
  }
  return header;
}

int JpegOrientation(Bytes bytes) {
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const std::uint8_t marker = bytes[at + 1];
    if (marker == 0xDA || marker == 0xD9) break;  // picture data begins: no EXIF after it
    const std::size_t length = Number(bytes, at + 2, 2, false);
    if (length < 2 || length > bytes.size() - at - 2) break;
    if (marker == 0xE1) {
      const int orientation = ExifOrientation(bytes.subspan(at + 4, length - 2));
      if (orientation != 1) return orientation;
    }
    at += 2 + length;
  }
  return 1;
}

std::string FormatName(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg: return "JPEG";
    case ImageFormat::kPng: return "PNG";
    case ImageFormat::kWebp: return "WebP";
    case ImageFormat::kBmp: return "BMP";
    case ImageFormat::kTiff: return "TIFF";
    case ImageFormat::kGif: return "GIF";
    case ImageFormat::kUnknown: break;
  }
  return "unknown format";
}

}  // namespace auforge::datasets
