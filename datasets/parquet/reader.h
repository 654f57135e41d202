// Parquet files, read: what pyarrow, pandas, Spark and duckdb write by default. Columns of one value or list a row, flat
// or in structs; PLAIN, dictionaries and runs; data pages of both versions; plain, snappy, gzip and zstd. Everything else
// is named in a Fault. The bytes are untrusted: nothing is believed that was not checked, and memory is bounded by Limits.
//
// Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "datasets/parquet/format.h"
#include "datasets/parquet/thrift_reader.h"

namespace auforge::datasets::parquet {

struct Limits {
  std::uint64_t footer_bytes = 64 << 20;
  std::uint64_t rows = 1'000'000;
  std::uint64_t page_bytes = 128 << 20;    // unpacked
  std::uint64_t column_bytes = 256 << 20;  // of values as they are handed out
};

using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;  // monostate: null

struct ColumnValues {
  std::vector<Value> values;
  std::vector<std::uint32_t> rows;  // of each value, ascending; of a list several have one row, and an empty list is one null
};

class Reader {
 public:
  // Reads `to.size()` bytes at `offset`; throws what a failing disk throws. size: of the file.
  using ReadAt = std::function<void(std::uint64_t offset, std::span<std::uint8_t> to)>;

  // Reads the footer. Throws Fault.
  Reader(ReadAt read, std::uint64_t size, Limits limits = {});

  std::uint64_t rows() const { return rows_; }
  // Paths of the leaves, parts joined by dots: "url", "landmarks.list.element".
  std::vector<std::string> Columns() const;
  bool Has(const std::string& column) const;
  // Throws Fault, also where there is no such column.
  ColumnValues Read(const std::string& column) const;
  const std::vector<std::pair<std::string, std::string>>& Metadata() const { return metadata_; }

 private:
  struct Leaf {
    std::string path;
    Type type = Type::kByteArray;
    std::uint32_t definition = 0, repetition = 0;  // highest levels
  };
  struct Chunk {
    std::string path;
    Type type = Type::kByteArray;
    Codec codec = Codec::kUncompressed;
    std::int64_t entries = 0, bytes = 0, data_offset = 0, dictionary_offset = 0;
  };
  struct SchemaElement;
  class ChunkReader;

  void ReadFooter(std::span<const std::uint8_t> footer);
  void ReadGroup(ThriftReader& in);
  static Chunk ReadChunk(ThriftReader& in);
  void AddLeaves(const std::vector<SchemaElement>& elements);

  ReadAt read_;
  std::uint64_t size_;
  Limits limits_;
  std::uint64_t rows_ = 0;
  std::vector<Leaf> leaves_;
  struct Group {
    std::uint64_t rows = 0;
    std::vector<Chunk> chunks;
  };
  std::vector<Group> groups_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

}  // namespace auforge::datasets::parquet
