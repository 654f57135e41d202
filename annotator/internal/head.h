// One kernel machine over a projection of the features. All matrices row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "annotator/internal/block_projection.h"

namespace auforge::annotator {

// One kernel machine with what it looks at: the whole face or a region of it.
struct Head {
  std::string name;  // "whole", "upper", "lower"
  std::vector<BlockProjection> blocks;
  std::uint64_t components = 0;     // K, of all blocks together
  float gamma = 0;                  // kernel exp(-gamma |z - c|^2), > 0
  std::uint64_t centre_count = 0;   // C
  std::vector<float> centres;       // C x K
  std::vector<float> coefficients;  // C x A; empty for ksda
  std::vector<float> bias;          // A; empty for ksda

  PackedMatrix transposed;   // K x C, and norms C: of the centres, by Prepare(); may be empty
  std::vector<float> norms;

  // Packs projections and centres, so that Project and Kernel need not for every batch.
  void Prepare();
  // Projected rows: n x K from n x dimension.
  std::vector<float> Project(const float* features, std::size_t n, std::size_t dimension) const;
  // n x C
  std::vector<float> Kernel(const std::vector<float>& projected, std::size_t n) const;
};

// Scores of one head, n x A, from its projected rows.
std::vector<float> HeadScores(const Head& head, const std::vector<float>& projected, std::size_t n,
                              std::size_t aus);

}  // namespace auforge::annotator
