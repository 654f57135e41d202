// Faces of which a copy was there before, by their perceptual hashes (features/picture_hash.h). About 200 bytes a face that is
// kept. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "features/image_hash.h"
#include "features/picture_hash.h"

namespace auforge::datasets {

class NearDuplicateSet {
 public:
  // The number (0, 1, … in the order of Insert) of the first face that this one is a near-duplicate of: the same as asking
  // features::AreNearDuplicates of each. A hash that is none has no duplicates.
  std::optional<std::uint32_t> Find(const features::ImageHash& hash) const;
  // All of them, ascending.
  std::vector<std::uint32_t> FindAll(const features::ImageHash& hash) const;
  void Insert(const features::ImageHash& hash);
  std::size_t size() const { return hashes_.size(); }

 private:
  // Faces by one band of their hashes: a table of chains, latest first.
  struct Band {
    std::vector<std::uint32_t> first;  // by the band's value, hashed; 0: none, else a number + 1
    std::vector<std::uint32_t> next;   // of each face, likewise
  };
  template <typename Visit>
  void VisitCandidates(const features::ImageHash& hash, const Visit& visit) const;
  void Grow();

  std::vector<features::ImageHash> hashes_;
  std::array<Band, features::kHashBands> bands_;
};

}  // namespace auforge::datasets
