// What the generators of faces have in common before and behind their own drawing.
#pragma once

#include <cstdint>
#include <string>

#include "datasets/synthetic/degrade.h"
#include "datasets/synthetic/face_generator.h"

namespace auforge::datasets::synthetic::internal {

// Throws std::invalid_argument "FIELD = VALUE; must be RANGE" unless `ok`.
void Need(bool ok, const std::string& field, double value, const std::string& range);

// Where a picture stands: which scene it shows, and with which of its expressions.
struct ScenePlace {
  std::uint64_t scene;
  int number;
};
ScenePlace PlaceOf(std::uint64_t index, int expressions);

// A drawn face as it ends up in a data set: after the camera and the web site, with the number of its person.
SyntheticFace Finished(SyntheticFace face, const DegradeOptions& options, Random random, std::uint64_t identity);

}  // namespace auforge::datasets::synthetic::internal
