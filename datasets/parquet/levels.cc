#include "datasets/parquet/levels.h"

#include <algorithm>
#include <bit>

namespace auforge::datasets::parquet {
namespace {

constexpr std::size_t kGroup = 8;

void AppendVarint(std::uint64_t value, std::string& to) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>((value & 0x7F) | 0x80);
  to += static_cast<char>(value);
}

std::size_t RunAt(std::span<const std::uint32_t> values, std::size_t at) {
  std::size_t end = at + 1;
  while (end < values.size() && values[end] == values[at]) ++end;
  return end - at;
}

void AppendRun(std::uint32_t value, std::size_t count, int width, std::string& to) {
  AppendVarint(count << 1, to);
  for (int bit = 0; bit < width; bit += 8) to += static_cast<char>(value >> bit & 0xFF);
}

// As many groups of eight as the values fill, the last one with zeros.
void AppendPacked(std::span<const std::uint32_t> values, int width, std::string& to) {
  const std::size_t groups = (values.size() + kGroup - 1) / kGroup;
  AppendVarint(groups << 1 | 1, to);
  std::uint64_t pending = 0;
  int bits = 0;
  for (std::size_t i = 0; i < groups * kGroup; ++i) {
    pending |= std::uint64_t{i < values.size() ? values[i] : 0} << bits;
    for (bits += width; bits >= 8; bits -= 8, pending >>= 8) to += static_cast<char>(pending & 0xFF);
  }
}

}  // namespace

int BitWidth(std::uint32_t highest) { return std::bit_width(highest); }

void AppendHybrid(std::span<const std::uint32_t> values, int width, std::string& to) {
  std::size_t begin = 0;  // of what is to be packed
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t run = RunAt(values, at);
    // Groups that are packed must be full, except for the last.
    const std::size_t fill = (kGroup - (at - begin) % kGroup) % kGroup;
    if (run < fill + kGroup) {
      at += run;
      continue;
    }
    if (at + fill > begin) AppendPacked(values.subspan(begin, at + fill - begin), width, to);
    AppendRun(values[at], run - fill, width, to);
    begin = at += run;
  }
  if (begin < values.size()) AppendPacked(values.subspan(begin), width, to);
}

bool HybridReader::NextRun() {
  std::uint64_t header = 0;
  for (int shift = 0;; shift += 7) {
    if (bytes_.empty() || shift > 35) return false;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    header |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) == 0) break;
  }
  if ((header & 1) != 0) {
    packed_ = (header >> 1) * kGroup;
    bit_ = 0;
    // A last group may lack what no value needs.
    return packed_ > 0;
  }
  repeated_ = header >> 1;
  const std::size_t size = static_cast<std::size_t>(width_ + 7) / 8;
  if (bytes_.size() < size || repeated_ == 0) return false;
  value_ = 0;
  for (std::size_t i = 0; i < size; ++i) value_ |= std::uint32_t{bytes_[i]} << (8 * i);
  bytes_ = bytes_.subspan(size);
  return true;
}

bool HybridReader::Read(std::span<std::uint32_t> values) {
  const auto width = static_cast<std::uint64_t>(width_);
  for (std::size_t at = 0; at < values.size();) {
    if (repeated_ > 0) {
      const std::size_t count = std::min<std::uint64_t>(repeated_, values.size() - at);
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(at), count, value_);
      repeated_ -= count;
      at += count;
    } else if (packed_ > 0) {
      if (bit_ + width > bytes_.size() * 8) return false;
      std::uint64_t bits = 0;
      const std::uint64_t first = bit_ / 8, last = (bit_ + width + 7) / 8;
      for (std::uint64_t i = first; i < last; ++i) bits |= std::uint64_t{bytes_[i]} << (8 * (i - first));
      values[at++] = static_cast<std::uint32_t>(bits >> bit_ % 8 & ((std::uint64_t{1} << width) - 1));
      bit_ += width;
      if (--packed_ == 0) bytes_ = bytes_.subspan(std::min<std::size_t>((bit_ + 7) / 8, bytes_.size()));
    } else if (!NextRun()) {
      return false;
    }
  }
  return true;
}

}  // namespace auforge::datasets::parquet
