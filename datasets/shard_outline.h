// What is in a shard at a glance: a few kilobytes are read, whatever its size.
#pragma once

#include <cstdint>
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

}  // namespace auforge::datasets
