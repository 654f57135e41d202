// Which faces stand in some shards, told by what they show: the SHA-256 of their image's bytes, and that of their crop's.
// So that a set for judging holds nothing that was learnt from, and no face is learnt from twice.
//
//   SeenFaces seen;  seen.Add(ShardReader("old/00000.h5"));  if (seen.Has(shard, face)) …
//
// Const calls are thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_set>

#include "datasets/shard.h"

namespace auforge::datasets {

class SeenFaces {
 public:
  // Reads every crop of the shard. Throws what ShardReader throws.
  void Add(const ShardReader& shard);
  // Whether the image that the face is on, or its crop, is among those added. Reads the crop where the image is not.
  bool Has(const ShardReader& shard, std::size_t face) const;
  std::size_t Count() const { return crops_.size(); }  // different crops

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct Hash {
    std::size_t operator()(const Digest& digest) const {
      std::size_t value;
      std::memcpy(&value, digest.data(), sizeof(value));
      return value;
    }
  };
  std::unordered_set<Digest, Hash> images_, crops_;
};

}  // namespace auforge::datasets
