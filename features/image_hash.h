// A perceptual hash as a value; features/picture_hash.h computes them. Pure functions.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace auforge::features {

inline constexpr std::size_t kHashBits = 256;

struct ImageHash {
  std::array<std::uint64_t, kHashBits / 64> words{};
  friend bool operator==(const ImageHash&, const ImageHash&) = default;
  // Of no picture: none has it by itself.
  bool IsNone() const { return *this == ImageHash{}; }
};

// Bits that differ, 0..256.
inline int HashDistance(const ImageHash& a, const ImageHash& b) {
  int distance = 0;
  for (std::size_t i = 0; i < a.words.size(); ++i) distance += std::popcount(a.words[i] ^ b.words[i]);
  return distance;
}

}  // namespace auforge::features
