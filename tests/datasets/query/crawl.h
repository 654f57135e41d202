// A small labelled crawl for tests: shards with known, random faces, keywords and sources.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/shard.h"

namespace auforge::tests {

struct CrawlOptions {
  int shards = 3;
  int images = 40;  // of each shard
  std::vector<int> aus = {1, 2, 4, 6, 7, 12, 25, 45};
  std::uint64_t seed = 1;
  int first = 0;          // index of the first shard
  bool halves = true;     // AUs of the halves of the face
  bool crops = true;      // false: as annotate --no-crops writes them
  bool pictures = false;  // real JPEG crops instead of a few bytes
};

// Shards with 0..3 faces an image, captions of a few words, some of them hostile.
void WriteCrawl(const std::string& folder, const CrawlOptions& options = {});
datasets::ShardHeader CrawlHeader(const CrawlOptions& options);

}  // namespace auforge::tests
