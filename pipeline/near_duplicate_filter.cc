#include "pipeline/near_duplicate_filter.h"

#include <algorithm>

#include "datasets/shard.h"

namespace auforge::pipeline {

void NearDuplicateFilter::Begin(int shard_index) {
  for (; next_finished_ < finished_.size() && finished_[next_finished_].first < shard_index; ++next_finished_) {
    const datasets::ShardReader shard(finished_[next_finished_].second);
    for (std::size_t i = 0; i < shard.CropHashes().size(); ++i) {
      kept_.Insert(shard.CropHashes()[i]);
      keys_.push_back(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).key);
    }
  }
}

std::size_t NearDuplicateFilter::Filter(ExaminedImage& image, std::size_t aus) {
  std::vector<bool> is_kept(image.faces.size());
  std::string original;
  for (std::size_t i = 0; i < image.faces.size(); ++i) {
    const auto found = kept_.Find(image.faces[i].hash);
    is_kept[i] = !found;
    if (found) {
      if (original.empty()) original = keys_[*found];
      continue;
    }
    kept_.Insert(image.faces[i].hash);
    keys_.push_back(image.sample.key);
  }
  const std::size_t before = image.faces.size();
  KeepFaces(image, aus, is_kept);
  if (image.faces.empty() && before > 0) {
    image.sample.status = datasets::Outcome::kDuplicate;
    image.stage = "classify";
    image.message = "a near-duplicate of " + original + ", which came before";
  }
  return before - image.faces.size();
}

}  // namespace auforge::pipeline
