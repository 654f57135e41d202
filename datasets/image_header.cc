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

// The first directory of a TIFF structure, which EXIF is, too.
class TiffDirectory {
 public:
  struct Entry {
    std::uint64_t tag = 0, value = 0;  // value: of numbers of 16 and 32 bits that stand in the entry itself
  };

  explicit TiffDirectory(Bytes bytes) : bytes_(bytes) {
    little_ = StartsWith(bytes, "II");
    if (!little_ && !StartsWith(bytes, "MM")) return;
    const std::uint64_t version = Number(bytes, 2, 2, little_);
    is_big_ = version == 43;
    if (version != 42 && !is_big_) return;
    const std::uint64_t at = is_big_ ? Number(bytes, 8, 8, little_) : Number(bytes, 4, 4, little_);
    if (at == 0 || at >= bytes.size()) return;
    count_ = std::min<std::uint64_t>(Number(bytes, at, is_big_ ? 8 : 2, little_), 4096);
    first_ = at + (is_big_ ? 8 : 2);
  }

  bool is_big() const { return is_big_; }
  std::size_t size() const { return count_; }
  std::size_t Position(std::size_t i) const { return first_ + (is_big_ ? 20 : 12) * i; }
  Entry operator[](std::size_t i) const {
    const std::size_t at = Position(i);
    const std::uint64_t type = Number(bytes_, at + 2, 2, little_);
    const std::size_t width = type == 3 ? 2 : type == 16 ? 8 : 4;
    return {Number(bytes_, at, 2, little_), Number(bytes_, at + (is_big_ ? 12 : 8), is_big_ || width < 8 ? width : 4, little_)};
  }

 private:
  Bytes bytes_;
  bool little_ = false, is_big_ = false;
  std::size_t first_ = 0, count_ = 0;
};

void ReadTiff(Bytes bytes, ImageHeader& header) {
  const TiffDirectory directory(bytes);
  bool is_preview = false, has_more = false;
  for (std::size_t i = 0; i < directory.size(); ++i) {
    const auto [tag, value] = directory[i];
    if (tag == 256) header.width = value;
    if (tag == 257) header.height = value;
    if (tag == 322) header.tile_width = value;
    if (tag == 323) header.tile_height = value;
    if (tag == 254) is_preview = (value & 1) != 0;
    if (tag == 330) has_more = true;
    if (tag == 50706) header.is_raw = true;  // DNGVersion
  }
  header.is_big_tiff = directory.is_big();
  const bool is_canon = StartsWith(bytes, "CR", 8);
  header.is_raw = header.is_raw || is_canon || (is_preview && has_more);
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

int TiffOrientation(Bytes tiff) {
  const TiffDirectory directory(tiff);
  for (std::size_t i = 0; i < directory.size(); ++i) {
    if (directory[i].tag != 0x0112) continue;
    const std::uint64_t value = directory[i].value;
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

constexpr std::string_view kExifMark("Exif\0\0", 6);

int JpegOrientation(Bytes bytes) {
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const std::uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;  // picture data begins: no EXIF after it
    const std::size_t length = Number(bytes, at + 2, 2, false);
    if (length < 2 || length > bytes.size() - at - 2) break;
    const Bytes segment = bytes.subspan(at + 4, length - 2);
    if (marker == 0xE1 && StartsWith(segment, kExifMark)) {
      const int orientation = TiffOrientation(segment.subspan(kExifMark.size()));
      if (orientation != 1) return orientation;
    }
    at += 2 + length;
  }
  return 1;
}

// eXIf may stand before or behind the picture's data.
int PngOrientation(Bytes bytes) {
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = Number(bytes, at, 4, false);
    if (length > bytes.size() - at - 12) break;
    if (StartsWith(bytes, "eXIf", at + 4)) {
      Bytes exif = bytes.subspan(at + 8, length);
      if (StartsWith(exif, kExifMark)) exif = exif.subspan(kExifMark.size());
      return TiffOrientation(exif);
    }
    at += 12 + length;
  }
  return 1;
}

// Calls visit(name, content, whole) for every chunk of a RIFF file or of a frame from `at` on until it returns true;
// content is what is there of it, whole tells whether that is all.
template <typename Visit>
void ForEachChunk(Bytes bytes, std::size_t at, const Visit& visit) {
  while (at + 8 <= bytes.size()) {
    const std::size_t length = Number(bytes, at + 4, 4, true);
    const std::size_t there = std::min(length, bytes.size() - at - 8);
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()) + at, 4);
    if (visit(name, bytes.subspan(at + 8, there), there == length)) return;
    if (there < length) return;
    at += 8 + length + (length & 1);
  }
}

int WebpOrientation(Bytes bytes) {
  int orientation = 1;
  ForEachChunk(bytes, 12, [&orientation](std::string_view name, Bytes content, bool) {
    if (name != "EXIF") return false;
    if (StartsWith(content, kExifMark)) content = content.subspan(kExifMark.size());
    orientation = TiffOrientation(content);
    return true;
  });
  return orientation;
}

void AppendNumber(std::vector<std::uint8_t>& to, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void AppendChunk(std::vector<std::uint8_t>& to, std::string_view name, Bytes content) {
  to.insert(to.end(), name.begin(), name.end());
  AppendNumber(to, content.size(), 4);
  to.insert(to.end(), content.begin(), content.end());
  if ((content.size() & 1) != 0) to.push_back(0);
}

// A frame's chunks (ALPH, VP8 or VP8L) as a file; empty when it is cut off.
std::vector<std::uint8_t> StillWebp(Bytes frame, std::uint64_t width, std::uint64_t height) {
  std::vector<std::uint8_t> chunks;
  bool has_alpha = false, has_picture = false;
  ForEachChunk(frame, 16, [&](std::string_view name, Bytes content, bool whole) {
    const bool is_picture = name == "VP8 " || name == "VP8L";
    if (!whole || (!is_picture && name != "ALPH")) return !whole;
    has_alpha = has_alpha || name == "ALPH";
    has_picture = is_picture;
    AppendChunk(chunks, name, content);
    return is_picture;
  });
  if (!has_picture) return {};
  std::vector<std::uint8_t> header;
  if (has_alpha) {
    header.push_back(0x10);
    AppendNumber(header, 0, 3);
    AppendNumber(header, width - 1, 3);
    AppendNumber(header, height - 1, 3);
  }
  std::vector<std::uint8_t> still{'R', 'I', 'F', 'F'};
  AppendNumber(still, 4 + (has_alpha ? 8 + header.size() : 0) + chunks.size(), 4);
  still.insert(still.end(), {'W', 'E', 'B', 'P'});
  if (has_alpha) AppendChunk(still, "VP8X", header);
  still.insert(still.end(), chunks.begin(), chunks.end());
  return still;
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
  } else if (StartsWith(bytes, "BM") && bytes.size() > 26 && Number(bytes, 14, 4, true) >= 12 && Number(bytes, 14, 4, true) <= 255) {
    header.format = ImageFormat::kBmp;
    ReadBmp(bytes, header);
  } else if (StartsWith(bytes, std::string_view("II*\0", 4)) || StartsWith(bytes, std::string_view("MM\0*", 4)) ||
             StartsWith(bytes, std::string_view("II+\0\x08\0", 6)) || StartsWith(bytes, std::string_view("MM\0+\0\x08", 6))) {
    header.format = ImageFormat::kTiff;
    ReadTiff(bytes, header);
  } else if (StartsWith(bytes, "GIF87a") || StartsWith(bytes, "GIF89a")) {
    header.format = ImageFormat::kGif;
    ReadGif(bytes, header);
  }
  return header;
}

int Orientation(Bytes bytes, ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg: return JpegOrientation(bytes);
    case ImageFormat::kPng: return PngOrientation(bytes);
    case ImageFormat::kWebp: return WebpOrientation(bytes);
    case ImageFormat::kTiff: return TiffOrientation(bytes);
    default: return 1;
  }
}

std::vector<std::uint8_t> WithoutTiffOrientation(Bytes bytes) {
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  const TiffDirectory directory(bytes);
  for (std::size_t i = 0; i < directory.size(); ++i) {
    const std::size_t at = directory.Position(i);
    // 32768 and more are private tags, of which readers make nothing.
    if (directory[i].tag == 0x0112 && at + 2 <= copy.size()) copy[at] = copy[at + 1] = 0xFE;
  }
  return copy;
}

bool IsAnimatedWebp(Bytes bytes) {
  return StartsWith(bytes, "WEBP", 8) && StartsWith(bytes, "VP8X", 12) && bytes.size() > 20 && (bytes[20] & 2) != 0;
}

std::optional<WebpFrame> FirstWebpFrame(Bytes bytes) {
  if (!IsAnimatedWebp(bytes)) return std::nullopt;
  std::optional<WebpFrame> first;
  ForEachChunk(bytes, 12, [&first](std::string_view name, Bytes content, bool) {
    if (name != "ANMF") return false;
    if (content.size() < 16) return true;
    WebpFrame frame;
    frame.x = 2 * Number(content, 0, 3, true);
    frame.y = 2 * Number(content, 3, 3, true);
    frame.width = Number(content, 6, 3, true) + 1;
    frame.height = Number(content, 9, 3, true) + 1;
    frame.still = StillWebp(content, frame.width, frame.height);
    if (!frame.still.empty()) first = std::move(frame);
    return true;
  });
  return first;
}

std::string_view FormatName(ImageFormat format) {
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
