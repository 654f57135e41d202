// Parquet files, written: typed columns of numbers, texts and lists of floats, row group after row group, so that memory is
// bounded by one row group. Data pages of version 1; texts in dictionaries while these stay small, numbers plain, levels
// in runs; pages are packed with gzip where that makes a column chunk smaller; statistics and checksums are written.
//
//   Writer writer(columns, write, options);  (one call a column, in order; EndRow())*;  writer.Finish(metadata);
//
// Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace auforge::datasets::parquet {

enum class Kind { kBool, kInt32, kInt64, kFloat, kDouble, kText };

struct Column {
  std::string name;
  Kind kind = Kind::kFloat;
  bool is_optional = false;  // may be null
  bool is_list = false;      // of floats: as many as each row brings, at least one
};

struct WriterOptions {
  std::size_t group_rows = 16384;          // rows of a row group, >= 1
  std::size_t page_bytes = 1 << 20;        // about so many bytes of values are a page, >= 1
  std::size_t dictionary_bytes = 1 << 20;  // texts of a row group that take more are written plain
  std::string created_by;
};

class Writer {
 public:
  // write: takes the file's bytes as they come, in order. Throws what `write` throws, from any function.
  Writer(std::vector<Column> columns, std::function<void(std::string_view)> write, WriterOptions options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // The next cell of the row; std::logic_error where the column is of another kind. Numbers that are not finite are null in
  // optional columns and lists, and kept as they are in the others. text: UTF-8.
  void Bool(bool value);
  void Int32(std::int32_t value);
  void Int64(std::int64_t value);
  void Float(float value);
  void Double(double value);
  void Text(std::string_view text);
  void Floats(std::span<const float> values);
  void Null();
  void EndRow();
  // What is left, and the footer with these keys and values.
  void Finish(const std::vector<std::pair<std::string, std::string>>& metadata);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::datasets::parquet
