#include "features/tiles.h"

#include <algorithm>

#include "features/lanes.h"

namespace auforge::features {
namespace {

// 12 of AVX2's 16 registers hold sums: pixels x registers of outputs.
constexpr int kSums = 12;
constexpr int MostRows(int vectors) { return vectors == 1 ? 6 : kSums / vectors; }

inline Lanes Activate(Lanes x) {
  const Lanes zero = {}, most = zero + kMostOfActivation;
  x = x > zero ? x : zero;
  return x < most ? x : most;
}

template <int rows, int vectors>
void Tile(const TileTask& task, int first) {
  Lanes sum[rows][vectors] = {};
  if (task.bias != nullptr) {
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors; ++v) sum[r][v] = Load(task.bias + v * kLanes);
    }
  }
  const float* panel = task.panel;
  for (int i = 0; i < task.piece_count; ++i) {
    const TileTask::Piece& piece = task.pieces[i];
    const float* pixel[rows];
    for (int r = 0; r < rows; ++r) pixel[r] = piece.source + piece.from[first + r];
    for (std::size_t k = 0; k < piece.length; ++k, panel += vectors * kLanes) {
      Lanes b[vectors];
      for (int v = 0; v < vectors; ++v) b[v] = Load(panel + v * kLanes);
      for (int r = 0; r < rows; ++r) {
        const float x = pixel[r][k];
        for (int v = 0; v < vectors; ++v) sum[r][v] = MultiplyAdd(x, b[v], sum[r][v]);
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) {
      const Lanes result = task.activated ? Activate(sum[r][v]) : sum[r][v];
      float* to = task.target + task.to[first + r] + v * kLanes;
      if (const int left = task.outputs - v * kLanes; left >= kLanes) {
        __builtin_memcpy(to, &result, sizeof(result));
      } else {
        for (int i = 0; i < left; ++i) to[i] = result[i];
      }
    }
  }
}

template <int vectors, int most = MostRows(vectors)>
void AnyTile(int rows, const TileTask& task, int first) {
  if constexpr (most > 0) {
    if (rows == most) return Tile<most, vectors>(task, first);
    AnyTile<vectors, most - 1>(rows, task, first);
  }
}

void RunTile(int vectors, int rows, const TileTask& task, int first) {
  if (vectors == 1) AnyTile<1>(rows, task, first);
  if (vectors == 2) AnyTile<2>(rows, task, first);
  if (vectors == 3) AnyTile<3>(rows, task, first);
}

}  // namespace

const TileKernels& NarrowTiles() {
  static constexpr TileKernels kernels{kLanes, 3, MostRows, RunTile};
  return kernels;
}

const TileKernels& WidestTiles() {
  const TileKernels* wide = WideTiles();
  return wide != nullptr ? *wide : NarrowTiles();
}

// As many as possible where they come out even, else pairs, and three where one would be left over.
std::vector<int> PanelWidths(const TileKernels& kernels, std::size_t outputs) {
  const auto lanes = static_cast<std::size_t>(kernels.lanes);
  const auto vectors = static_cast<int>((outputs + lanes - 1) / lanes);
  for (int width = kernels.most_vectors; width > 2; --width) {
    if (vectors % width == 0) return std::vector<int>(static_cast<std::size_t>(vectors / width), width);
  }
  std::vector<int> widths(static_cast<std::size_t>(vectors / 2), 2);
  if (vectors == 1) widths = {1};
  if (vectors % 2 == 1 && vectors > 1) widths.back() = 3;
  return widths;
}

void RunTiles(const TileKernels& kernels, int vectors, int pixels, const TileTask& task) {
  // Tiles of nearly the same size: a last one of one pixel would take as long as one of four.
  const int most = kernels.most_rows(vectors);
  const int tiles = (pixels + most - 1) / most;
  int first = 0;
  for (int tile = 0; tile < tiles; ++tile) {
    const int rows = pixels / tiles + (tile < pixels % tiles ? 1 : 0);
    kernels.run(vectors, rows, task, first);
    first += rows;
  }
}

}  // namespace auforge::features
