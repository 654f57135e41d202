#include "features/half_float.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>

namespace auforge::features {
namespace {

constexpr int kSignShift = 16;
constexpr std::uint32_t kSign = 0x80000000U;
constexpr int kDroppedBits = 13;  // of the 23 behind the point of a float; a half has 10
constexpr std::uint32_t kFloatInfinity = 0x7F800000U;
constexpr std::uint32_t kSmallestNormal = 0x38800000U;  // 2^-14
constexpr std::uint32_t kExponentStep = 112U << 23U;    // between the biases 127 and 15
constexpr std::uint16_t kHalfInfinity = 0x7C00U, kHalfQuiet = 0x0200U;

}  // namespace

std::uint16_t HalfFromFloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits & kSign) >> kSignShift);
  const std::uint32_t size = bits & ~kSign;
  std::uint32_t half = 0;
  if (size > kFloatInfinity) {
    half = kHalfInfinity | kHalfQuiet | ((size >> kDroppedBits) & 0x3FFU);
  } else if (size < kSmallestNormal) {
    // Multiples of 2^-24: adding 1/2 leaves just these digits, rounded by the machine to nearest, ties to
    // even.
    half =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  } else {
    const std::uint32_t odd = (size >> kDroppedBits) & 1U;
    half = (size - kExponentStep + 0xFFFU + odd) >> kDroppedBits;
    if (half > kHalfInfinity || size == kFloatInfinity) half = kHalfInfinity;
  }
  return static_cast<std::uint16_t>(sign | half);
}

float FloatFromHalf(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << kSignShift;
  const std::uint32_t size = bits & 0x7FFFU;
  std::uint32_t value = size << kDroppedBits;
  if (size > kHalfInfinity) {
    value |= kFloatInfinity | 0x00400000U;
  } else if (size == kHalfInfinity) {
    value = kFloatInfinity;
  } else if (size >= 0x400U) {
    value += kExponentStep;
  } else {
    value = std::bit_cast<std::uint32_t>(std::ldexp(static_cast<float>(size), -24));
  }
  return std::bit_cast<float>(sign | value);
}

void HalvesFromFloats(std::span<const float> from, std::span<std::uint16_t> to) {
  std::size_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= from.size(); i += 8) {
    const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(from.data() + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to.data() + i), halves);
  }
#endif
  for (; i < from.size(); ++i) to[i] = HalfFromFloat(from[i]);
}

void FloatsFromHalves(std::span<const std::uint16_t> from, std::span<float> to) {
  std::size_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= from.size(); i += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data() + i));
    _mm256_storeu_ps(to.data() + i, _mm256_cvtph_ps(halves));
  }
#endif
  for (; i < from.size(); ++i) to[i] = FloatFromHalf(from[i]);
}

void RoundToHalves(std::span<float> values) {
  for (float& v : values) v = FloatFromHalf(HalfFromFloat(v));
}

}  // namespace auforge::features
