#include "features/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace auforge::features {
namespace {

constexpr std::size_t kLength = 21;

std::vector<float> Random(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

// a (n x kLength) times b (kLength x m), plus 0 or `bias`, as tiles compute it; with a NaN behind every row.
std::vector<float> ByTiles(const TileKernels& kernels, const std::vector<float>& a,
                           const std::vector<float>& b, std::size_t n, std::size_t m, const float* bias,
                           bool activated) {
  std::vector<std::size_t> from, to;
  for (std::size_t i = 0; i < n; ++i) from.push_back(i * kLength), to.push_back(i * (m + 1));
  std::vector<float> c(n * (m + 1), NAN);
  std::size_t column = 0;
  for (const int vectors : PanelWidths(kernels, m)) {
    const auto width = static_cast<std::size_t>(vectors * kernels.lanes),
               columns = std::min(width, m - column);
    std::vector<float> panel(kLength * width, 0.0F);
    for (std::size_t k = 0; k < kLength; ++k)
      std::copy_n(b.begin() + static_cast<std::ptrdiff_t>(k * m + column), columns,
                  panel.begin() + static_cast<std::ptrdiff_t>(k * width));
    // In two pieces.
    std::vector<std::size_t> later(from);
    for (std::size_t& at : later) at += 8;
    RunTiles(kernels, vectors, static_cast<int>(n),
             {{{a.data(), from.data(), 8}, {a.data(), later.data(), kLength - 8}},
              2,
              c.data() + column,
              to.data(),
              panel.data(),
              bias != nullptr ? bias + column : nullptr,
              static_cast<int>(columns),
              activated});
    column += width;
  }
  return c;
}

TEST(Tiles, EveryNumberIsOneChainInAnyRegisters) {
  const std::vector<const TileKernels*> all{&NarrowTiles(), &WidestTiles()};
  for (const std::size_t m : {1, 7, 8, 9, 16, 17, 24, 37, 40, 64, 80}) {
    const std::vector<float> a = Random(19 * kLength, 1), b = Random(kLength * m, 2),
                             bias = Random(m + 16, 3);
    for (std::size_t n = 1; n <= 19; ++n) {
      for (const bool activated : {false, true}) {
        std::vector<float> wanted(n * (m + 1), NAN);
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < m; ++j) {
            float sum = activated ? bias[j] : 0;
            for (std::size_t k = 0; k < kLength; ++k) sum = std::fma(a[i * kLength + k], b[k * m + j], sum);
            wanted[i * (m + 1) + j] = activated ? std::max(0.0F, sum) : sum;
          }
        }
        for (const TileKernels* kernels : all) {
          const std::vector<float> c =
              ByTiles(*kernels, a, b, n, m, activated ? bias.data() : nullptr, activated);
          for (std::size_t i = 0; i < c.size(); ++i)
            ASSERT_TRUE(c[i] == wanted[i] || (std::isnan(c[i]) && std::isnan(wanted[i])))
                << kernels->lanes << " lanes, " << n << " x " << m << " at " << i << ": " << c[i] << " for "
                << wanted[i];
        }
      }
    }
  }
}

TEST(Tiles, WhatIsNoNumberOrTooLargeBecomesAnActivationThatIsOne) {
  const std::vector<float> a{NAN, INFINITY, -INFINITY, 2e6F, -1};
  const std::vector<std::size_t> at{0, 1, 2, 3, 4};
  for (const TileKernels* kernels : {&NarrowTiles(), &WidestTiles()}) {
    std::vector<float> panel(static_cast<std::size_t>(kernels->lanes), 1.0F), c(5, 7.0F);
    RunTiles(*kernels, 1, 5,
             {{{a.data(), at.data(), 1}}, 1, c.data(), at.data(), panel.data(), nullptr, 1, true});
    EXPECT_EQ(c, (std::vector<float>{0, kMostOfActivation, 0, kMostOfActivation, 0}));
  }
}

}  // namespace
}  // namespace auforge::features
