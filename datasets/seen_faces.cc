#include "datasets/seen_faces.h"

#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

// Zeros: the image could not be read when it was labelled, or never was a file (drawn faces).
bool IsKnown(const std::array<std::uint8_t, 32>& digest) { return digest != std::array<std::uint8_t, 32>{}; }

}  // namespace

void SeenFaces::Add(const ShardReader& shard) {
  for (std::size_t face = 0; face < shard.FaceCount(); ++face) {
    const auto& image = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).sha256;
    if (IsKnown(image)) images_.insert(image);
    if (!shard.header().has_crops) continue;
    if (const auto crop = shard.FaceImage(face); !crop.empty()) crops_.insert(storage::Sha256(crop));
  }
}

bool SeenFaces::Has(const ShardReader& shard, std::size_t face) const {
  const auto& image = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).sha256;
  if (IsKnown(image) && images_.contains(image)) return true;
  if (!shard.header().has_crops) return false;
  const auto crop = shard.FaceImage(face);
  return !crop.empty() && crops_.contains(storage::Sha256(crop));
}

}  // namespace auforge::datasets
