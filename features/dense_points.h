// The dense points of a face: the edges of lids and lips and the irises, closer together than the 68 landmarks
// (docs/landmarks.md has a table). Values only.
//
// First the subject's right eye (the smaller x in an unmirrored picture), then the left one, each: 0 the outer corner,
// 1..7 the upper lid from there, 8 the inner corner, 9..15 the lower lid back, 16 the middle of the iris, 17..20 where
// its rim is outermost, uppermost, innermost, lowest. Then the lips: 0 the right corner, 1..9 the upper edge of the upper
// lip, 10 the left corner, 11..19 the lower edge of the lower lip back; 20..39 the same along the inner edges.
#pragma once

#include <array>
#include <cstddef>

#include "features/types.h"

namespace auforge::features {

inline constexpr std::size_t kDenseLid = 16, kDenseEye = 21, kDenseMouth = 40;
inline constexpr std::size_t kDenseCount = 2 * kDenseEye + kDenseMouth;
using DensePoints = std::array<Point2, kDenseCount>;

// What point i of the lips is in a mirrored picture.
constexpr std::size_t MirrorLip(std::size_t i) {
  const std::size_t ring = i / 20 * 20, at = i % 20;
  return ring + (at <= 10 ? 10 - at : 30 - at);
}

}  // namespace auforge::features
