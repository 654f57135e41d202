// The figures of a report, gathered from finished shards, their stats files and error logs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datasets/shard.h"

namespace auforge::tools {

inline constexpr std::size_t kSourcesKept = 12;

struct AuFigures {
  std::string name;           // "AU12"
  std::uint64_t present = 0;  // faces
  double intensity_sum = 0;
  std::vector<std::uint64_t> histogram;  // faces per intensity: [0,1) [1,2) … [4,5]
  std::vector<std::uint64_t> fine;       // the same in steps of a quarter: [0,.25) … [4.75,5]
};

struct FaceReference {
  std::size_t shard = 0;  // index into ReportData::shards
  std::size_t face = 0;
};

struct Failure {
  std::string key, status, message;
};

// A shard that the report passes over.
struct LeftOut {
  std::string shard;
  std::string fault;        // names the file
  bool is_damaged = false;  // its content is at fault; else it could not be read this time
};

struct ReportData {
  std::vector<std::string> shards;  // readable ones
  std::vector<LeftOut> left_out;    // where shards may be passed over
  std::uint64_t images = 0;
  std::uint64_t faces = 0;
  std::uint64_t without_crops = 0;  // shards that have no face pictures
  std::map<std::string, std::uint64_t> by_status;
  std::map<std::string, std::uint64_t> crawl;  // addresses by what a crawler's tables say became of them
  std::map<std::string, std::uint64_t> emotions;
  std::vector<AuFigures> aus;
  std::vector<std::vector<std::uint64_t>> together;  // [A][A] faces with both AUs present
  std::vector<std::uint64_t> face_sizes;  // faces per box width: <40, <80, <160, <320, >=320 pixels
  std::vector<std::uint64_t> quality;     // faces per tenth of 0..1
  std::vector<std::uint64_t> yaw, pitch;  // faces per 10 degrees of -90..90
  std::map<std::string, double> stage_seconds;
  std::string model_digest, detector, source, tool_version;    // of the first shard
  std::set<std::string> models, detectors, versions, configs;  // of all of them
  std::set<std::string> sources;                               // at most kSourcesKept
  std::string first_created, last_created;
  std::vector<std::pair<std::string, std::string>>
      settings;                             // of the run, from the first stats file that has them
  std::vector<FaceReference> sample_faces;  // spread evenly over all faces
  std::vector<Failure> failures;            // the first of them
  std::uint64_t failure_count = 0;
};

// folder_or_shards: as datasets::FindShards. Memory does not grow with the number of faces but for
// sample_faces. Throws std::runtime_error naming a shard that cannot be read (unless pass_over: it is then in
// `left_out`), schemas that differ, or when no shard can be read.
ReportData GatherReport(const std::vector<std::string>& folder_or_shards, std::size_t sample_faces,
                        bool pass_over = false);

}  // namespace auforge::tools
