// The inner loop of VisibilityBuffer::Draw. Included by renderer.h only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace auforge::datasets::synthetic {

namespace internal {
struct KeepAll {
  constexpr bool operator()(std::int32_t, float, float) const { return true; }
};

// Samples at most this far outside the grid take part; what is farther is not drawn. Keeps fixed point in
// range.
inline constexpr float kGuardBand = 1 << 17;
// Positions are snapped to 1/256 of a sample, and edges are compared in integers: watertight.
inline constexpr int kSubSampleBits = 8;

struct Edge {
  std::int64_t dx, dy, value;  // value at the first sample; per step in x it changes by dy, in y by dx
};

// Narrows samples begin..end of a row to those that lie inside all edges. Quotients of numbers below 2^53 round
// correctly, and a fraction with such a denominator is never nearer to a whole number than that.
inline void Clip(const std::array<Edge, 3>& edges, int& begin, int& end) {
  for (const Edge& e : edges) {
    const auto value = static_cast<double>(e.value), step = static_cast<double>(e.dy);
    if (e.dy > 0) {
      if (e.value < 0) begin = std::max(begin, static_cast<int>(std::min(16384.0, std::ceil(-value / step))));
    } else if (e.value < 0) {
      end = -1;
    } else if (e.dy < 0) {
      end = std::min(end, static_cast<int>(std::min(16384.0, std::floor(value / -step))));
    }
  }
}
}  // namespace internal

template <typename Keep>
void VisibilityBuffer::DrawOne(const ScreenVertex& a, const ScreenVertex& b, const ScreenVertex& c,
                               Facing facing, std::int32_t number, const Keep& keep) {
  using internal::kSubSampleBits;
  if (!(a.invz > 0 && b.invz > 0 && c.invz > 0)) return;
  const float low_x = std::min({a.x, b.x, c.x}), high_x = std::max({a.x, b.x, c.x});
  const float low_y = std::min({a.y, b.y, c.y}), high_y = std::max({a.y, b.y, c.y});
  if (!(low_x < static_cast<float>(width_) && high_x > 0 && low_y < static_cast<float>(height_) &&
        high_y > 0))
    return;
  if (!(low_x > -internal::kGuardBand && high_x < internal::kGuardBand && low_y > -internal::kGuardBand &&
        high_y < internal::kGuardBand)) {
    return;
  }
  constexpr std::int64_t kHalf = std::int64_t{1} << (kSubSampleBits - 1);
  const auto first_sample = [](float v) { return static_cast<int>(std::ceil(v - 0.5F - 0.01F)); };
  const auto last_sample = [](float v) { return static_cast<int>(std::floor(v - 0.5F + 0.01F)); };
  const int x0 = std::max(0, first_sample(low_x)), x1 = std::min(width_ - 1, last_sample(high_x));
  const int y0 = std::max(0, first_sample(low_y)), y1 = std::min(height_ - 1, last_sample(high_y));
  if (x0 > x1 || y0 > y1) return;  // half of a face's triangles lie between samples

  constexpr float kUnit = 1 << kSubSampleBits;
  const auto fixed = [](float v) { return static_cast<std::int64_t>(std::lrint(v * kUnit)); };
  std::array<std::int64_t, 3> x{fixed(a.x), fixed(b.x), fixed(c.x)}, y{fixed(a.y), fixed(b.y), fixed(c.y)};
  // y grows downwards, so a counter-clockwise triangle (y up) has a negative area here.
  std::int64_t area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
  if (area == 0) return;
  const bool is_front = area < 0;
  if (facing == Facing::kFront ? !is_front : facing == Facing::kBack ? is_front : false) return;
  const std::int64_t sign = is_front ? -1 : 1;

  // Edge i lies opposite vertex i; inside is >= 0 after orientation, minus 1 where the edge is not top or
  // left.
  std::array<internal::Edge, 3> edge;
  const std::int64_t px = (std::int64_t{x0} << kSubSampleBits) + kHalf,
                     py = (std::int64_t{y0} << kSubSampleBits) + kHalf;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t from = (i + 1) % 3, to = (i + 2) % 3;
    const std::int64_t ex = sign * (x[to] - x[from]), ey = sign * (y[to] - y[from]);
    const bool is_top_left = ey < 0 || (ey == 0 && ex > 0);
    edge[i] = {ex << kSubSampleBits, -(ey << kSubSampleBits),
               ex * (py - y[from]) - ey * (px - x[from]) - (is_top_left ? 0 : 1)};
  }
  const float inverse_area = 1 / static_cast<float>(sign * area);
  const float z0 = a.invz, z1 = b.invz - a.invz, z2 = c.invz - a.invz;
  for (int row = y0; row <= y1; ++row) {
    int begin = 0, end = x1 - x0;
    if (end > 6) internal::Clip(edge, begin, end);
    std::int64_t e0 = edge[0].value + begin * edge[0].dy, e1 = edge[1].value + begin * edge[1].dy,
                 e2 = edge[2].value + begin * edge[2].dy;
    const std::size_t start = Index(x0, row);
    for (int i = begin; i <= end; ++i) {
      if ((e0 | e1 | e2) >= 0) {
        const float w1 = static_cast<float>(e1) * inverse_area, w2 = static_cast<float>(e2) * inverse_area;
        const float invz = z0 + w1 * z1 + w2 * z2;
        const std::size_t at = start + static_cast<std::size_t>(i);
        if (invz > invz_[at]) {
          const float distance = 1 / invz;
          const float b1 = w1 * b.invz * distance, b2 = w2 * c.invz * distance;
          if (keep(number, b1, b2)) {
            invz_[at] = invz;
            hits_[at] = {number, b1, b2};
          }
        }
      }
      e0 += edge[0].dy;
      e1 += edge[1].dy;
      e2 += edge[2].dy;
    }
    edge[0].value += edge[0].dx;
    edge[1].value += edge[1].dx;
    edge[2].value += edge[2].dx;
  }
}

template <typename Keep>
void VisibilityBuffer::Draw(std::span<const ScreenVertex> vertices, std::span<const MeshTriangle> triangles,
                            Facing facing, std::int32_t first_number, const Keep& keep) {
  std::int32_t number = first_number;
  for (const MeshTriangle& t : triangles) {
    DrawOne(vertices[static_cast<std::size_t>(t[0])], vertices[static_cast<std::size_t>(t[1])],
            vertices[static_cast<std::size_t>(t[2])], facing, number++, keep);
  }
}

}  // namespace auforge::datasets::synthetic
