// Numbers of the Parquet format (parquet.thrift, version 2): what stands in footers and page headers. Field numbers stand
// where the fields are written and read.
#pragma once

#include <cstdint>
#include <string_view>

namespace auforge::datasets::parquet {

inline constexpr std::string_view kMagic = "PAR1";

// Physical types.
enum class Type : std::int32_t { kBoolean = 0, kInt32 = 1, kInt64 = 2, kInt96 = 3, kFloat = 4, kDouble = 5, kByteArray = 6, kFixed = 7 };
enum class Repetition : std::int32_t { kRequired = 0, kOptional = 1, kRepeated = 2 };
enum class Encoding : std::int32_t { kPlain = 0, kPlainDictionary = 2, kRle = 3, kRleDictionary = 8 };
enum class Codec : std::int32_t { kUncompressed = 0, kSnappy = 1, kGzip = 2, kZstd = 6 };
enum class PageType : std::int32_t { kData = 0, kIndex = 1, kDictionary = 2, kDataV2 = 3 };

// Types of the compact protocol, as they stand in field headers and lists.
enum class Wire : std::uint8_t {
  kStop = 0, kTrue = 1, kFalse = 2, kByte = 3, kI16 = 4, kI32 = 5, kI64 = 6, kDouble = 7, kBinary = 8, kList = 9, kSet = 10, kMap = 11,
  kStruct = 12
};

}  // namespace auforge::datasets::parquet
