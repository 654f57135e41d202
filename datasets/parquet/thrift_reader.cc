#include "datasets/parquet/thrift_reader.h"

namespace auforge::datasets::parquet {
namespace {

constexpr int kDepth = 32;

}  // namespace

std::uint8_t ThriftReader::Byte() {
  if (at_ >= bytes_.size()) throw Fault("its metadata is cut off");
  return bytes_[at_++];
}

std::uint64_t ThriftReader::Varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = Byte();
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  throw Fault("its metadata is damaged");
}

bool ThriftReader::Next() {
  const std::uint8_t head = Byte();
  type_ = static_cast<Wire>(head & 0x0F);
  if (type_ == Wire::kStop) {
    if (!outer_.empty()) {
      field_ = outer_.back();
      outer_.pop_back();
    }
    return false;
  }
  if (head >> 4 != 0) {
    field_ += head >> 4;
  } else {
    type_ = static_cast<Wire>(head & 0x0F);
    const std::uint64_t number = Varint();
    field_ = static_cast<int>(static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1));
  }
  if (field_ < 0 || field_ > 0xFFFF) throw Fault("its metadata is damaged");
  return true;
}

void ThriftReader::Expect(Wire type) {
  const bool is_integer = type_ == Wire::kByte || type_ == Wire::kI16 || type_ == Wire::kI32 || type_ == Wire::kI64;
  if (type_ != type && !(type == Wire::kI64 && is_integer)) throw Fault("its metadata is damaged");
}

std::int64_t ThriftReader::Integer() {
  Expect(Wire::kI64);
  if (type_ == Wire::kByte) return static_cast<std::int8_t>(Byte());
  const std::uint64_t number = Varint();
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

bool ThriftReader::Bool() {
  if (type_ != Wire::kTrue && type_ != Wire::kFalse) throw Fault("its metadata is damaged");
  return type_ == Wire::kTrue;
}

std::string_view ThriftReader::Binary() {
  Expect(Wire::kBinary);
  const std::uint64_t size = Varint();
  if (size > bytes_.size() - at_) throw Fault("its metadata is cut off");
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
  at_ += size;
  return text;
}

void ThriftReader::Enter() {
  Expect(Wire::kStruct);
  EnterElement();
}

void ThriftReader::EnterElement() {
  if (outer_.size() >= kDepth) throw Fault("its metadata is nested too deep");
  outer_.push_back(field_);
  field_ = 0;
}

std::size_t ThriftReader::Count(Wire& type) {
  const std::uint8_t head = Byte();
  type = static_cast<Wire>(head & 0x0F);
  const std::uint64_t count = head >> 4 == 15 ? Varint() : head >> 4;
  // An element takes a byte at least.
  if (count > bytes_.size() - at_) throw Fault("its metadata is cut off");
  return count;
}

std::size_t ThriftReader::List(Wire type) {
  Expect(Wire::kList);
  Wire found = Wire::kStop;
  const std::size_t count = Count(found);
  if (count > 0 && found != type) throw Fault("its metadata is damaged");
  type_ = type;
  return count;
}

void ThriftReader::Skip() { SkipValue(type_, 0); }

void ThriftReader::SkipValue(Wire type, int depth) {
  if (depth > kDepth) throw Fault("its metadata is nested too deep");
  switch (type) {
    case Wire::kTrue:
    case Wire::kFalse: return;
    case Wire::kByte: Byte(); return;
    case Wire::kI16:
    case Wire::kI32:
    case Wire::kI64: Varint(); return;
    case Wire::kDouble:
      for (int i = 0; i < 8; ++i) Byte();
      return;
    case Wire::kBinary:
      type_ = Wire::kBinary;
      Binary();
      return;
    case Wire::kList:
    case Wire::kSet: {
      Wire element = Wire::kStop;
      const std::size_t count = Count(element);
      for (std::size_t i = 0; i < count; ++i) {
        // In lists a truth value is a byte of its own.
        SkipValue(element == Wire::kTrue || element == Wire::kFalse ? Wire::kByte : element, depth + 1);
      }
      return;
    }
    case Wire::kMap: {
      const std::uint64_t count = Varint();
      if (count == 0) return;
      if (count > bytes_.size() - at_) throw Fault("its metadata is cut off");
      const std::uint8_t types = Byte();
      for (std::uint64_t i = 0; i < count; ++i) {
        SkipValue(static_cast<Wire>(types >> 4), depth + 1);
        SkipValue(static_cast<Wire>(types & 0x0F), depth + 1);
      }
      return;
    }
    case Wire::kStruct:
      for (;;) {
        const std::uint8_t head = Byte();
        if (head == 0) return;
        if (head >> 4 == 0) Varint();
        SkipValue(static_cast<Wire>(head & 0x0F), depth + 1);
      }
    case Wire::kStop: break;
  }
  throw Fault("its metadata is damaged");
}

}  // namespace auforge::datasets::parquet
