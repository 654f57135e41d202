#include "datasets/parquet/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "datasets/parquet/thrift_reader.h"

namespace auforge::datasets::parquet {
namespace {

std::string NameOf(Codec codec) {
  switch (static_cast<int>(codec)) {
    case 3: return "LZO";
    case 4: return "Brotli";
    case 5:
    case 7: return "LZ4";
    default: return "codec " + std::to_string(static_cast<int>(codec));
  }
}

// gzip and zstd by the library that unpacks tars.
bool UnpackStream(Codec codec, std::span<const std::uint8_t> packed, std::span<std::uint8_t> bytes) {
  const std::unique_ptr<archive, int (*)(archive*)> stream(archive_read_new(), archive_read_free);
  if (!stream) throw std::bad_alloc();
  archive_read_support_format_raw(stream.get());
  codec == Codec::kGzip ? archive_read_support_filter_gzip(stream.get()) : archive_read_support_filter_zstd(stream.get());
  archive_entry* entry = nullptr;
  bool is_good = archive_read_open_memory(stream.get(), packed.data(), packed.size()) == ARCHIVE_OK &&
                 archive_read_next_header(stream.get(), &entry) == ARCHIVE_OK && archive_filter_count(stream.get()) == 2;
  std::size_t at = 0;
  std::uint8_t more = 0;
  while (is_good) {
    const bool is_full = at == bytes.size();
    const la_ssize_t got = is_full ? archive_read_data(stream.get(), &more, 1) : archive_read_data(stream.get(), bytes.data() + at, bytes.size() - at);
    is_good = got >= 0 && !(is_full && got > 0);
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
  }
  if (archive_errno(stream.get()) == ENOMEM) throw std::bad_alloc();
  return is_good && at == bytes.size();
}

}  // namespace

bool UnpackSnappy(std::span<const std::uint8_t> packed, std::span<std::uint8_t> bytes) {
  std::size_t at = 0;
  std::uint64_t length = 0;
  for (int shift = 0;; shift += 7) {
    if (at >= packed.size() || shift > 28) return false;
    length |= std::uint64_t{packed[at] & 0x7FU} << shift;
    if ((packed[at++] & 0x80) == 0) break;
  }
  if (length != bytes.size()) return false;
  // A number of `size` bytes, the least significant first.
  const auto number = [&](std::size_t size, std::size_t& value) {
    if (size > packed.size() - at) return false;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::size_t{packed[at++]} << (8 * i);
    return true;
  };
  std::size_t to = 0;
  while (at < packed.size()) {
    const std::uint8_t tag = packed[at++];
    std::size_t count = 0, back = 0;
    if ((tag & 3) == 0) {
      count = tag >> 2;
      if (count >= 60 && !number(count - 59, count)) return false;
      ++count;
      if (count > packed.size() - at || count > bytes.size() - to) return false;
      std::memcpy(bytes.data() + to, packed.data() + at, count);
      at += count;
      to += count;
      continue;
    }
    if ((tag & 3) == 1) {
      if (!number(1, back)) return false;
      count = 4 + (tag >> 2 & 7);
      back |= static_cast<std::size_t>(tag >> 5) << 8;
    } else {
      if (!number((tag & 3) == 2 ? 2 : 4, back)) return false;
      count = 1 + (tag >> 2);
    }
    if (back == 0 || back > to || count > bytes.size() - to) return false;
    // What is copied may overlap what it makes.
    for (std::size_t i = 0; i < count; ++i, ++to) bytes[to] = bytes[to - back];
  }
  return to == bytes.size();
}

std::vector<std::uint8_t> Unpack(Codec codec, std::span<const std::uint8_t> packed, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  bool is_good = false;
  switch (codec) {
    case Codec::kUncompressed:
      is_good = packed.size() == size;
      std::copy_n(packed.begin(), std::min(size, packed.size()), bytes.begin());
      break;
    case Codec::kSnappy: is_good = UnpackSnappy(packed, bytes); break;
    case Codec::kGzip:
    case Codec::kZstd: is_good = size == 0 || UnpackStream(codec, packed, bytes); break;
    default: throw Fault("is packed with " + NameOf(codec) + ", which is not read; write it with snappy, gzip or zstd");
  }
  if (!is_good) throw Fault("a page of it does not unpack to what it should be");
  return bytes;
}

}  // namespace auforge::datasets::parquet
