// A grid net's bytes: magic "AUFGRID1", layers as in learnt nets, answers, checksum (docs/detector.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "features/grid_net.h"

namespace auforge::features::internal {

// Throws std::invalid_argument naming layer and fault.
void ValidateGridNet(const GridNetDescription& net);
// Weights of layers become halves. requires: ValidateGridNet passes.
std::vector<std::uint8_t> GridNetBytes(const GridNetDescription& net);
// Throws std::invalid_argument naming the fault.
GridNetDescription GridNetFromBytes(std::span<const std::uint8_t> bytes);

}  // namespace auforge::features::internal
