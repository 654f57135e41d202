// From records of what each sample shows to the shaded picture.
#pragma once

#include <span>

#include "datasets/synthetic/internal/face_shader.h"
#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic::internal {

// samples: 2 x 2 a pixel of the scene, in triangles of the topology and then of the scene's extras. surface:
// points of the model's vertices, then of each extra's.
RenderedFace Resolve(const FaceScene& scene, const FaceTopology& topology, const FaceShader& shader,
                     const VisibilityBuffer& samples, std::span<const SurfacePoint> surface);

}  // namespace auforge::datasets::synthetic::internal
