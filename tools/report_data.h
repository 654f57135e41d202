// The figures of a report, gathered from finished shards, their stats files and error logs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "datasets/shard.h"

namespace auforge::tools {

struct AuFigures {
  std::string name;                         // "AU12"
  std::uint64_t present = 0;                // faces
  double intensity_sum = 0;
  std::vector<std::uint64_t> histogram;     // faces per intensity: [0,1) [1,2) … [4,5]
};

struct FaceReference {
  std::size_t shard = 0;                    // index into ReportData::shards
  std::size_t face = 0;
};

struct Failure {
  std::string key, status, message;
};

struct ReportData {
  std::vector<std::string> shards;
  std::uint64_t images = 0;
  std::uint64_t faces = 0;
  std::map<std::string, std::uint64_t> by_status;
  std::map<std::string, std::uint64_t> emotions;
  std::vector<AuFigures> aus;
  std::vector<std::vector<std::uint64_t>> together;   // [A][A] faces with both AUs present
  std::vector<std::uint64_t> face_sizes;              // faces per box width: <40, <80, <160, <320, >=320 pixels
  std::map<std::string, double> stage_seconds;
  std::string model_digest, detector, source, tool_version;
  std::vector<FaceReference> sample_faces;            // spread evenly over all faces
  std::vector<Failure> failures;                      // the first of them
  std::uint64_t failure_count = 0;
};

// folder_or_shards: as datasets::FindShards. Memory does not grow with the number of faces but for sample_faces.
// Throws std::runtime_error naming a damaged shard or schemas that differ.
ReportData GatherReport(const std::vector<std::string>& folder_or_shards, std::size_t sample_faces);

}  // namespace auforge::tools
