// The real face model for tests, imported once per program.
#pragma once

#include <string>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/face_renderer.h"

namespace auforge::datasets::synthetic {

// Null when AUFORGE_DATA has no face model; the test then skips.
const FaceModel* ImportedModel();
const FaceRenderer& ImportedRenderer();  // requires ImportedModel() != nullptr
// 80 cm in front of the model, for pictures of 320 x 320 pixels.
Camera CameraAt(features::HeadPose pose);

}  // namespace auforge::datasets::synthetic

#define AUFORGE_NEEDS_FACE_MODEL() \
  if (::auforge::datasets::synthetic::ImportedModel() == nullptr) GTEST_SKIP() << "no ict-facekit/ict-facekit.tar.xz below AUFORGE_DATA"
