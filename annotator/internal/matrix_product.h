// C = A B for row-major float matrices, such that each row of C depends on its row of A alone, to the last
// bit: a face gets the same AUs whatever batch it comes in. Library GEMMs do not promise that. Sums run over
// k in order, with fused multiply-add.
#pragma once

#include <cstddef>

namespace auforge::annotator {

// a: n x k, b: k x m, c: n x m (overwritten). Single-threaded.
void MatrixProduct(const float* a, const float* b, float* c, std::size_t n, std::size_t k, std::size_t m);

}  // namespace auforge::annotator
