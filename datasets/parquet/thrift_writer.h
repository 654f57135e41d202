// Thrift's compact protocol, written: only what Parquet's footers and page headers need. Fields of a struct are written in
// the order of their numbers, which the caller sees to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/parquet/format.h"

namespace auforge::datasets::parquet {

class ThriftWriter {
 public:
  void I32(int field, std::int64_t value) { Header(field, Wire::kI32), ZigZag(value); }
  void I64(int field, std::int64_t value) { Header(field, Wire::kI64), ZigZag(value); }
  void Bool(int field, bool value) { Header(field, value ? Wire::kTrue : Wire::kFalse); }
  void Binary(int field, std::string_view value) { Header(field, Wire::kBinary), Bytes(value); }
  void BeginStruct(int field) { Header(field, Wire::kStruct), Nest(); }
  void EndStruct();
  // Elements follow: BeginElement … EndStruct for structs, Element for the others.
  void List(int field, Wire type, std::size_t size);
  void BeginElement() { Nest(); }
  void Element(std::int64_t value) { ZigZag(value); }
  void Element(std::string_view value) { Bytes(value); }
  // Ends the outermost struct.
  std::string Take();

 private:
  void Header(int field, Wire type);
  void Nest();
  void Varint(std::uint64_t value);
  void ZigZag(std::int64_t value) { Varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63)); }
  void Bytes(std::string_view value) { Varint(value.size()), text_ += value; }

  std::string text_;
  int last_ = 0;             // field of the present struct
  std::vector<int> outer_;   // those of the structs around it
};

}  // namespace auforge::datasets::parquet
