// Rows of an index like those of a large crawl, without the shards: for benchmarks and tests of scale.
#pragma once

#include <cstdint>

#include "datasets/query/face_index.h"

namespace auforge::tests {

// One shard of `faces` faces with 22 AUs, captions of about 8 words of a Zipf-distributed vocabulary of
// 30,000 with "anxiety" in 1 of 1,400 and "person" in every second, as keywords of a crawl are.
datasets::query::ShardRows MillionRowsShard(int index, std::uint32_t faces);

}  // namespace auforge::tests
