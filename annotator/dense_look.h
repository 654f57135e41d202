// Where the nets of the dense points look: a square about each eye and one about the mouth, turned and sized as the whole
// face is and placed by the eye's or the mouth's own landmarks. Pure functions.
#pragma once

#include <span>

#include "features/types.h"

namespace auforge::annotator {

// How face and picture lie to each other: turn and size of the mean face on the points. used: as LookAtPoints.
struct DenseFrame {
  float cosine = 1, sine = 0;  // of the turn that sets the face upright
  float unit = 1;              // pixels of the picture in an inter-ocular distance of the mean face
};
DenseFrame FrameOf(const features::Landmarks68& points, std::span<const std::size_t> used);

enum class DensePart { kRightEye, kLeftEye, kMouth };

// Crop from picture; the right eye's is not yet mirrored.
features::Similarity LookAtPart(const features::Landmarks68& points, const DenseFrame& frame, DensePart part, int side);

// Pixels of the crop in an inter-ocular distance. An answer is a point's distance from the crop's middle in this unit.
float DenseUnit(DensePart part, int side);

}  // namespace auforge::annotator
