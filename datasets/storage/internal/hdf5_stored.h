// Reading of what is copied without being understood.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/storage/stored_value.h"

namespace auforge::datasets::storage {

// Values of a dataset or an attribute that are about to be read. Identifiers are not owned.
struct StoredPlace {
  hid_t type = -1, space = -1;
  std::vector<std::uint64_t> shape;
  std::uint64_t count = 0;  // of elements; checked to be possible
  std::function<bool(hid_t memory_type, void* out)> read;
  std::string file, name;  // for messages
};

StoredValue ReadValue(const StoredPlace& place);

}  // namespace auforge::datasets::storage
