// The end of the pipeline: images in order into shards, one shard after the other, each committed when its last
// image has come. Used by one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "datasets/leftovers.h"
#include "datasets/shard.h"
#include "pipeline/annotate.h"
#include "pipeline/duplicates.h"
#include "pipeline/examine.h"
#include "pipeline/labeller.h"
#include "pipeline/resume.h"
#include "pipeline/run_config.h"

namespace auforge::pipeline {

// Everything but source and created, which each shard sets.
datasets::ShardHeader MakeShardHeader(const Labeller& labeller, const RunConfig& config);

class ShardSink {
 public:
  // header: of MakeShardHeader.
  ShardSink(std::string folder, datasets::ShardHeader header, RunConfig config, float min_quality, datasets::Leftovers leftovers);

  // (Begin, Write*, Commit | Abandon)*. Begin and Commit throw ConfigMismatch when another run has put its shard in this place
  // meanwhile, which stays.
  void Begin(const datasets::InputShard& shard, InputRecord input);
  // Faces below the least quality are left out; an image that loses all of them is kLowQuality.
  void Write(ExaminedGroup group);
  // Writes the shard, NNNNN_errors.jsonl and, last, its stats file. notes: what was beside the shard's images.
  void Commit(const datasets::SideNotes& notes);
  // Forgets the shard that was begun, also in what is counted.
  void Abandon();

  // Rows of the shard that is begun and not committed; 0 while there is none.
  std::size_t uncommitted() const { return writer_ ? file_states_.size() : 0; }

  std::uint64_t images() const { return counts_.images; }
  std::uint64_t faces() const { return counts_.faces; }
  // Images whose bytes came before in this run.
  std::uint64_t duplicates() const { return counts_.duplicates; }
  const std::map<std::string, std::uint64_t>& by_status() const { return counts_.by_status; }

 private:
  void WriteImage(ExaminedImage image);
  void LogFailure(const ExaminedImage& image);

  std::string folder_;
  datasets::ShardHeader header_;
  RunConfig config_;
  float min_quality_;
  datasets::Leftovers leftovers_;
  datasets::InputShard shard_;
  InputRecord input_;
  std::unique_ptr<datasets::ShardWriter> writer_;
  std::string failures_;                       // lines of the error log
  std::vector<std::string> file_states_;       // of the shard's samples
  bool any_file_state_ = false;
  std::vector<float> au_visible_;              // faces x AUs of the shard, 0 or 1
  std::vector<float> trust_;                   // of its faces
  std::vector<float> dense_;                   // faces x points x 2; empty where none are asked for
  std::vector<float> scales_;                  // of its samples
  StageSeconds seconds_{};                     // of the shard
  struct Counts {
    std::uint64_t images = 0, faces = 0, duplicates = 0;
    std::map<std::string, std::uint64_t> by_status;
  };
  Counts counts_, counts_before_;  // of the run; before the shard
  DuplicateSet seen_;
};

}  // namespace auforge::pipeline
