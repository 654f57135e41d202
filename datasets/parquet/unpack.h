// Pages unpacked, from untrusted bytes. Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/parquet/format.h"

namespace auforge::datasets::parquet {

// The raw Snappy format: a length, then literals and copies. False where the bytes are damaged or do not make exactly
// bytes.size().
bool UnpackSnappy(std::span<const std::uint8_t> packed, std::span<std::uint8_t> bytes);

// A page of `size` bytes. Throws Fault naming the codec where it is not read, or where the bytes are damaged.
std::vector<std::uint8_t> Unpack(Codec codec, std::span<const std::uint8_t> packed, std::size_t size);

}  // namespace auforge::datasets::parquet
