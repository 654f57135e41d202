// Numbers as people and programs write them into options, label files, requests and environment variables: the one
// reader of them all. A text is a number from its first character to its last, or it is none: "0.8x", "1/2" and
// "0,8" are none, and neither are hexadecimal numbers, "nan" and "inf". Blanks around a number and one sign before it
// are allowed; the locale changes nothing. Pure functions; safe to call from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace auforge::features {

// Finite, in decimal or scientific notation; nullopt for anything else and for what a double cannot hold.
std::optional<double> ParseNumber(std::string_view text);

// Decimal digits alone, "010" is ten; nullopt for anything else and for what lies outside low..high.
std::optional<std::int64_t> ParseWhole(std::string_view text,
                                       std::int64_t low = std::numeric_limits<std::int64_t>::min(),
                                       std::int64_t high = std::numeric_limits<std::int64_t>::max());
// As ParseWhole, from 0: seeds and counts.
std::optional<std::uint64_t> ParseCount(std::string_view text,
                                        std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace auforge::features
