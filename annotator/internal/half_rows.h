// Matrices of half floats with a power of two for each row, so that rows of any magnitude keep 11 bits: what
// projections and centres are stored as. Row-major; the last dimension is `width` > 0, which divides the
// size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace auforge::annotator {

struct HalfRows {
  std::vector<std::uint16_t> halves;  // bits, rows x width
  std::vector<float> scale;           // rows; value = half * scale
};

HalfRows ToHalfRows(std::span<const float> values, std::size_t width);
std::vector<float> FromHalfRows(const HalfRows& rows, std::size_t width);
// Each value becomes what it would be read back as. Twice is the same as once.
void RoundHalfRows(std::span<float> values, std::size_t width);

}  // namespace auforge::annotator
