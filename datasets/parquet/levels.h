// Levels and dictionary indices: Parquet's hybrid of runs and bit-packed groups of eight.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace auforge::datasets::parquet {

// Bits that numbers of 0..highest take.
int BitWidth(std::uint32_t highest);
// values: each below 2^width. Appends.
void AppendHybrid(std::span<const std::uint32_t> values, int width, std::string& to);

// The same read, from untrusted bytes.
class HybridReader {
 public:
  // width: 0..32.
  HybridReader(std::span<const std::uint8_t> bytes, int width) : bytes_(bytes), width_(width) {}
  // Fills values; false where the bytes end before.
  bool Read(std::span<std::uint32_t> values);

 private:
  bool NextRun();

  std::span<const std::uint8_t> bytes_;
  int width_;
  std::uint64_t repeated_ = 0;  // values left of a run
  std::uint32_t value_ = 0;     // of the run
  std::uint64_t packed_ = 0;    // values left of bit-packed groups, which begin at
  std::uint64_t bit_ = 0;       // this bit of bytes_
};

}  // namespace auforge::datasets::parquet
