// Shards to train on in tests.
#pragma once

#include <string>

#include "features/au_schema.h"

namespace auforge::tests {

// Textures whose brightness goes with the AUs, so that there is something to learn. One shard, number 0.
void WriteFaces(const std::string& folder, int count,
                const features::AuSchema& schema = features::GanSchema());

}  // namespace auforge::tests
