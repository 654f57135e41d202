#include <array>
#include <cstddef>

#include "datasets/internal/text_encoding.h"

namespace auforge::datasets {
namespace {

using namespace std::string_view_literals;

// Length of the UTF-8 character that begins at `at`; 0 when there is none; more than what is left when it is cut.
std::size_t CharacterLength(std::string_view text, std::size_t at) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  for (std::size_t i = 1; i < length && at + i < text.size(); ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  if (length > 2 && at + 1 < text.size()) {
    const unsigned char second = byte(at + 1);
    // Longer than need be, surrogates, beyond the last character.
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F)) {
      return 0;
    }
  }
  return length;
}

// Windows-1252 where it differs from Latin-1.
constexpr std::array<char16_t, 32> kWindows{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
    0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

std::string FromUtf16(std::string_view bytes, bool little) {
  std::string text;
  const auto unit = [&](std::size_t at) {
    const auto a = static_cast<unsigned char>(bytes[at]), b = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(little ? b << 8 | a : a << 8 | b);
  };
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    char32_t c = unit(at);
    if (c >= 0xD800 && c < 0xDC00 && at + 4 <= bytes.size() && unit(at + 2) >= 0xDC00 && unit(at + 2) < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (unit(at + 2) - 0xDC00);
      at += 2;
    }
    AppendUtf8(c, text);
  }
  return text;
}

}  // namespace

bool IsUtf8(std::string_view text, bool may_be_cut) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = CharacterLength(text, at);
    if (length == 0) return false;
    if (at + length > text.size()) return may_be_cut;
    at += length;
  }
  return true;
}

void AppendUtf8(char32_t c, std::string& to) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  const auto put = [&to](char32_t byte) { to += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

std::string WithoutMark(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE"sv)) return FromUtf16(bytes.substr(2), true);
  if (bytes.starts_with("\xFE\xFF"sv)) return FromUtf16(bytes.substr(2), false);
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) bytes.remove_prefix(3);
  return std::string(bytes);
}

std::string Utf8Text(std::string_view bytes) {
  const std::string text = WithoutMark(bytes);
  if (IsUtf8(text)) return text;
  std::string clean;
  clean.reserve(text.size() + text.size() / 8);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = CharacterLength(text, at);
    if (length > 0 && at + length <= text.size()) {
      clean.append(text, at, length);
      at += length;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[at++]);
    AppendUtf8(byte >= 0x80 && byte < 0xA0 ? kWindows[byte - 0x80U] : byte, clean);
  }
  return clean;
}

}  // namespace auforge::datasets
