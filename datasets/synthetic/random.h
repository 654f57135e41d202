// Random numbers that depend on a seed, an index and a purpose alone: image i is the same whatever thread makes it and
// whatever else is drawn before. The standard library's distributions differ between implementations; these do not.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace auforge::datasets::synthetic {

class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t index, std::uint64_t purpose = 0)
      : state_(Mix(Mix(Mix(seed + 0x9E3779B97F4A7C15ULL) ^ index) ^ (purpose * 0xD1B54A32D192ED03ULL))) {}

  std::uint64_t Bits() { return Mix(state_ += 0x9E3779B97F4A7C15ULL); }
  // [0, 1)
  float Uniform() { return static_cast<float>(Bits() >> 40) * 0x1p-24F; }
  float Uniform(float low, float high) { return low + (high - low) * Uniform(); }
  bool Chance(float probability) { return Uniform() < probability; }
  // 0 .. count-1
  int Index(int count) { return static_cast<int>(Bits() % static_cast<std::uint64_t>(count)); }
  // Box and Muller.
  float Normal() {
    const float u = 1 - Uniform();
    const float v = Uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi_v<float> * v);
  }
  float Normal(float mean, float deviation) { return mean + deviation * Normal(); }

 private:
  // SplitMix64 (Steele, Lea & Flood 2014).
  static std::uint64_t Mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace auforge::datasets::synthetic
