// The start of the pipeline for images that come as time goes by: groups of what is there, and where shards are
// written, when one begins and ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "datasets/live_source.h"
#include "pipeline/duplicates.h"
#include "pipeline/feed.h"

namespace auforge::pipeline {

struct LiveFeedOptions {
  std::size_t group_images = 16;     // most images of a group
  bool skip_duplicates = false;
  DuplicateSet seen;                 // before this run
  bool with_shards = true;
  std::size_t shard_size = 10000;    // images, and
  std::chrono::duration<double> commit_after{60};  // time since its first image, that end a shard
  int first_index = 0;               // of the shards
  InputRecord input;                 // theirs
};

// Called by one thread at a time.
class LiveFeed {
 public:
  // source and stop must outlive the feed.
  LiveFeed(datasets::LiveSource& source, LiveFeedOptions options, StopRequest& stop)
      : source_(source), options_(std::move(options)), stop_(stop) {}

  // Waits for images. nullptr when no more will come or the run is to stop.
  std::unique_ptr<Group> Next();

 private:
  using Clock = std::chrono::steady_clock;
  void Wait();
  std::unique_ptr<Group> Begin();
  std::unique_ptr<Group> End();
  std::unique_ptr<Group> Images();

  datasets::LiveSource& source_;
  LiveFeedOptions options_;
  StopRequest& stop_;
  std::deque<datasets::InputShard> shards_;   // groups in flight point to them
  std::vector<datasets::ImageItem> waiting_;  // that came, and are not handed out
  double read_seconds_ = 0;
  bool is_open_ = false;                      // a shard
  std::size_t rows_ = 0;                      // of it
  Clock::time_point deadline_ = Clock::time_point::max();  // of it
  bool exhausted_ = false;
};

}  // namespace auforge::pipeline
