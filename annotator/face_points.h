// The five points that detectors tell of a face: right and left eye, nose, right and left corner of the mouth.
#pragma once

#include <array>

#include "features/types.h"

namespace auforge::annotator {

using FivePoints = std::array<features::Point2, 5>;

// Those of 68 landmarks.
FivePoints FivePointsOf(const features::Landmarks68& landmarks);

}  // namespace auforge::annotator
