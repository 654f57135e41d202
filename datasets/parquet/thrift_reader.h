// Thrift's compact protocol, read from untrusted bytes: every length is checked, nothing is nested deeper than kDepth, and
// what is not asked for is passed over.
//
//   ThriftReader in(bytes);  while (in.Next()) switch (in.field()) { case 1: x = in.Integer(); break; default: in.Skip(); }
//
// Of a nested struct: in.Enter(); while (in.Next()) …; which leaves it at its end.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "datasets/parquet/format.h"

namespace auforge::datasets::parquet {

// The bytes are no Parquet, damaged, or of a kind that is not read; the text says which.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ThriftReader {
 public:
  explicit ThriftReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // The next field of the present struct; false at its end, which leaves it. All functions throw Fault.
  bool Next();
  int field() const { return field_; }
  // The field's value. Each must be called once, or Skip.
  std::int64_t Integer();
  bool Bool();
  std::string_view Binary();
  void Enter();  // a struct
  // Elements of a list of that type; each is then Integer, Binary or EnterElement.
  std::size_t List(Wire type);
  void EnterElement();
  void Skip();
  // Bytes that were read so far.
  std::size_t position() const { return at_; }

 private:
  std::uint8_t Byte();
  std::uint64_t Varint();
  void Expect(Wire type);
  void SkipValue(Wire type, int depth);
  std::size_t Count(Wire& type);

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  int field_ = 0;
  Wire type_ = Wire::kStruct;
  std::vector<int> outer_;  // fields of the structs around
};

}  // namespace auforge::datasets::parquet
