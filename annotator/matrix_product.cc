#include "annotator/internal/matrix_product.h"

#include <algorithm>

#include "features/tiles.h"

namespace auforge::annotator {
namespace {

// Columns j .. j + columns of b (k x m), filled up with zeros to rows of `width`.
void Pack(const float* b, float* panel, std::size_t k, std::size_t m, std::size_t j, std::size_t columns, std::size_t width) {
  for (std::size_t p = 0; p < k; ++p, panel += width) {
    std::copy_n(b + p * m + j, columns, panel);
    std::fill(panel + columns, panel + width, 0.0F);
  }
}

// Calls with_panel(registers, first column, columns, floats in a row of the panel) for panels of m columns.
template <typename WithPanel>
void ForPanels(std::size_t m, const WithPanel& with_panel) {
  const features::TileKernels& kernels = features::WidestTiles();
  std::size_t j = 0;
  for (const int vectors : features::PanelWidths(kernels, m)) {
    const auto width = static_cast<std::size_t>(vectors) * static_cast<std::size_t>(kernels.lanes);
    with_panel(vectors, j, std::min(width, m - j), width);
    j += width;
  }
}

// The rows of A and where theirs begin in C.
class Rows {
 public:
  Rows(const float* a, std::size_t n, std::size_t k, std::size_t m) : a_(a), k_(k) {
    for (std::size_t i = 0; i < n; ++i) {
      from_.push_back(i * k);
      to_.push_back(i * m);
    }
  }
  // All of them by one panel, which stays in the cache meanwhile; c: at the panel's first column.
  void Multiply(const float* panel, int vectors, std::size_t columns, float* c) const {
    const features::TileTask task{{{a_, from_.data(), k_}}, 1, c, to_.data(), panel, nullptr, static_cast<int>(columns), false};
    features::RunTiles(features::WidestTiles(), vectors, static_cast<int>(from_.size()), task);
  }

 private:
  const float* a_;
  std::size_t k_;
  std::vector<std::size_t> from_, to_;
};

}  // namespace

PackedMatrix::PackedMatrix(const float* b, std::size_t k, std::size_t m) : k_(k), m_(m) {
  ForPanels(m, [&](int, std::size_t j, std::size_t columns, std::size_t width) {
    panels_.resize(panels_.size() + k * width);
    Pack(b, panels_.data() + panels_.size() - k * width, k, m, j, columns, width);
  });
}

void PackedMatrix::Multiply(const float* a, float* c, std::size_t n) const {
  const Rows rows(a, n, k_, m_);
  ForPanels(m_, [&](int vectors, std::size_t j, std::size_t columns, std::size_t) {
    rows.Multiply(panels_.data() + j * k_, vectors, columns, c + j);
  });
}

void MatrixProduct(const float* a, const float* b, float* c, std::size_t n, std::size_t k, std::size_t m) {
  const Rows rows(a, n, k, m);
  std::vector<float, features::LineAllocator<float>> panel;
  ForPanels(m, [&](int vectors, std::size_t j, std::size_t columns, std::size_t width) {
    panel.resize(k * width);
    Pack(b, panel.data(), k, m, j, columns, width);
    rows.Multiply(panel.data(), vectors, columns, c + j);
  });
}

}  // namespace auforge::annotator
