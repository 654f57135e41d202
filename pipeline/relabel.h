// Shards that another AU model has labelled, labelled again: from their stored crops and landmarks, which is all that AUs
// are computed from (examine.cc). No image is needed, no face is looked for.
//
// What the AU model says is renewed: AUs with their halves and visibility, quality, emotions, the model's digest, and the
// configuration, which is that of annotate with this model. Everything else is copied as it is. Each shard is replaced
// by one rename, then its stats file by another; between the two it is whole and newly labelled, and the next run brings
// its stats file up to date. Shards that have this model's labels already are left alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace auforge::pipeline {

struct RelabelOptions {
  std::vector<std::string> shards;  // see datasets::FindShards; each named NNNNN.h5
  std::string model;                // AU model; empty: annotator::DefaultAuModelPath()
  std::string output;               // folder that the shards go to, created; empty: where they are
  int jobs = 1;                     // threads, >= 1
  std::function<void(const std::string&)> notice;  // a line that the user should see at once; may be empty

  void Validate() const;            // throws std::invalid_argument naming field, value and constraint
};

struct RelabelProgress {
  std::uint64_t faces = 0;           // done so far, this run
  std::uint64_t faces_expected = 0;  // of this run
  std::size_t shards = 0;            // finished, of this run
  std::size_t shards_expected = 0;
  double seconds = 0;
};

struct RelabelSummary {
  std::uint64_t faces = 0;           // newly labelled
  std::size_t shards_written = 0;
  std::size_t shards_left = 0;       // had this model's labels
  std::vector<std::string> damaged;  // a line for each shard that stays as it is because of its content; names it
  std::vector<std::string> unread;   // likewise because it could not be read now, or is in use
  std::string model_digest;
  double seconds = 0;
  bool stopped = false;              // stop_requested ended it early
};

// progress: called from one thread at a time, a few times a second; may be empty. stop_requested: polled per face; when it
// turns true the unfinished shard is dropped, which stays as it was, and the call returns soon.
// Before anything is written all shards are looked at: throws datasets::storage::BadContent naming the first one that
// has exact labels, another landmarker's points than the model's, or no crops, and std::invalid_argument for
// names that do not fit. Throws std::runtime_error for what cannot be written.
RelabelSummary Relabel(const RelabelOptions& options, const std::function<void(const RelabelProgress&)>& progress,
                       const std::function<bool()>& stop_requested);

}  // namespace auforge::pipeline
