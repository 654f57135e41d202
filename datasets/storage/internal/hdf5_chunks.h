// Reads datasets that are stored in chunks without HDF5's own filter pipeline: HDF5 1.10 trusts a chunk to
// unpack to the size that it should have, and reads beyond its end when a damaged or hostile one is shorter
// (found by fuzzing).
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

namespace auforge::datasets::storage {

struct ChunkedSet {
  hid_t set = -1;                     // not owned
  hid_t creation = -1;                // its creation properties; not owned
  std::vector<std::uint64_t> extent;  // row-major
  std::size_t element = 0;            // bytes of an element
  std::uint64_t file_bytes = 0;       // no chunk can be larger
  std::string file, name;             // for messages
};

// Writes all elements, as they are stored, to out (size product(extent) * element). Understands deflate and
// shuffle. Throws std::runtime_error naming file and dataset when a chunk is missing, damaged or packed in
// another way.
void ReadChunks(const ChunkedSet& chunked, std::uint8_t* out);

}  // namespace auforge::datasets::storage
