// The inner loops of Convolution, one set for each width of register. All give the same bits: a number is one
// chain of fused multiply-adds in the order of the panel's rows, whatever tile and register it falls into.
#pragma once

#include <cstddef>

namespace auforge::features::internal {

// Sums of products of halves and such activations stay finite, however many layers follow each other.
inline constexpr float kMostOfActivation = 1e6F;

// What the tiles of a panel read and write: offsets of all pixels, the outputs of one panel. A pixel's chain
// goes through the pieces one after another: the window's lines, then the second source's pixel.
struct TileTask {
  struct Piece {
    const float* source;
    const std::size_t* from;  // of each pixel
    std::size_t length;
  };
  static constexpr int kMostPieces = 4;
  Piece pieces[kMostPieces];
  int piece_count;
  float* target;          // at the panel's first channel
  const std::size_t* to;  // of each pixel
  const float* panel;     // (sum of the pieces' lengths) x vectors x lanes weights
  const float* bias;      // outputs
  int outputs;            // channels to write, at most vectors x lanes
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

}  // namespace auforge::features::internal
