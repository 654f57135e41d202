#include "datasets/storage/internal/hdf5_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "datasets/storage/internal/hdf5_handle.h"

namespace auforge::datasets::storage {
namespace {

using Index = std::vector<hsize_t>;

struct Packing {
  bool shuffle = false, deflate = false;
};

Packing PackingOf(const ChunkedSet& c) {
  Packing packing;
  const int count = H5Pget_nfilters(c.creation);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(c.creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    // In this order only, each once: the order in which everybody writes them.
    if (filter == H5Z_FILTER_SHUFFLE && !packing.shuffle && !packing.deflate) {
      packing.shuffle = true;
    } else if (filter == H5Z_FILTER_DEFLATE && !packing.deflate) {
      packing.deflate = true;
    } else {
      FailReading(c.file, c.name, "is packed in a way other than shuffle and gzip; write it anew");
    }
  }
  return packing;
}

class ChunkReader {
 public:
  ChunkReader(const ChunkedSet& c, const Index& shape) : c_(c), packing_(PackingOf(c)) {
    std::size_t elements = 1;
    for (const hsize_t side : shape) elements *= static_cast<std::size_t>(side);
    plain_.resize(elements * c.element);
  }

  // The chunk that begins at `offset`, unpacked; valid until the next call.
  const std::uint8_t* Read(const Index& offset) {
    unsigned skipped = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    if (H5Dget_chunk_info_by_coord(c_.set, offset.data(), &skipped, &address, &size) < 0 ||
        address == HADDR_UNDEF || size > c_.file_bytes || skipped != 0) {
      Damaged();
    }
    stored_.resize(static_cast<std::size_t>(size));
    std::uint32_t mask = 0;
    if (H5Dread_chunk(c_.set, H5P_DEFAULT, offset.data(), &mask, stored_.data()) < 0 || mask != 0) Damaged();
    if (packing_.deflate) {
      uLongf length = plain_.size();
      const int fault = uncompress(plain_.data(), &length, stored_.data(), stored_.size());
      if (fault == Z_MEM_ERROR) throw std::bad_alloc();
      if (fault != Z_OK || length != plain_.size()) Damaged();
      stored_.swap(plain_);
      plain_.resize(stored_.size());
    }
    if (stored_.size() != plain_.size()) Damaged();
    if (!packing_.shuffle) {
      stored_.swap(plain_);
    } else {
      Unshuffle();
    }
    return plain_.data();
  }

 private:
  [[noreturn]] void Damaged() const { FailReading(c_.file, c_.name, "cannot be read; the file is damaged"); }

  // First bytes of all elements, second bytes, … to elements.
  void Unshuffle() {
    const std::size_t count = plain_.size() / c_.element;
    for (std::size_t byte = 0; byte < c_.element; ++byte) {
      const std::uint8_t* from = stored_.data() + byte * count;
      std::uint8_t* to = plain_.data() + byte;
      for (std::size_t i = 0; i < count; ++i) to[i * c_.element] = from[i];
    }
  }

  const ChunkedSet& c_;
  Packing packing_;
  std::vector<std::uint8_t> stored_, plain_;
};

// Copies the part of the chunk at `offset` that lies within the extent, run by run along the last dimension.
void Place(const ChunkedSet& c, const Index& shape, const Index& offset, const std::uint8_t* chunk,
           std::uint8_t* out) {
  const std::size_t rank = shape.size();
  const std::size_t run =
      static_cast<std::size_t>(std::min(shape[rank - 1], c.extent[rank - 1] - offset[rank - 1]));
  Index at(rank, 0);  // within the chunk
  while (true) {
    std::size_t from = 0, to = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      from = from * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(at[d]);
      to = to * static_cast<std::size_t>(c.extent[d]) + static_cast<std::size_t>(offset[d] + at[d]);
    }
    std::memcpy(out + to * c.element, chunk + from * c.element, run * c.element);
    std::size_t d = rank - 1;  // the next run: counts up all dimensions but the last
    do {
      if (d == 0) return;
      --d;
      at[d] = at[d] + 1 < std::min(shape[d], c.extent[d] - offset[d]) ? at[d] + 1 : 0;
    } while (at[d] == 0);
  }
}

}  // namespace

void ReadChunks(const ChunkedSet& c, std::uint8_t* out) {
  const std::size_t rank = c.extent.size();
  Index shape(rank);
  if (rank == 0 || c.element == 0 ||
      H5Pget_chunk(c.creation, static_cast<int>(rank), shape.data()) != static_cast<int>(rank) ||
      std::find(shape.begin(), shape.end(), hsize_t{0}) != shape.end()) {
    FailReading(c.file, c.name, "has no readable layout; it is damaged");
  }
  if (std::find(c.extent.begin(), c.extent.end(), std::uint64_t{0}) != c.extent.end()) return;
  ChunkReader reader(c, shape);
  Index offset(rank, 0);
  while (true) {
    Place(c, shape, offset, reader.Read(offset), out);
    std::size_t d = rank;
    do {
      if (d == 0) return;
      --d;
      offset[d] = offset[d] + shape[d] < c.extent[d] ? offset[d] + shape[d] : 0;
    } while (offset[d] == 0);
  }
}

}  // namespace auforge::datasets::storage
