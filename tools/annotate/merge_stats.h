// The sum of a run: what the stats files of its shards say together.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace auforge::tools {

struct RunStats {
  std::uint64_t shards = 0;
  std::uint64_t images = 0;
  std::uint64_t faces = 0;
  std::map<std::string, std::uint64_t> by_status;       // images by outcome
  std::map<std::string, std::uint64_t> crawl;           // addresses by what a crawler's tables say became of them
  std::map<std::string, double> stage_seconds;          // processor seconds by stage
  std::map<std::string, std::uint64_t> configurations;  // shards by digest of their configuration
  std::vector<int> missing;             // indices without a stats file below the largest (or expected)
  std::vector<std::string> unreadable;  // stats files that are none, with the reason
  std::uint64_t duplicates = 0;         // images whose bytes another one has; when asked for
};

struct MergeOptions {
  std::vector<std::string> folders;
  int expected = 0;  // shards that there should be in all; 0: as many as the largest index says
  bool duplicates =
      false;  // read the SHA-256 of every image from every shard: 16 to 32 bytes of memory an image
};

// Throws std::runtime_error when a folder cannot be read or has no stats file.
RunStats MergeStats(const MergeOptions& options);

}  // namespace auforge::tools
