#include "tests/support/picture_files.h"

#include <cstdint>
#include <opencv2/core.hpp>

namespace auforge::tests {
namespace {

std::string Number(std::uint64_t value, int size, bool little) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (int i = 0; i < size; ++i) {
    bytes[static_cast<std::size_t>(little ? i : size - 1 - i)] = static_cast<char>(value >> 8 * i & 0xFF);
  }
  return bytes;
}

std::uint32_t Crc(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (0xEDB88320 & (0U - (crc & 1)));
  }
  return ~crc;
}

std::string RiffChunk(const std::string& name, const std::string& content) {
  return name + Number(content.size(), 4, true) + content + std::string(content.size() & 1, '\0');
}

std::string RiffFile(const std::string& chunks) { return "RIFF" + Number(chunks.size() + 4, 4, true) + "WEBP" + chunks; }

std::string ExtendedHeader(char flags, cv::Size size) {
  return RiffChunk("VP8X", std::string(1, flags) + std::string(3, '\0') + Number(static_cast<std::uint64_t>(size.width) - 1, 3, true) +
                               Number(static_cast<std::uint64_t>(size.height) - 1, 3, true));
}

// The chunks of a still WebP that hold its picture.
std::string PictureChunks(const std::string& webp) {
  const std::string chunks = webp.substr(12);
  return chunks.starts_with("VP8X") ? chunks.substr(18) : chunks;
}

}  // namespace

std::string ExifBlock(int orientation) {
  return std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18) + Number(static_cast<std::uint64_t>(orientation), 4, true) +
         std::string(4, '\0');
}

std::string PngWithOrientation(const std::string& png, int orientation, bool behind) {
  const std::string content = "eXIf" + ExifBlock(orientation);
  const std::string chunk = Number(content.size() - 4, 4, false) + content + Number(Crc(content), 4, false);
  const std::size_t at = behind ? png.size() - 12 : 33;  // before IEND, or behind IHDR
  return png.substr(0, at) + chunk + png.substr(at);
}

std::string WebpWithOrientation(const std::string& webp, int width, int height, int orientation) {
  return RiffFile(ExtendedHeader(0x08, {width, height}) + PictureChunks(webp) + RiffChunk("EXIF", ExifBlock(orientation)));
}

std::string MakeTiff(const cv::Mat& bgr, int orientation, bool big) {
  std::string pixels;
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3b p = bgr.at<cv::Vec3b>(y, x);
      for (const int c : {2, 1, 0}) pixels += static_cast<char>(p[c]);
    }
  }
  const int offset = big ? 8 : 4;
  const std::uint64_t header = big ? 16 : 8;
  std::string extra = Number(8, 2, true) + Number(8, 2, true) + Number(8, 2, true) + std::string(2, '\0');
  const std::uint64_t depths_at = header + pixels.size();
  const auto entry = [&](int tag, int type, std::uint64_t count, std::uint64_t value) {
    const int width = type == 3 && count == 1 ? 2 : offset;
    return Number(static_cast<std::uint64_t>(tag), 2, true) + Number(static_cast<std::uint64_t>(type), 2, true) + Number(count, offset, true) +
           Number(value, width, true) + std::string(static_cast<std::size_t>(offset - width), '\0');
  };
  const auto columns = static_cast<std::uint64_t>(bgr.cols), rows = static_cast<std::uint64_t>(bgr.rows);
  std::string depths = entry(258, 3, 3, depths_at);
  if (big) depths = depths.substr(0, 12) + extra;  // they fit into the entry
  const int position = big ? 16 : 4;
  const std::string entries = entry(256, 3, 1, columns) + entry(257, 3, 1, rows) + depths + entry(259, 3, 1, 1) + entry(262, 3, 1, 2) +
                              entry(273, position, 1, header) + entry(274, 3, 1, static_cast<std::uint64_t>(orientation)) +
                              entry(277, 3, 1, 3) + entry(278, 3, 1, rows) + entry(279, position, 1, pixels.size());
  const std::uint64_t directory = depths_at + extra.size();
  const std::string start = big ? std::string("II+\0\x08\0\0\0", 8) + Number(directory, 8, true) : std::string("II*\0", 4) + Number(directory, 4, true);
  return start + pixels + extra + Number(10, big ? 8 : 2, true) + entries + std::string(static_cast<std::size_t>(offset), '\0');
}

std::string TiffOfAHugeTile() {
  std::string tiff = std::string("II*\0\x08\0\0\0", 8) + Number(11, 2, true);
  for (const auto& [tag, value] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {256, 64}, {257, 64}, {258, 8}, {259, 1}, {262, 1}, {277, 1}, {284, 1}, {322, 65520}, {323, 16000}, {324, 8}, {325, 400}})
    tiff += Number(tag, 2, true) + Number(4, 2, true) + Number(1, 4, true) + Number(value, 4, true);
  tiff.resize(600);
  return tiff;
}

std::string AnimatedWebp(const std::string& first, const std::string& second, cv::Size frame, cv::Point at, cv::Size canvas) {
  const auto animation_frame = [&](const std::string& webp) {
    const std::string head = Number(static_cast<std::uint64_t>(at.x) / 2, 3, true) + Number(static_cast<std::uint64_t>(at.y) / 2, 3, true) +
                             Number(static_cast<std::uint64_t>(frame.width) - 1, 3, true) +
                             Number(static_cast<std::uint64_t>(frame.height) - 1, 3, true) + Number(100, 3, true) + std::string(1, '\0');
    return RiffChunk("ANMF", head + PictureChunks(webp));
  };
  return RiffFile(ExtendedHeader(0x12, canvas) + RiffChunk("ANIM", std::string(6, '\0')) + animation_frame(first) + animation_frame(second));
}

cv::Mat TurnedBack(const cv::Mat& upright, int orientation) {
  cv::Mat stored;
  switch (orientation) {
    case 2: cv::flip(upright, stored, 1); break;
    case 3: cv::flip(upright, stored, -1); break;
    case 4: cv::flip(upright, stored, 0); break;
    case 5: cv::transpose(upright, stored); break;
    case 6: cv::rotate(upright, stored, cv::ROTATE_90_COUNTERCLOCKWISE); break;
    case 7: cv::transpose(upright, stored), cv::flip(stored, stored, -1); break;
    case 8: cv::rotate(upright, stored, cv::ROTATE_90_CLOCKWISE); break;
    default: stored = upright.clone();
  }
  return stored;
}

std::string MediaFile(const std::string& brand) {
  return std::string("\0\0\0\x18", 4) + "ftyp" + brand + std::string(4, '\0') + "mif1" + brand + std::string(400, '\x07');
}

std::string AppleDouble() {
  return std::string("\0\x05\x16\x07\0\x02\0\0Mac OS X        ", 24) + std::string(200, '\0');
}

}  // namespace auforge::tests
