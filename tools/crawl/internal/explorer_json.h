// What the explorer's page is told of shards and faces.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "datasets/query/describe.h"

namespace auforge::tools {

// The folder as a whole: counts, AUs with names and regions, emotions, provenance, damaged shards.
nlohmann::json InfoJson(const datasets::query::FaceIndex& index, const std::string& title,
                        const std::vector<int>& editable);
// A tile of the grid.
nlohmann::json SummaryJson(const datasets::query::FaceIndex& index, const datasets::query::FaceSummary& face);
// One face large: landmarks and AU regions in the pixels of its crop, every measure, where it comes from.
nlohmann::json FaceDetailJson(const datasets::ShardReader& shard, datasets::query::FaceReference face);

}  // namespace auforge::tools
