// A net's bytes: magic "AUFLNET1" (the mean of the last map) or "AUFLNET2" (the map as it is), crop size,
// convolutions, checksum; little endian (docs/au-model-format.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "features/learnt_net.h"

namespace auforge::features::internal {

// Throws std::invalid_argument naming layer and fault.
void ValidateNet(const NetDescription& net);

// Numbers of an embedding. requires: ValidateNet passes.
std::size_t EmbeddingSize(const NetDescription& net);
// Weights become halves. requires: ValidateNet passes.
std::vector<std::uint8_t> NetBytes(const NetDescription& net);
// Throws std::invalid_argument naming the fault.
NetDescription NetFromBytes(std::span<const std::uint8_t> bytes);
// What stands at the end of NetBytes about all that is before: FNV-1a, 64 bits, against damage and to tell
// nets apart. A model's own digest is SHA-256 over the net's bytes.
std::uint64_t NetChecksum(std::span<const std::uint8_t> content);
// The checksum at the end of NetBytes, 16 hex digits.
std::string NetDigest(std::span<const std::uint8_t> bytes);

}  // namespace auforge::features::internal
