// What is in the output folder already, and whose it is. A shard belongs to who made it: the same options and model
// (RunConfig) and the same input, told by what it holds, not by how its path is spelled.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "datasets/image_source.h"
#include "pipeline/run_config.h"

namespace auforge::pipeline {

// The folder holds shards of another configuration or of other inputs; a retry will not help.
struct ConfigMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a stats file says of the input.
struct InputRecord {
  std::string name;   // as it was given
  std::string path;   // of its first file, links resolved
  std::string keys;   // InputShard::digest
  std::string state;  // datasets::FileStateDigest of its files
};
// To be taken before the first of its bytes is read: one stat a file.
InputRecord RecordInput(const datasets::ImageSource& source, const datasets::InputShard& shard);

struct ResumeOptions {
  std::string output;                               // folder of the shards
  const RunConfig& config;                          // of this run
  std::function<bool()> stop;                       // ends reading images to compare them; may be empty
  std::function<void(const std::string&)> notice;  // a line for the user; may be empty
};

// True when the shard is finished and need not be made. Where its input's files were touched since, the images are read
// and compared: the same, and it is finished; others, and it is to be made anew, which `notice` is told; not to be read
// now, and it stays. Throws ConfigMismatch naming the first difference when the shard is another's.
bool IsFinishedShard(const datasets::ImageSource& source, const datasets::InputShard& shard,
                     const ResumeOptions& options);

// Shards of other tasks of an array, too, must be of the same options: the first finished one of the folder tells. Throws
// ConfigMismatch naming the first difference.
void RequireSameOptions(const std::string& output, const RunConfig& config);

// A finished shard that a run goes on behind must be of the same input and options. Throws ConfigMismatch naming the
// first difference.
void RequireSameRun(const std::string& output, int index, const InputRecord& input, const RunConfig& config);

// Another process may have put its shard there since this run began. Throws ConfigMismatch naming what it was made from,
// unless there is none, or it is ours: an orphan of the same job makes the same bytes.
void RequireOurs(const std::string& output, const datasets::InputShard& shard, const InputRecord& input,
                 const RunConfig& config);
// The same before it is replaced: a shard that was made before the input changed is finished no longer.
void MakeRoom(const std::string& output, const datasets::InputShard& shard, const InputRecord& input,
              const RunConfig& config);

}  // namespace auforge::pipeline
