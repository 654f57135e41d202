// CRC-32C (Castagnoli) for corruption, SHA-256 for identity. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace auforge::datasets::storage {

std::uint32_t Crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);
std::array<std::uint8_t, 32> Sha256(std::span<const std::uint8_t> bytes);
std::string HexDigest(std::span<const std::uint8_t> bytes);  // lower case
std::string Sha256Hex(std::string_view text);

}  // namespace auforge::datasets::storage
