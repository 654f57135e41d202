#include "annotator/internal/matrix_product.h"

#include <algorithm>

#include "features/lanes.h"

namespace auforge::annotator {
namespace {

// 6 rows x 16 columns of C live in 12 of AVX2's 16 registers; every element is one chain of multiply-adds
// over k, whatever tile it falls into.
using features::kLanes, features::Lanes, features::Load, features::MultiplyAdd;
constexpr std::size_t kRows = 6;
constexpr std::size_t kColumns = 2 * kLanes;

// c: rows x columns (<= 16) of a matrix with rows of m; a: rows x k; panel: k x 16.
template <std::size_t rows>
void Tile(const float* a, const float* panel, float* c, std::size_t k, std::size_t m, std::size_t columns) {
  Lanes low[rows] = {}, high[rows] = {};
  for (std::size_t p = 0; p < k; ++p, panel += kColumns) {
    const Lanes b_low = Load(panel), b_high = Load(panel + kLanes);
    for (std::size_t r = 0; r < rows; ++r) {
      const float x = a[r * k + p];
      low[r] = MultiplyAdd(x, b_low, low[r]);
      high[r] = MultiplyAdd(x, b_high, high[r]);
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    float sums[kColumns];
    __builtin_memcpy(sums, &low[r], sizeof(Lanes));
    __builtin_memcpy(sums + kLanes, &high[r], sizeof(Lanes));
    std::copy_n(sums, columns, c + r * m);
  }
}

// All rows of A by one panel, which stays in the cache meanwhile.
void MultiplyPanel(const float* a, const float* panel, float* c, std::size_t n, std::size_t k, std::size_t m,
                   std::size_t columns) {
  std::size_t i = 0;
  const auto tiles = [&]<std::size_t rows>() {
    for (; i + rows <= n; i += rows) Tile<rows>(a + i * k, panel, c + i * m, k, m, columns);
  };
  tiles.template operator()<kRows>();
  tiles.template operator()<4>();
  tiles.template operator()<2>();
  tiles.template operator()<1>();
}

// Columns j .. j + columns of b (k x m).
void Pack(const float* b, float* panel, std::size_t k, std::size_t m, std::size_t j, std::size_t columns) {
  for (std::size_t p = 0; p < k; ++p, panel += kColumns) {
    std::copy_n(b + p * m + j, columns, panel);
    std::fill(panel + columns, panel + kColumns, 0.0F);
  }
}

}  // namespace

PackedMatrix::PackedMatrix(const float* b, std::size_t k, std::size_t m)
    : k_(k), m_(m), panels_((m + kColumns - 1) / kColumns * k * kColumns) {
  for (std::size_t j = 0; j < m; j += kColumns)
    Pack(b, panels_.data() + j * k, k, m, j, std::min(kColumns, m - j));
}

void PackedMatrix::Multiply(const float* a, float* c, std::size_t n) const {
  for (std::size_t j = 0; j < m_; j += kColumns)
    MultiplyPanel(a, panels_.data() + j * k_, c + j, n, k_, m_, std::min(kColumns, m_ - j));
}

void MatrixProduct(const float* a, const float* b, float* c, std::size_t n, std::size_t k, std::size_t m) {
  std::vector<float> panel(k * kColumns);
  for (std::size_t j = 0; j < m; j += kColumns) {
    const std::size_t columns = std::min(kColumns, m - j);
    Pack(b, panel.data(), k, m, j, columns);
    MultiplyPanel(a, panel.data(), c + j, n, k, m, columns);
  }
}

}  // namespace auforge::annotator
