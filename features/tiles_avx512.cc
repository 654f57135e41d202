#include "features/tiles.h"

#if defined(__x86_64__) && defined(__FMA__)

#include <immintrin.h>

#include <algorithm>

// Marks the functions that are compiled for AVX-512. They call nothing of headers but intrinsics: the source
// as a whole is compiled like the rest, so that no inline function becomes one that needs AVX-512 everywhere.
#define AUFORGE_AVX512 gnu::target("avx512f,avx512vl,avx512dq,avx512bw")

namespace auforge::features {
namespace {

constexpr int kWideLanes = 16;
constexpr int kMostVectors = 4;

// 24 of 32 registers hold sums. More than 8 pixels would not find room for their addresses.
constexpr int kSums = 24;
constexpr int MostRows(int vectors) { return std::min(8, kSums / vectors); }

// One loop for all pieces, and what is within it unrolled by hand: otherwise GCC 12 writes weights or sums to
// memory in the inner loop, at half the speed.
template <int vectors, int rows>
[[AUFORGE_AVX512]] void Tile(const TileTask& task, int first) {
  // The last register may reach beyond the outputs.
  const int unused = vectors * kWideLanes - task.outputs;
  __mmask16 mask[vectors];
  for (int v = 0; v < vectors; ++v) mask[v] = 0xFFFF;
  mask[vectors - 1] = static_cast<__mmask16>(0xFFFF >> unused);
  __m512 sum[rows][vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const __m512 bias = task.bias != nullptr ? _mm512_maskz_loadu_ps(mask[v], task.bias + v * kWideLanes)
                                             : _mm512_setzero_ps();
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r][v] = bias;
  }
  const float* panel = task.panel;
  for (int i = 0; i < task.piece_count; ++i) {
    const TileTask::Piece& piece = task.pieces[i];
    const float* pixel[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) pixel[r] = piece.source + piece.from[first + r];
    for (std::size_t k = 0; k < piece.length; ++k, panel += vectors * kWideLanes) {
      __m512 b[vectors];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) b[v] = _mm512_loadu_ps(panel + v * kWideLanes);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) {
        const __m512 x = _mm512_set1_ps(pixel[r][k]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_fmadd_ps(x, b[v], sum[r][v]);
      }
    }
  }
  const __m512 zero = _mm512_setzero_ps(), most = _mm512_set1_ps(kMostOfActivation);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    float* to = task.target + task.to[first + r];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      __m512 x = sum[r][v];
      // These give their second operand where one is no number, as the narrow tiles do.
      if (task.activated) x = _mm512_maskz_min_ps(mask[v], _mm512_maskz_max_ps(mask[v], x, zero), most);
      _mm512_mask_storeu_ps(to + v * kWideLanes, mask[v], x);
    }
  }
}

template <int vectors, int rows = MostRows(vectors)>
void AnyTile(int wanted, const TileTask& task, int first) {
  if constexpr (rows > 0) {
    if (wanted == rows) return Tile<vectors, rows>(task, first);
    AnyTile<vectors, rows - 1>(wanted, task, first);
  }
}

void Run(int vectors, int rows, const TileTask& task, int first) {
  if (vectors == 1) AnyTile<1>(rows, task, first);
  if (vectors == 2) AnyTile<2>(rows, task, first);
  if (vectors == 3) AnyTile<3>(rows, task, first);
  if (vectors == 4) AnyTile<4>(rows, task, first);
}

}  // namespace

const TileKernels* WideTiles() {
  static constexpr TileKernels kernels{kWideLanes, kMostVectors, MostRows, Run};
  static const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  return usable ? &kernels : nullptr;
}

}  // namespace auforge::features

#else

namespace auforge::features {
const TileKernels* WideTiles() { return nullptr; }
}  // namespace auforge::features

#endif
