// The inner loops of convolutions and of matrix products, one set for each width of register. All give the
// same bits: a number is one chain of fused multiply-adds in the order of the panel's rows, whatever tile and
// register it falls into. Thread-safe.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace auforge::features {

// Sums of products of halves and such activations stay finite, however many layers follow each other.
inline constexpr float kMostOfActivation = 1e6F;

// What the tiles of a panel read and write: offsets of all pixels (or rows of a matrix), the outputs of one
// panel. A pixel's chain goes through the pieces one after another: of a convolution the window's lines, then
// the second source's pixel.
struct TileTask {
  struct Piece {
    const float* source;
    const std::size_t* from;  // of each pixel
    std::size_t length;
  };
  static constexpr int kMostPieces = 4;
  Piece pieces[kMostPieces];
  int piece_count;
  float* target;          // at the panel's first output
  const std::size_t* to;  // of each pixel
  const float* panel;     // (sum of the pieces' lengths) x vectors x lanes weights
  const float* bias;      // what chains begin with, outputs rounded up to whole registers of 8; null: 0
  int outputs;            // to write, at most vectors x lanes
  bool activated;         // min(kMostOfActivation, ReLU(sum)), not the sum; 0 where that is no number
};

struct TileKernels {
  int lanes;         // floats in a register
  int most_vectors;  // registers of outputs side by side in a tile, at most
  // Pixels of a tile that is so many (1..most_vectors) registers wide, at most.
  int (*most_rows)(int vectors);
  // Pixels first .. first + rows of the task.
  void (*run)(int vectors, int rows, const TileTask& task, int first);
};

// Of AVX2, or plain C++ where the program is built for a processor without it.
const TileKernels& NarrowTiles();
// Of AVX-512; null where this processor has none. The rest of the program is built without AVX-512.
const TileKernels* WideTiles();
// The widest that this processor has.
const TileKernels& WidestTiles();

// How many registers of outputs each panel has, for so many floats of outputs.
std::vector<int> PanelWidths(const TileKernels& kernels, std::size_t outputs);
// All pixels of a task whose panel is so many registers wide.
void RunTiles(const TileKernels& kernels, int vectors, int pixels, const TileTask& task);

// Memory that begins with a cache line: a load of a whole line's weights otherwise touches two.
template <typename T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* at, std::size_t) noexcept { ::operator delete(at, kLine); }
  bool operator==(const LineAllocator&) const = default;
};

}  // namespace auforge::features
