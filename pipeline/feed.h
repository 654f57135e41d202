// The start of the pipeline: the items of the shards that are to be done, in order, in groups that travel
// together.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "pipeline/duplicates.h"
#include "pipeline/resume.h"

namespace auforge::pipeline {

// The caller's wish to stop, remembered. Any thread may ask.
class StopRequest {
 public:
  explicit StopRequest(std::function<bool()> ask) : ask_(std::move(ask)) {}
  bool operator()() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (!ask_) return false;
    const std::lock_guard lock(mutex_);
    if (ask_()) stopped_ = true;
    return stopped_;
  }

 private:
  std::function<bool()> ask_;
  std::mutex mutex_;
  std::atomic<bool> stopped_{false};
};

// What the source hands over at once: some images of one shard, or the news that it begins or ends.
struct Group {
  enum class Kind { kBegin, kImages, kEnd } kind = Kind::kImages;
  const datasets::InputShard* shard = nullptr;
  InputRecord input;  // of a beginning, as it was before its first byte was read
  std::vector<datasets::ImageItem> items;
  std::vector<DuplicateSet::Digest> digests;  // of the items' bytes, when duplicates are skipped; else empty
  double read_seconds = 0;
  datasets::SideNotes notes;  // of kEnd: what was beside the shard's images
  std::string fault;          // of kEnd: ItemReader::Fault; what came of the shard is not to be kept then
};

// Encoded bytes after which a group is full; one image may be more.
inline constexpr std::size_t kMostGroupBytes = 4 << 20;

// Images whose bytes `seen` holds get status kDuplicate and lose them; the others are entered. Fills group.digests.
void MarkDuplicates(Group& group, DuplicateSet& seen);

struct FeedOptions {
  std::size_t group_images = 16;  // most images of a group; fewer when they are large
  bool skip_duplicates = false;   // an image seen before gets status kDuplicate and loses its bytes
  // Shard files that earlier runs finished, by index: what they hold counts as seen, so that a run that was
  // interrupted skips what an undisturbed one would have skipped.
  std::vector<std::pair<int, std::string>> finished;
  // Nothing is handed out behind an input with a fault: what is a duplicate there depends on it.
  bool stop_at_fault = false;
};

// Called by one thread at a time.
class Feed {
 public:
  // stop must outlive the feed.
  Feed(const datasets::ImageSource& source, std::vector<const datasets::InputShard*> shards,
       FeedOptions options, StopRequest& stop);

  // nullptr when all is handed out or the run is to stop.
  std::unique_ptr<Group> Next();
  bool stopped() const { return stopped_; }

 private:
  void ReadItems(Group& group);
  void LearnFinished(int before_index);

  const datasets::ImageSource& source_;
  std::vector<const datasets::InputShard*> shards_;
  FeedOptions options_;
  StopRequest& stop_;
  std::size_t next_ = 0;
  std::size_t next_finished_ = 0;
  std::unique_ptr<datasets::ItemReader> reader_;
  DuplicateSet seen_;
  bool stopped_ = false;
};

}  // namespace auforge::pipeline
