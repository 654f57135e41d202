// Shards to train on in tests.
#pragma once

#include <string>

#include "features/au_schema.h"

namespace auforge::tests {

// Textures whose brightness goes with the AUs, so that there is something to learn. One shard, number 0.
void WriteFaces(const std::string& folder, int count,
                const features::AuSchema& schema = features::GanSchema());

// Scenes of `expressions` faces each, that differ in a patch whose brightness goes with the first AU: pairs of `side`
// pixels. One shard, number 0.
struct PairsOptions {
  int scenes = 6, expressions = 3, side = 32;
  bool partner_is_missing = false;  // the last scene has one face
  features::AuSchema schema = features::GanSchema();
};
void WritePairs(const std::string& folder, const PairsOptions& options = {});

}  // namespace auforge::tests
