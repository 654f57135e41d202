// What a generator's file says of its networks (the attribute "network"), for programs that read it without LibTorch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace auforge::datasets {

// As gan/options.h names them.
struct GeneratorNetwork {
  int image_size = 0, conv_dim = 0, aus = 0, generator_blocks = 0, critic_layers = 0;
  bool flow = false;
};

// Five numbers, and 1 after them where there is a flow, so that files of the published network are what they have always been.
inline std::vector<std::int64_t> ToNumbers(const GeneratorNetwork& n) {
  std::vector<std::int64_t> numbers{n.image_size, n.conv_dim, n.aus, n.generator_blocks, n.critic_layers};
  if (n.flow) numbers.push_back(1);
  return numbers;
}

// Not validated; nothing where it is not such a list.
inline std::optional<GeneratorNetwork> NetworkFromNumbers(const std::vector<std::int64_t>& numbers) {
  const bool flow = numbers.size() == 6 && numbers[5] == 1;
  if (numbers.size() != 5 && !flow) return std::nullopt;
  const auto number = [&numbers](std::size_t i) { return static_cast<int>(std::clamp<std::int64_t>(numbers[i], -1, 1 << 20)); };
  return GeneratorNetwork{number(0), number(1), number(2), number(3), number(4), flow};
}

}  // namespace auforge::datasets
