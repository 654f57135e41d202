#include "pipeline/feed.h"

#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {

void MarkDuplicates(Group& group, DuplicateSet& seen) {
  for (datasets::ImageItem& item : group.items) {
    DuplicateSet::Digest digest{};
    if (item.status == datasets::Outcome::kOk) {
      digest = datasets::storage::Sha256(item.bytes);
      if (!seen.Insert(digest)) {
        item.status = datasets::Outcome::kDuplicate;
        item.message = "the same bytes as an earlier image of this run";
        item.bytes = {};
      }
    }
    group.digests.push_back(digest);
  }
}

Feed::Feed(const datasets::ImageSource& source, std::vector<const datasets::InputShard*> shards,
           FeedOptions options, StopRequest& stop)
    : source_(source), shards_(std::move(shards)), options_(std::move(options)), stop_(stop) {}

std::unique_ptr<Group> Feed::Next() {
  if (stop_()) {
    stopped_ = true;
    return nullptr;
  }
  if (next_ == shards_.size()) return nullptr;
  auto group = std::make_unique<Group>();
  group->shard = shards_[next_];
  if (!reader_) {
    if (options_.skip_duplicates) LearnFinished(shards_[next_]->index);
    group->input = RecordInput(source_, *shards_[next_]);
    reader_ = source_.Open(*shards_[next_]);
    group->kind = Group::Kind::kBegin;
    return group;
  }
  ReadItems(*group);
  if (!group->items.empty()) return group;
  group->notes = reader_->Notes();
  group->fault = reader_->Fault();
  reader_.reset();
  if (!group->fault.empty() && stop_()) {
    stopped_ = true;
    return nullptr;
  }
  next_ = !group->fault.empty() && options_.stop_at_fault ? shards_.size() : next_ + 1;
  group->kind = Group::Kind::kEnd;
  return group;
}

void Feed::ReadItems(Group& group) {
  const Stopwatch watch(group.read_seconds);
  std::size_t bytes = 0;
  datasets::ImageItem item;
  while (group.items.size() < options_.group_images && bytes < kMostGroupBytes && reader_->Next(item)) {
    bytes += item.bytes.size();
    group.items.push_back(std::move(item));
    item = {};
  }
  if (options_.skip_duplicates) MarkDuplicates(group, seen_);
}

void Feed::LearnFinished(int before_index) {
  for (; next_finished_ < options_.finished.size(); ++next_finished_) {
    const auto& [index, path] = options_.finished[next_finished_];
    if (index >= before_index) return;
    const datasets::ShardReader shard(path);
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) seen_.Insert(shard.Sample(i).sha256);
  }
}

}  // namespace auforge::pipeline
