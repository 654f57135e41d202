// Which encoded images were seen before, by their SHA-256. 16 to 32 bytes an image; one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace auforge::pipeline {

class DuplicateSet {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  // False when it was there already. The first 8 bytes stand for the digest: among a thousand million images
  // two different ones share them with a probability of 3 %, among a million of 3e-8.
  bool Insert(const Digest& digest) {
    std::uint64_t key = 0;
    std::memcpy(&key, digest.data(), sizeof(key));
    if (key == 0) return true;  // an image that was never read
    if (2 * (size_ + 1) > slots_.size()) Grow();
    return Place(key);
  }
  std::size_t size() const { return size_; }

 private:
  bool Place(std::uint64_t key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (slots_[at] == key) return false;
    }
    slots_[at] = key;
    ++size_;
    return true;
  }
  void Grow() {
    std::vector<std::uint64_t> old(slots_.empty() ? 1024 : 2 * slots_.size());
    old.swap(slots_);
    size_ = 0;
    for (const std::uint64_t key : old) {
      if (key != 0) Place(key);
    }
  }

  std::vector<std::uint64_t> slots_;  // open addressing; 0 is free
  std::size_t size_ = 0;
};

}  // namespace auforge::pipeline
