// What a run was made with: everything that can change the content of a shard, as one canonical JSON object whose
// digest is stored in every shard. Shards of different configurations are never mixed in one folder.
#pragma once

#include <stdexcept>
#include <string>

#include "datasets/image_source.h"
#include "pipeline/annotate.h"

namespace auforge::pipeline {

// The folder holds shards of another configuration; a retry will not help.
struct ConfigMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct RunConfig {
  std::string json;          // canonical: keys sorted, one line
  std::string digest;        // SHA-256 of json, hex
  std::string model_digest;
};

RunConfig MakeRunConfig(const AnnotateOptions& options, const std::string& model_digest, const std::string& detector,
                        const std::string& landmark_path);

// True when the shard is finished and was made with `config` from the same input; false when it is not finished.
// Throws ConfigMismatch naming the first difference, std::runtime_error when its stats file cannot be read.
bool IsFinishedShard(const std::string& folder, const datasets::InputShard& shard, const RunConfig& config);

}  // namespace auforge::pipeline
