// What a list or a grid shows of a face, from the index alone; and shards opened once for many faces.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "datasets/query/search.h"

namespace auforge::datasets::query {

struct FaceSummary {
  FaceReference face;
  ImageText text;
  std::string emotion;
  float quality = 0, score = 0, yaw = 0, pitch = 0, roll = 0, size = 0;
  std::int32_t face_index = 0;
  std::vector<float> intensity;  // one for each AU of the shard's schema
  std::vector<float> probability;
  std::vector<std::uint8_t> present;
};

// In the order of `faces`. Reads single entries where few faces of a shard are wanted, columns where many
// are.
std::vector<FaceSummary> Describe(const FaceIndex& index, std::span<const FaceReference> faces);

// The last few shards that were used, open. Thread-safe.
class ShardCache {
 public:
  ShardCache(const FaceIndex& index, std::size_t most) : index_(index), most_(most) {}
  // Throws std::runtime_error when the shard cannot be read any more.
  std::shared_ptr<const ShardReader> Open(std::uint32_t shard);

 private:
  const FaceIndex& index_;
  std::size_t most_;
  std::mutex mutex_;
  std::list<std::pair<std::uint32_t, std::shared_ptr<const ShardReader>>> open_;  // latest first
};

// Calls visit(position in faces, shard) once for each face, shard by shard, so that each shard is opened
// once.
void VisitByShard(ShardCache& cache, std::span<const FaceReference> faces,
                  const std::function<void(std::size_t, const ShardReader&)>& visit);

}  // namespace auforge::datasets::query
