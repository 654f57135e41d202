// C = A B for row-major float matrices, such that each row of C depends on its row of A alone, to the last
// bit: a face gets the same AUs whatever batch it comes in. Library GEMMs do not promise that. Sums run over
// k in order, with fused multiply-add. Single-threaded; a PackedMatrix may be shared by threads.
#pragma once

#include <cstddef>
#include <vector>

#include "features/tiles.h"

namespace auforge::annotator {

// B (k x m) in panels of a few registers of columns, each panel without gaps, the last one filled up with zeros: read
// in the order of the product, so that neither the cache's ways nor the pages run out. For a B that many A
// meet.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // b: k x m, copied.
  PackedMatrix(const float* b, std::size_t k, std::size_t m);
  bool empty() const { return panels_.empty(); }
  // a: n x k, c: n x m (overwritten).
  void Multiply(const float* a, float* c, std::size_t n) const;

 private:
  std::size_t k_ = 0, m_ = 0;
  std::vector<float, features::LineAllocator<float>> panels_;  // one after another
};

// a: n x k, b: k x m, c: n x m (overwritten); B is packed on the way, one panel at a time.
void MatrixProduct(const float* a, const float* b, float* c, std::size_t n, std::size_t k, std::size_t m);

}  // namespace auforge::annotator
