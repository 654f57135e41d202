#include "datasets/query/internal/letters.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace auforge::datasets::query {
namespace {

struct Range {
  std::uint32_t first, last;
};
// Blocks of Unicode, ascending.
constexpr std::array<Range, 16> kUnspaced{{{0x0E00, 0x0EFF},      // Thai, Lao
                                           {0x1000, 0x109F},      // Burmese
                                           {0x1100, 0x11FF},      // Hangul letters
                                           {0x1780, 0x17FF},      // Khmer
                                           {0x2E80, 0x2FDF},      // radicals
                                           {0x3005, 0x3007},      // repetition, zero
                                           {0x3041, 0x318F},      // Kana, Bopomofo, Hangul letters
                                           {0x31A0, 0x31BF},      // Bopomofo
                                           {0x31F0, 0x31FF},      // Kana
                                           {0x3400, 0x4DBF},      // Han
                                           {0x4E00, 0x9FFF},      // Han
                                           {0xA960, 0xA97F},      // Hangul letters
                                           {0xAC00, 0xD7FF},      // Hangul
                                           {0xF900, 0xFAFF},      // Han
                                           {0xFF66, 0xFFDC},      // Kana and Hangul of half width
                                           {0x1B000, 0x3FFFF}}};  // Kana, Han

bool IsUnspaced(std::uint32_t letter) {
  return std::any_of(kUnspaced.begin(), kUnspaced.end(),
                     [letter](const Range& range) { return letter >= range.first && letter <= range.last; });
}

struct Letter {
  std::uint32_t code = 0;  // 0: bytes that are no UTF-8
  std::size_t bytes = 1;
};

// The letter at the beginning of a text that is not empty.
Letter FirstLetter(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
  if (bytes == 1) return {lead, 1};
  if (bytes == 0 || bytes > text.size()) return {};
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  return {code, bytes};
}

}  // namespace

bool HasUnspacedScript(std::string_view text) {
  while (!text.empty()) {
    const Letter letter = FirstLetter(text);
    if (IsUnspaced(letter.code)) return true;
    text.remove_prefix(letter.bytes);
  }
  return false;
}

std::string SpreadLetters(std::string_view text) {
  std::string spread;
  while (!text.empty()) {
    const Letter letter = FirstLetter(text);
    const bool is_apart = IsUnspaced(letter.code);
    if (is_apart) spread += ' ';
    spread += text.substr(0, letter.bytes);
    if (is_apart) spread += ' ';
    text.remove_prefix(letter.bytes);
  }
  return spread;
}

}  // namespace auforge::datasets::query
