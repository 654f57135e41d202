#include <algorithm>
#include <cmath>

#include "annotator/internal/matrix_product.h"

namespace auforge::annotator {
namespace {

// 4 rows x 16 columns of C live in registers; every element is one chain of multiply-adds over k, whatever block it
// falls into.
constexpr std::size_t kRows = 4;
constexpr std::size_t kColumns = 16;

template <std::size_t rows>
void Block(const float* a, const float* b, float* c, std::size_t k, std::size_t m, std::size_t columns) {
  float sum[rows][kColumns] = {};
  if (columns == kColumns) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t j = 0; j < kColumns; ++j) sum[r][j] = __builtin_fmaf(a[r * k + p], b[p * m + j], sum[r][j]);
      }
    }
  } else {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t j = 0; j < columns; ++j) sum[r][j] = __builtin_fmaf(a[r * k + p], b[p * m + j], sum[r][j]);
      }
    }
  }
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(sum[r], columns, c + r * m);
}

}  // namespace

void MatrixProduct(const float* a, const float* b, float* c, std::size_t n, std::size_t k, std::size_t m) {
  // Columns outside: a strip of B (k x 16 floats) stays in the cache for all rows.
  for (std::size_t j = 0; j < m; j += kColumns) {
    const std::size_t columns = std::min(kColumns, m - j);
    std::size_t i = 0;
    for (; i + kRows <= n; i += kRows) Block<kRows>(a + i * k, b + j, c + i * m + j, k, m, columns);
    for (; i < n; ++i) Block<1>(a + i * k, b + j, c + i * m + j, k, m, columns);
  }
}

}  // namespace auforge::annotator
