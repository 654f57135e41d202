#include "annotator/internal/half_rows.h"

#include <algorithm>
#include <cmath>

#include "features/half_float.h"

namespace auforge::annotator {
namespace {

// The largest number of a row lies in 2^14..2^15: far from infinity, and 28 binades above where halves lose
// digits.
constexpr int kTopBinade = 14;
constexpr int kLeastExponent = -100;  // of a scale: half * scale stays a normal float

float ScaleOf(std::span<const float> row) {
  float most = 0;
  for (const float v : row) most = std::max(most, std::abs(v));
  if (most == 0 || !std::isfinite(most)) return 1;
  const float scale = std::ldexp(1.0F, std::max(std::ilogb(most) - kTopBinade, kLeastExponent));
  // Rounded up to the next binade it must have that one's scale, or rounding again would change its row.
  const float top = features::FloatFromHalf(features::HalfFromFloat(most / scale));
  return top >= std::ldexp(1.0F, kTopBinade + 1) ? 2 * scale : scale;
}

}  // namespace

HalfRows ToHalfRows(std::span<const float> values, std::size_t width) {
  HalfRows rows;
  rows.halves.resize(values.size());
  std::vector<float> scaled(width);
  for (std::size_t at = 0; at < values.size(); at += width) {
    const auto row = values.subspan(at, width);
    rows.scale.push_back(ScaleOf(row));
    const float inverse = 1 / rows.scale.back();
    std::transform(row.begin(), row.end(), scaled.begin(), [inverse](float v) { return v * inverse; });
    features::HalvesFromFloats(scaled, std::span(rows.halves).subspan(at, width));
  }
  return rows;
}

std::vector<float> FromHalfRows(const HalfRows& rows, std::size_t width) {
  std::vector<float> values(rows.halves.size());
  features::FloatsFromHalves(rows.halves, values);
  for (std::size_t i = 0; i < rows.scale.size(); ++i) {
    for (float& v : std::span(values).subspan(i * width, width)) v *= rows.scale[i];
  }
  return values;
}

void RoundHalfRows(std::span<float> values, std::size_t width) {
  const std::vector<float> rounded = FromHalfRows(ToHalfRows(values, width), width);
  std::copy(rounded.begin(), rounded.end(), values.begin());
}

}  // namespace auforge::annotator
