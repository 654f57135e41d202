// A net's bytes: magic "AUFLNET1" (the mean of the last map) or "AUFLNET2" (the map as it is), crop size,
// convolutions, checksum; little endian (docs/au-model-format.md).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "features/learnt_net.h"

namespace auforge::features::internal {

// Throw std::invalid_argument naming the number.
void RequireRange(const std::string& name, std::int64_t value, std::int64_t least, std::int64_t most);
void RequireEqual(const std::string& name, std::int64_t value, std::int64_t wanted);
// All of them finite and at most that far from 0.
void RequireBelow(const std::string& name, const std::vector<float>& values, float most);
// A layer that fits behind one with `in` channels. Weights are halves, biases at most kMostOfBias.
void ValidateConv(const std::string& name, const ConvWeights& conv, int in, int kernel, int most_channels);

inline constexpr float kMostOfBias = 1e6F;

// Little endian; layers as docs/au-model-format.md has them.
class NetWriter {
 public:
  template <typename T>
  void Add(std::span<const T> values) {
    if (values.empty()) return;
    const std::size_t size = bytes_.size();
    bytes_.resize(size + values.size_bytes());
    std::memcpy(bytes_.data() + size, values.data(), values.size_bytes());
  }
  void AddSize(std::int64_t value);
  void AddConv(const ConvWeights& conv);
  // With the checksum of all before.
  std::vector<std::uint8_t> Finish();

 private:
  std::vector<std::uint8_t> bytes_;
};

// Throws std::invalid_argument where the bytes end early or a size is absurd.
class NetReader {
 public:
  explicit NetReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::vector<float> TakeFloats(std::size_t count);
  int TakeSize(const char* name, int most);
  // Sizes are checked before anything is made of them; ValidateConv checks how they fit.
  ConvWeights TakeConv();
  bool empty() const { return bytes_.empty(); }

 private:
  template <typename T>
  std::vector<T> Take(std::size_t count);
  std::span<const std::uint8_t> bytes_;
};

// What stands between the first bytes, which must be one of `magics`, and a checksum that is right. Throws
// std::invalid_argument otherwise.
std::span<const std::uint8_t> NetContent(std::span<const std::uint8_t> bytes, std::span<const char* const> magics);
inline constexpr std::size_t kNetMagicSize = 8;

// Throws std::invalid_argument naming layer and fault.
void ValidateNet(const NetDescription& net);

// Numbers of an embedding. requires: ValidateNet passes.
std::size_t EmbeddingSize(const NetDescription& net);
// Weights become halves. requires: ValidateNet passes.
std::vector<std::uint8_t> NetBytes(const NetDescription& net);
// Throws std::invalid_argument naming the fault.
NetDescription NetFromBytes(std::span<const std::uint8_t> bytes);
// What stands at the end of NetBytes about all that is before: FNV-1a, 64 bits, against damage and to tell
// nets apart. A model's own digest is SHA-256 over the net's bytes.
std::uint64_t NetChecksum(std::span<const std::uint8_t> content);
// The checksum at the end of NetBytes, 16 hex digits.
std::string NetDigest(std::span<const std::uint8_t> bytes);

}  // namespace auforge::features::internal
