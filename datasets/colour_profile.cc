#include "datasets/colour_profile.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace auforge::datasets {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::string_view kJpegStart = "\xFF\xD8", kPngStart = "\x89PNG\r\n\x1A\n";
constexpr std::string_view kJpegTag{"ICC_PROFILE\0", 12}, kPngName{"ICC profile\0\0", 13};  // with PNG's one method behind
constexpr std::uint8_t kApp0 = 0xE0, kApp2 = 0xE2, kScan = 0xDA;
constexpr std::size_t kMost = 4U << 20;            // bytes of a profile
constexpr std::size_t kMostInSegment = 65535 - 2 - 12 - 2;
constexpr std::size_t kLeast = 128;                // its header

bool StartsWith(View bytes, std::string_view start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin(), [](char a, std::uint8_t b) {
           return static_cast<std::uint8_t>(a) == b;
         });
}

void Append(Bytes& to, std::string_view text) {
  for (const char c : text) to.push_back(static_cast<std::uint8_t>(c));
}
void Append(Bytes& to, View bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
void AppendNumber(Bytes& to, std::size_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}
std::size_t NumberAt(View bytes, std::size_t at, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// Of the marker at `at` and behind: its bytes and the length's, or 0 where no segment with a length follows.
std::size_t SegmentSize(View jpeg, std::size_t at) {
  if (at + 4 > jpeg.size() || jpeg[at] != 0xFF || jpeg[at + 1] < 0xC0 || jpeg[at + 1] == kScan) return 0;
  const std::size_t length = NumberAt(jpeg, at + 2, 2);
  return length >= 2 && at + 2 + length <= jpeg.size() ? 2 + length : 0;
}

Bytes OfJpeg(View jpeg) {
  std::map<int, View> parts;
  std::size_t wanted = 0;
  std::size_t at = kJpegStart.size();
  for (std::size_t size = SegmentSize(jpeg, at); size > 0; at += size, size = SegmentSize(jpeg, at)) {
    const View segment = jpeg.subspan(at + 4, size - 4);
    if (jpeg[at + 1] != kApp2 || !StartsWith(segment, kJpegTag) || segment.size() < kJpegTag.size() + 2) continue;
    wanted = segment[kJpegTag.size() + 1];
    parts[segment[kJpegTag.size()]] = segment.subspan(kJpegTag.size() + 2);
  }
  Bytes profile;
  if (parts.empty() || parts.size() != wanted || parts.begin()->first != 1 || parts.rbegin()->first != static_cast<int>(wanted)) return profile;
  for (const auto& [number, part] : parts) Append(profile, part);
  return profile;
}

Bytes OfPng(View png) {
  for (std::size_t at = kPngStart.size(); at + 12 <= png.size();) {
    const std::size_t length = NumberAt(png, at, 4);
    if (length > png.size() - at - 12) return {};
    const View type = png.subspan(at + 4, 4), data = png.subspan(at + 8, length);
    if (StartsWith(type, "IDAT")) return {};
    if (StartsWith(type, "iCCP")) {
      const auto end = std::find(data.begin(), data.end(), 0);
      if (data.end() - end < 3) return {};
      const View packed = data.subspan(static_cast<std::size_t>(end - data.begin()) + 2);
      Bytes profile(kMost);
      uLongf size = kMost;
      if (uncompress(profile.data(), &size, packed.data(), packed.size()) != Z_OK) return {};
      profile.resize(size);
      return profile;
    }
    at += 12 + length;
  }
  return {};
}

bool IsOfRgb(View profile) {
  return profile.size() >= kLeast && profile.size() <= kMost && StartsWith(profile.subspan(16), "RGB ") && StartsWith(profile.subspan(36), "acsp");
}

}  // namespace

std::vector<std::uint8_t> ColourProfileOf(std::span<const std::uint8_t> picture) {
  Bytes profile;
  if (StartsWith(picture, kJpegStart)) profile = OfJpeg(picture);
  if (StartsWith(picture, kPngStart)) profile = OfPng(picture);
  return IsOfRgb(profile) ? profile : Bytes{};
}

std::vector<std::uint8_t> WithColourProfile(std::vector<std::uint8_t> picture, std::span<const std::uint8_t> profile) {
  if (profile.empty()) return picture;
  Bytes added;
  std::size_t at = 0;
  if (StartsWith(picture, kJpegStart)) {
    at = kJpegStart.size();
    if (at + 1 < picture.size() && picture[at + 1] == kApp0) at += SegmentSize(picture, at);  // JFIF's comes first
    const std::size_t count = (profile.size() + kMostInSegment - 1) / kMostInSegment;
    for (std::size_t i = 0; i < count; ++i) {
      const View part = profile.subspan(i * kMostInSegment, std::min(kMostInSegment, profile.size() - i * kMostInSegment));
      added.push_back(0xFF);
      added.push_back(kApp2);
      AppendNumber(added, 2 + kJpegTag.size() + 2 + part.size(), 2);
      Append(added, kJpegTag);
      AppendNumber(added, i + 1, 1);
      AppendNumber(added, count, 1);
      Append(added, part);
    }
  } else if (StartsWith(picture, kPngStart)) {
    constexpr std::size_t kHeaderChunk = 25;
    at = kPngStart.size() + kHeaderChunk;
    Bytes packed(compressBound(profile.size()));
    uLongf size = packed.size();
    if (at > picture.size() || compress(packed.data(), &size, profile.data(), profile.size()) != Z_OK) return picture;
    packed.resize(size);
    AppendNumber(added, kPngName.size() + packed.size(), 4);
    Append(added, "iCCP");
    Append(added, kPngName);
    Append(added, packed);
    AppendNumber(added, crc32(0, added.data() + 4, static_cast<uInt>(added.size() - 4)), 4);
  }
  picture.insert(picture.begin() + static_cast<std::ptrdiff_t>(at), added.begin(), added.end());
  return picture;
}

}  // namespace auforge::datasets
