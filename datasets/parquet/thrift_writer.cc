#include "datasets/parquet/thrift_writer.h"

#include <utility>

namespace auforge::datasets::parquet {

void ThriftWriter::Header(int field, Wire type) {
  const int step = field - last_;
  const auto code = static_cast<std::uint8_t>(type);
  if (step >= 1 && step <= 15) {
    text_ += static_cast<char>(step << 4 | code);
  } else {
    text_ += static_cast<char>(code);
    ZigZag(field);
  }
  last_ = field;
}

void ThriftWriter::Nest() {
  outer_.push_back(last_);
  last_ = 0;
}

void ThriftWriter::EndStruct() {
  text_ += '\0';
  last_ = outer_.back();
  outer_.pop_back();
}

void ThriftWriter::List(int field, Wire type, std::size_t size) {
  Header(field, Wire::kList);
  const auto code = static_cast<std::uint8_t>(type);
  if (size < 15) {
    text_ += static_cast<char>(size << 4 | code);
  } else {
    text_ += static_cast<char>(0xF0 | code);
    Varint(size);
  }
}

std::string ThriftWriter::Take() {
  text_ += '\0';
  last_ = 0;
  return std::exchange(text_, {});
}

void ThriftWriter::Varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += static_cast<char>((value & 0x7F) | 0x80);
  text_ += static_cast<char>(value);
}

}  // namespace auforge::datasets::parquet
