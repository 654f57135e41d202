// What a run was made with: everything that can change the content of a shard, as one canonical JSON object whose
// digest is stored in every shard. Shards of different configurations are never mixed in one folder.
#pragma once

#include <string>

#include "pipeline/annotate.h"

namespace auforge::pipeline {

struct RunConfig {
  std::string json;          // canonical: keys sorted, one line
  std::string digest;        // SHA-256 of json, hex
  std::string model_digest;
};

// dense_digest: of the nets of dense points; "" where none are asked for.
RunConfig MakeRunConfig(const AnnotateOptions& options, const std::string& model_digest, const std::string& detector,
                        const std::string& landmark_path, const std::string& dense_digest);

}  // namespace auforge::pipeline
