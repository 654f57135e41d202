// Leaves out faces of which a copy was kept before: the same picture, scaled, compressed or cut otherwise, told by the
// perceptual hashes of the aligned crops (features::AreNearDuplicates).
//
// Every face is compared with all faces that this process has kept before it, in the order of the shards and their images, those
// of shards that earlier runs finished among them: the result depends neither on threads nor on where a run was killed. Faces
// that were left out are not compared with. Processes that share a crawl (index, count) do not know each other's faces.
// Used by one thread at a time, in order.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "datasets/near_duplicates.h"
#include "pipeline/examine.h"

namespace auforge::pipeline {

class NearDuplicateFilter {
 public:
  // finished: shards of earlier runs, ascending by index, and their files.
  explicit NearDuplicateFilter(std::vector<std::pair<int, std::string>> finished) : finished_(std::move(finished)) {}

  // A shard is begun: what finished ones before it hold is kept already. Throws what datasets::ShardReader throws.
  void Begin(int shard_index);
  // Takes the faces out; an image that loses all of them is kDuplicate. aus: those of the model. Returns how many were taken out.
  std::size_t Filter(ExaminedImage& image, std::size_t aus);

 private:
  std::vector<std::pair<int, std::string>> finished_;
  std::size_t next_finished_ = 0;
  datasets::NearDuplicateSet kept_;
  std::vector<std::string> keys_;  // of the kept faces' images
};

}  // namespace auforge::pipeline
