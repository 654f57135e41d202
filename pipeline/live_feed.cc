#include "pipeline/live_feed.h"

#include <algorithm>

#include "pipeline/stopwatch.h"

namespace auforge::pipeline {

std::unique_ptr<Group> LiveFeed::Next() {
  while (!stop_()) {
    if (is_open_ && (rows_ >= options_.shard_size || Clock::now() >= deadline_)) return End();
    if (waiting_.empty() && !exhausted_) Wait();
    if (waiting_.empty()) {
      if (!exhausted_) continue;
      return is_open_ ? End() : nullptr;
    }
    return options_.with_shards && !is_open_ ? Begin() : Images();
  }
  return nullptr;
}

void LiveFeed::Wait() {
  const Stopwatch watch(read_seconds_);
  const std::size_t room = options_.with_shards ? options_.shard_size - rows_ : options_.group_images;
  exhausted_ = !source_.Take(waiting_, {std::min(options_.group_images, room), deadline_, [this] { return stop_(); }});
}

std::unique_ptr<Group> LiveFeed::Begin() {
  const int index = options_.first_index + static_cast<int>(shards_.size());
  shards_.push_back({index, options_.input.name, 0, options_.input.keys});
  is_open_ = true;
  rows_ = 0;
  deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(options_.commit_after);
  auto group = std::make_unique<Group>();
  group->kind = Group::Kind::kBegin;
  group->shard = &shards_.back();
  group->input = options_.input;
  return group;
}

std::unique_ptr<Group> LiveFeed::End() {
  auto group = std::make_unique<Group>();
  group->kind = Group::Kind::kEnd;
  group->shard = &shards_.back();
  is_open_ = false;
  rows_ = 0;
  deadline_ = Clock::time_point::max();
  return group;
}

std::unique_ptr<Group> LiveFeed::Images() {
  auto group = std::make_unique<Group>();
  if (is_open_) group->shard = &shards_.back();
  group->items.swap(waiting_);
  std::swap(group->read_seconds, read_seconds_);
  rows_ += group->items.size();
  if (options_.skip_duplicates) MarkDuplicates(*group, options_.seen);
  return group;
}

}  // namespace auforge::pipeline
