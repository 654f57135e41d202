// Eight floats in a register, for the kernels whose sums must come out the same whatever batch or tile they fall into.
// The compiler's vectors, spelt out: from loops over arrays GCC 12 makes one multiply-add a number.
#pragma once

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace auforge::features {

inline constexpr int kLanes = 8;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

inline Lanes Load(const float* from) {
  Lanes lanes;
  __builtin_memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// x * b + sum, rounded once.
inline Lanes MultiplyAdd(float x, Lanes b, Lanes sum) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(_mm256_set1_ps(x), b, sum);
#else
  for (int j = 0; j < kLanes; ++j) sum[j] = __builtin_fmaf(x, b[j], sum[j]);
  return sum;
#endif
}

}  // namespace auforge::features
