// PNG (RFC 2083) as far as sheets of samples need it: 8 bits, grey or RGB, every line filtered by the one above.
#include <zlib.h>

#include <string_view>

#include "datasets/internal/other_formats.h"

namespace auforge::datasets {
namespace {

using Bytes = std::vector<std::uint8_t>;

void PutWord(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void PutChunk(Bytes& out, std::string_view type, const Bytes& content) {
  PutWord(out, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), content.begin(), content.end());
  PutWord(out, static_cast<std::uint32_t>(crc32(0, out.data() + begin, static_cast<uInt>(out.size() - begin))));
}

// Each line after the number of its filter, 2: the difference to the line above.
Bytes Filtered(const cv::Mat& bgr) {
  const int channels = bgr.channels();
  Bytes lines;
  for (int y = 0; y < bgr.rows; ++y) {
    lines.push_back(2);
    const std::uint8_t* line = bgr.ptr<std::uint8_t>(y);
    const std::uint8_t* above = y > 0 ? bgr.ptr<std::uint8_t>(y - 1) : nullptr;
    for (int x = 0; x < bgr.cols; ++x) {
      for (int c = channels - 1; c >= 0; --c) {
        const int at = x * channels + c;
        lines.push_back(static_cast<std::uint8_t>(line[at] - (above != nullptr ? above[at] : 0)));
      }
    }
  }
  return lines;
}

}  // namespace

bool ReadsOtherFormats() { return false; }

cv::Mat DecodeOtherFormat(std::span<const std::uint8_t>) { return {}; }

std::vector<std::uint8_t> PngOf(const cv::Mat& bgr) {
  if (bgr.empty() || (bgr.type() != CV_8UC3 && bgr.type() != CV_8UC1)) return {};
  const Bytes lines = Filtered(bgr);
  uLongf size = compressBound(static_cast<uLong>(lines.size()));
  Bytes packed(size);
  if (compress(packed.data(), &size, lines.data(), static_cast<uLong>(lines.size())) != Z_OK) return {};
  packed.resize(size);
  Bytes header;
  PutWord(header, static_cast<std::uint32_t>(bgr.cols));
  PutWord(header, static_cast<std::uint32_t>(bgr.rows));
  const std::uint8_t colour = bgr.channels() == 3 ? 2 : 0;
  header.insert(header.end(), {8, colour, 0, 0, 0});
  Bytes out{0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a};
  PutChunk(out, "IHDR", header);
  PutChunk(out, "IDAT", packed);
  PutChunk(out, "IEND", {});
  return out;
}

}  // namespace auforge::datasets
