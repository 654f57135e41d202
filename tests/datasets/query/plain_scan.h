// The plain reference for queries: every face of every shard looked at one by one, nothing of the index used.
#pragma once

#include <string>
#include <vector>

#include "datasets/query/expression.h"
#include "datasets/shard.h"

namespace auforge::tests {

struct ScannedFace {
  std::string shard;  // "00000.h5"
  std::uint32_t face = 0;
  friend bool operator==(const ScannedFace&, const ScannedFace&) = default;
};

bool Holds(const datasets::ShardReader& shard, std::size_t face,
           const datasets::query::Expression& expression);
std::vector<ScannedFace> Scan(const std::string& folder, const datasets::query::Expression& expression);

}  // namespace auforge::tests
