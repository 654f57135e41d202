#include "features/internal/convolution_tiles.h"

#if defined(__x86_64__) && defined(__FMA__)

#include <immintrin.h>

#include <algorithm>

// Marks the functions that are compiled for AVX-512. They call nothing of headers but intrinsics: the source
// as a whole is compiled like the rest, so that no inline function becomes one that needs AVX-512 everywhere.
#define AUFORGE_AVX512 gnu::target("avx512f,avx512vl,avx512dq,avx512bw")

namespace auforge::features::internal {
namespace {

constexpr int kWideLanes = 16;
constexpr int kMostVectors = 4;

// 24 of 32 registers hold sums. More than 8 pixels would not find room for their addresses: GCC 12 then
// writes sums to memory in the inner loop, at half the speed.
constexpr int kSums = 24;
constexpr int MostRows(int vectors) { return std::min(8, kSums / vectors); }

// sum[r] += pixel r's `length` floats times the panel's rows; returns the panel behind them.
template <int vectors, int rows>
[[AUFORGE_AVX512, gnu::always_inline]] inline const float* Accumulate(__m512 (&sum)[rows][vectors],
                                                                      const float* const (&pixel)[rows],
                                                                      std::size_t length,
                                                                      const float* panel) {
  for (std::size_t k = 0; k < length; ++k, panel += vectors * kWideLanes) {
    __m512 b[vectors];
    for (int v = 0; v < vectors; ++v) b[v] = _mm512_loadu_ps(panel + v * kWideLanes);
    for (int r = 0; r < rows; ++r) {
      const __m512 x = _mm512_set1_ps(pixel[r][k]);
      for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_fmadd_ps(x, b[v], sum[r][v]);
    }
  }
  return panel;
}

template <int vectors, int rows>
[[AUFORGE_AVX512]] void Tile(const TileTask& task) {
  // The last register may reach beyond the outputs.
  const int unused = vectors * kWideLanes - task.outputs;
  __mmask16 mask[vectors];
  for (int v = 0; v < vectors; ++v) mask[v] = 0xFFFF;
  mask[vectors - 1] = static_cast<__mmask16>(0xFFFF >> unused);
  __m512 sum[rows][vectors];
  for (int v = 0; v < vectors; ++v) {
    const __m512 bias = _mm512_maskz_loadu_ps(mask[v], task.bias + v * kWideLanes);
    for (int r = 0; r < rows; ++r) sum[r][v] = bias;
  }
  const float* panel = task.panel;
  const float* pixel[rows];
  for (int r = 0; r < rows; ++r) pixel[r] = task.source + task.from[r];
  for (int line = 0; line < 3; ++line) {
    panel = Accumulate<vectors, rows>(sum, pixel, task.length, panel);
    for (int r = 0; r < rows; ++r) pixel[r] += task.row;
  }
  if (task.second != nullptr) {
    for (int r = 0; r < rows; ++r) pixel[r] = task.second + task.from_second[r];
    Accumulate<vectors, rows>(sum, pixel, task.second_length, panel);
  }
  const __m512 zero = _mm512_setzero_ps(), most = _mm512_set1_ps(kMostOfActivation);
  for (int r = 0; r < rows; ++r) {
    float* to = task.target + task.to[r];
    for (int v = 0; v < vectors; ++v) {
      __m512 x = sum[r][v];
      x = x > zero ? x : zero;
      _mm512_mask_storeu_ps(to + v * kWideLanes, mask[v], x < most ? x : most);
    }
  }
}

template <int vectors, int rows = MostRows(vectors)>
void AnyTile(int wanted, const TileTask& task) {
  if constexpr (rows > 0) {
    if (wanted == rows) return Tile<vectors, rows>(task);
    AnyTile<vectors, rows - 1>(wanted, task);
  }
}

void Run(int vectors, int rows, const TileTask& task) {
  if (vectors == 1) AnyTile<1>(rows, task);
  if (vectors == 2) AnyTile<2>(rows, task);
  if (vectors == 3) AnyTile<3>(rows, task);
  if (vectors == 4) AnyTile<4>(rows, task);
}

}  // namespace

const TileKernels* WideTiles() {
  static constexpr TileKernels kernels{kWideLanes, kMostVectors, MostRows, Run};
  static const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  return usable ? &kernels : nullptr;
}

}  // namespace auforge::features::internal

#else

namespace auforge::features::internal {
const TileKernels* WideTiles() { return nullptr; }
}  // namespace auforge::features::internal

#endif
