// IEEE 754 half floats (11 bits of precision, up to 65504) as their bits: what weights are stored in where
// half the room is worth more than digits that measure nothing. Pure functions; the same bits with and
// without F16C.
#pragma once

#include <cstdint>
#include <span>

namespace auforge::features {

// The nearest half, ties to even; beyond 65504 and a half step the infinity of that sign; NaN stays NaN.
std::uint16_t HalfFromFloat(float value);
// Exact.
float FloatFromHalf(std::uint16_t bits);

// The same for `from.size()` values; the spans have the same size.
void HalvesFromFloats(std::span<const float> from, std::span<std::uint16_t> to);
void FloatsFromHalves(std::span<const std::uint16_t> from, std::span<float> to);

// Each value becomes the nearest half's.
void RoundToHalves(std::span<float> values);

}  // namespace auforge::features
