// EmotioNet's shape features (Benitez-Quiroz et al., CVPR 2016): all distances between landmarks and all
// angles of one fixed triangulation, in a face that is levelled and scaled to 300 pixels between the eye
// centres. Pure functions; safe to call from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "features/types.h"

namespace auforge::features {

// EmotioNet uses 66 of the 68 landmarks: the inner mouth corners 60 and 64 are left out.
inline constexpr std::size_t kShapePointCount = 66;
inline constexpr std::size_t kShapeDistanceCount = kShapePointCount * (kShapePointCount - 1) / 2;
// The Delaunay triangulation of a neutral mean face; the same for everybody, because a triangulation of each
// face would give every face another meaning for the same column.
inline constexpr std::size_t kTriangleCount = 107;
inline constexpr std::size_t kShapeAngleCount = 3 * kTriangleCount;
inline constexpr std::size_t kShapeFeatureCount = kShapeDistanceCount + kShapeAngleCount;
static_assert(kShapeDistanceCount == 2145 && kShapeAngleCount == 321 && kShapeFeatureCount == 2466);

inline constexpr float kShapeInterOcular = 300;  // pixels

using Triangle = std::array<std::uint8_t, 3>;  // iBUG-68 indices
std::span<const Triangle, kTriangleCount> ShapeTriangles();
// iBUG-68 index of each of the 66 points.
std::array<std::uint8_t, kShapePointCount> ShapePoints();

// The landmarks with the eye line level, the middle of the eyes at the origin and 300 px between the eye
// centres. Throws std::invalid_argument when the eye centres coincide.
Landmarks68 NormaliseShape(const Landmarks68& landmarks);

// out: kShapeFeatureCount floats. First the distances in pixels of pairs (0,1) (0,2) … (64,65) of the 66
// points, then for each triangle its three angles in radians, 0..pi (0 where two corners coincide).
void ShapeFeatures(const Landmarks68& landmarks, std::span<float> out);

// For each feature the one of the mirrored face that equals it, or kNoMirrorFeature: the triangulation of a
// mean face is not quite symmetric.
inline constexpr std::size_t kNoMirrorFeature = static_cast<std::size_t>(-1);
std::vector<std::size_t> MirrorShapeFeatures();
// The landmarks (iBUG-68) that a feature is made of: two for a distance, three for an angle.
std::vector<std::uint8_t> ShapeFeatureLandmarks(std::size_t feature);

}  // namespace auforge::features
