// What the generators of faces have in common before and behind their own drawing.
#pragma once

#include <cstdint>
#include <string>

#include "datasets/synthetic/degrade.h"
#include "datasets/synthetic/face_generator.h"

namespace auforge::datasets::synthetic::internal {

// Throws std::invalid_argument "FIELD = VALUE; must be RANGE" unless `ok`.
void Need(bool ok, const std::string& field, double value, const std::string& range);

// A drawn face as it ends up in a data set: after the camera and the web site, with the number of its person.
SyntheticFace Finished(SyntheticFace face, const DegradeOptions& options, Random random, std::uint64_t identity);

}  // namespace auforge::datasets::synthetic::internal
