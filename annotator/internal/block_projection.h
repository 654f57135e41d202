// One product that turns a block of features into components, as heads and halves use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "annotator/internal/matrix_product.h"

namespace auforge::annotator {

// z = (x' - mean) * projection, where each of the inputs x' is the mean of two columns of a block of
// features: a column and its mirror image (or twice the same). The scaling to unit variance and the whitening
// are folded into the projection, so that prediction is one product a block.
struct BlockProjection {
  std::string name;  // "shape", "gabor", "hog", "learnt"
  std::uint64_t components = 0;
  std::vector<std::uint32_t> columns;  // inputs x 2, of the whole row of features
  std::vector<float> mean;             // inputs
  std::vector<float> projection;       // inputs x components
  PackedMatrix packed;                 // the projection once more, packed; may be empty
  std::uint64_t inputs() const { return mean.size(); }
};

// What is made of a pair of columns: their mean, half the first less the second, or one of them.
enum class PairPart { kEven, kOdd, kFirst, kSecond };

// By what the first and the second column of a pair are multiplied.
std::pair<float, float> WeightsOf(PairPart part);

// n x the sum of the blocks' components from n x dimension.
std::vector<float> ProjectBlocks(std::span<const BlockProjection> blocks, PairPart part, const float* features,
                                 std::size_t n, std::size_t dimension);

// Rows (count x width) transposed and packed, for many products with them; norms: their squared lengths.
PackedMatrix PackTransposed(const float* rows, std::size_t count, std::size_t width, std::vector<float>& norms);

}  // namespace auforge::annotator
