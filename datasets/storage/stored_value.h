// Data of HDF5 files as they lie there, whatever their type: what is copied from one file to another without being
// understood. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace auforge::datasets::storage {

struct StoredValue {
  std::vector<std::uint8_t> type;     // of an element, in HDF5's own encoding; nothing of variable length
  std::size_t element = 0;            // bytes of one
  std::vector<std::uint64_t> shape;   // row-major; {}: one element
  std::vector<std::uint8_t> bytes;    // size = element * product of shape
};

struct StoredAttribute {
  std::string name;
  StoredValue value;
};

// A dataset, or a group (without data), with all its attributes.
struct StoredObject {
  std::string path;  // "/group/name"; "/" is the root
  std::optional<StoredValue> data;
  std::vector<StoredAttribute> attributes;
};

}  // namespace auforge::datasets::storage
