// Hands and objects in front of faces, as triangles in model space: they are lit, cast shadows and hide like
// the face.
#pragma once

#include <span>

#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic::internal {

// A hand whose fingertips touch some place of the face, its wrist below or beside. shape: all vertices of the
// model; skin: reflectance of the owner's skin, BGR.
ExtraMesh MakeHand(std::span<const Vec3> shape, Vec3 skin, Random& random);

// A mug, telephone, microphone, ball, sheet of paper or stick somewhere in front of the face.
ExtraMesh MakeObject(std::span<const Vec3> shape, Random& random);

}  // namespace auforge::datasets::synthetic::internal
