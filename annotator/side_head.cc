#include "annotator/internal/side_head.h"

#include <algorithm>
#include <cmath>

namespace auforge::annotator {
namespace {

// Small differences are noise more often than not: below two steps they are told smaller than they look, above larger.
float Told(float difference) {
  constexpr float kAsItLooks = 2;
  const float apart = std::abs(difference);
  return kAsItLooks * difference * (apart / (apart + kAsItLooks));
}

}  // namespace

void SideHead::Prepare() {
  if (empty()) return;
  if (!half.blocks.empty()) half.Prepare();
  const std::size_t k = centre_count > 0 ? even_centres.size() / centre_count : 0;
  even_packed = PackTransposed(even_centres.data(), centre_count, k, even_norms);
  odd_packed = PackTransposed(odd_centres.data(), centre_count, components, odd_norms);
  for (BlockProjection& block : blocks) block.packed = {block.projection.data(), block.inputs(), block.components};
}

std::vector<float> SideHead::HalfDifferences(const float* features, std::size_t n, std::size_t dimension) const {
  if (half.blocks.empty()) return std::vector<float>(n * aus.size(), 0.0F);
  std::vector<float> left =
      HeadScores(half, ProjectBlocks(half.blocks, PairPart::kFirst, features, n, dimension), n, aus.size());
  const std::vector<float> right =
      HeadScores(half, ProjectBlocks(half.blocks, PairPart::kSecond, features, n, dimension), n, aus.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= right[i];
  return left;
}

std::vector<float> SideHead::Design(const float* features, const std::vector<float>& even, std::size_t n,
                                    std::size_t dimension) const {
  const std::vector<float> odd = ProjectBlocks(blocks, PairPart::kOdd, features, n, dimension);
  const std::size_t z = components, c = centre_count, k = even.size() / std::max<std::size_t>(1, n);
  std::vector<float> even_product(n * c), odd_product(n * c), design(n * (z + c));
  if (c > 0) {
    even_packed.Multiply(even.data(), even_product.data(), n);
    odd_packed.Multiply(odd.data(), odd_product.data(), n);
  }
  const auto squared = [](const float* row, std::size_t width) {
    float sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += row[i] * row[i];
    return sum;
  };
  for (std::size_t i = 0; i < n; ++i) {
    float* row = design.data() + i * (z + c);
    std::copy_n(odd.data() + i * z, z, row);
    const float even_norm = squared(even.data() + i * k, k), odd_norm = squared(odd.data() + i * z, z);
    for (std::size_t j = 0; j < c; ++j) {
      const float apart = even_gamma * std::max(0.0F, even_norm + even_norms[j] - 2 * even_product[i * c + j]) +
                          odd_gamma * (odd_norm + odd_norms[j]);
      const float towards = 2 * odd_gamma * odd_product[i * c + j];
      row[z + j] = std::exp(towards - apart) - std::exp(-towards - apart);
    }
  }
  return design;
}

std::vector<float> SideHead::Differences(const float* features, const std::vector<float>& even, std::size_t n,
                                         std::size_t dimension) const {
  const std::vector<float> design = Design(features, even, n, dimension);
  const std::size_t s = aus.size();
  std::vector<float> differences(n * s);
  MatrixProduct(design.data(), coefficients.data(), differences.data(), n, components + centre_count, s);
  const std::vector<float> of_halves = HalfDifferences(features, n, dimension);
  for (std::size_t i = 0; i < differences.size(); ++i)
    differences[i] = Told(scale[i % s] * (differences[i] + of_halves[i]));
  return differences;
}

Halves HalvesOf(float intensity, float difference) {
  constexpr float kBelowPresent = 0.99F;
  if (!std::isfinite(difference)) difference = 0;  // only absurd numbers in a model lead here
  const float apart = std::abs(difference);
  const float stronger = intensity >= 1 ? intensity : std::max(intensity, std::min(apart, kBelowPresent));
  const float weaker = std::max(0.0F, stronger - apart);
  return difference >= 0 ? Halves{stronger, weaker} : Halves{weaker, stronger};
}

}  // namespace auforge::annotator
