#include "features/number.h"

#include <charconv>

namespace auforge::features {
namespace {

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Without blanks around it and without a "+"; empty where what is left cannot begin a number.
std::string_view Token(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return {};
  }
  return text;
}

template <typename T>
std::optional<T> Whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> ParseNumber(std::string_view text) {
  text = Token(text);
  const std::string_view magnitude = text.starts_with('-') ? text.substr(1) : text;
  // from_chars would take "inf" and "nan" as well.
  if (magnitude.empty() || !(IsDigit(magnitude.front()) || magnitude.front() == '.')) return std::nullopt;
  return Whole<double>(text);
}

std::optional<std::int64_t> ParseWhole(std::string_view text, std::int64_t low, std::int64_t high) {
  const auto value = Whole<std::int64_t>(Token(text));
  return value && *value >= low && *value <= high ? value : std::nullopt;
}

std::optional<std::uint64_t> ParseCount(std::string_view text, std::uint64_t most) {
  const auto value = Whole<std::uint64_t>(Token(text));
  return value && *value <= most ? value : std::nullopt;
}

}  // namespace auforge::features
