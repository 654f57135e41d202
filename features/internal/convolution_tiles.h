// The inner loops of Convolution, one set for each width of register. All give the same bits: a number is one
// chain of fused multiply-adds in the order of the panel's rows, whatever tile and register it falls into.
#pragma once

#include <cstddef>

namespace auforge::features::internal {

// Sums of products of halves and such activations stay finite, however many layers follow each other.
inline constexpr float kMostOfActivation = 1e6F;

// What a tile reads and writes: pixels 0 .. rows of the tables, the outputs of one panel.
struct TileTask {
  const float* source;
  const float* second;  // null: none
  float* target;        // at the panel's first channel
  const std::size_t* from;
  const std::size_t* from_second;
  const std::size_t* to;
  std::size_t row;            // floats between lines of the source
  std::size_t length;         // of a window's line
  std::size_t second_length;  // channels of the second source
  const float* panel;         // (3 x length + second_length) x vectors x lanes weights
  const float* bias;          // outputs
  int outputs;                // channels to write, at most vectors x lanes
};

struct TileKernels {
  int lanes;         // floats in a register
  int most_vectors;  // registers of outputs side by side in a tile, at most
  // Pixels of a tile that is so many (1..most_vectors) registers wide, at most.
  int (*most_rows)(int vectors);
  void (*run)(int vectors, int rows, const TileTask& task);
};

// Of AVX2, or plain C++ where the program is built for a processor without it.
const TileKernels& NarrowTiles();
// Of AVX-512; null where this processor has none. The rest of the program is built without AVX-512.
const TileKernels* WideTiles();

}  // namespace auforge::features::internal
