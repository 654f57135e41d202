// Near-duplicates among the faces of an index, by their perceptual hashes (features/picture_hash.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/query/index_store.h"

namespace auforge::datasets::query {

class FaceIndex;

using FaceMask = std::vector<std::uint8_t>;  // 0 or 1 for each face of a shard

// For each shard, in order: the faces that are near-duplicates of one before them (in the order of shards and rows) that is none
// itself. Shards without hashes have empty masks. Throws QueryStopped.
std::vector<FaceMask> FindNearDuplicates(const FaceIndex& index, const StopCheck& stop);

// Likewise: the faces that are near-duplicates of a face of the image with this key and those on images that are near-duplicates
// of it; or, where it is written "NAME:ROW", of face ROW of shard NAME. The named ones are left out. Throws ExpressionError (with this column) when
// there is no such image or it has no hashes.
std::vector<FaceMask> FindDuplicatesOf(const FaceIndex& index, const std::string& key, std::size_t column, const StopCheck& stop);

}  // namespace auforge::datasets::query
