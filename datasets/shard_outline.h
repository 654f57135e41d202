// What is in a shard, or a folder of them, at a glance: a few kilobytes are read, whatever its size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "datasets/shard.h"

namespace auforge::datasets {

struct ShardOutline {
  ShardHeader header;
  std::uint64_t faces = 0;
  std::uint64_t image_bytes = 0;  // of all crops
};

// Throws storage::BadContent naming file and fault, std::runtime_error when the file cannot be read. Columns are not
// looked at.
ShardOutline ReadOutline(const std::string& path);

// The number of the first finished shard of a folder, by name; nothing where it has none or is not there. One tells of which
// run a folder is. Throws std::runtime_error where it cannot be listed.
std::optional<int> FirstFinishedShard(const std::string& folder);

}  // namespace auforge::datasets
