// Where the points of a mean face lie in space and how faces differ from it: what a pose is told by (pose.cc). Numbers
// derived from the ICT face model by tools/landmarks/face-shape.py.
#pragma once

#include <array>
#include <cstddef>

namespace auforge::annotator {

inline constexpr std::size_t kShapePoints = 58, kShapeModes = 8;

// cm; x right, y down, z away from the camera.
struct ShapePoint {
  std::size_t landmark;                                  // of the 68
  std::array<float, 3> mean;                             // from the middle between the outer eye corners
  std::array<std::array<float, 3>, kShapeModes> modes;   // what a mode of weight 1 adds; weights are N(0, 1) over faces
};
extern const std::array<ShapePoint, kShapePoints> kFaceShape;

}  // namespace auforge::annotator
