// Strands of hair that hang over a face, as ribbons in model space: lit like the hair of the head, they cast shadows
// and hide what is behind them.
#pragma once

#include <span>

#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic::internal {

// A lock that falls from above one brow across that side of the face. shape: all vertices of the model.
ExtraMesh MakeLooseHair(std::span<const Vec3> shape, Random& random);

}  // namespace auforge::datasets::synthetic::internal
