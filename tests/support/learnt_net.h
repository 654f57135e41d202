// Learnt nets of random weights, for tests: they tell pictures apart, but nothing about faces.
#pragma once

#include <cstdint>
#include <vector>

#include "features/grid_net.h"
#include "features/learnt_net.h"

namespace auforge::tests {

struct NetShape {
  struct Block {
    int channels;
    int stride;
  };
  int crop;
  int stem, stem_stride;
  std::vector<Block> blocks;
};

// 0.88 M weights, 47 M multiply-adds: the size that is meant to be used.
inline const NetShape kUsualNet{112, 24, 2, {{32, 2}, {64, 2}, {128, 2}, {192, 2}}};

// Weights are halves, drawn by `seed`, as large as keeps activations about the same from layer to layer.
features::NetDescription RandomNet(const NetShape& shape, std::uint64_t seed);
// Channels of stem, second, third, down (and the context's result), between the context's layers, merge, last.
struct GridShape {
  int stem, second, third, wide, narrow, merge, last;
  int context = 2, answers = 14;
};
features::GridNetDescription RandomGridNet(const GridShape& shape, std::uint64_t seed);
// Every convolution of a net.
std::vector<features::ConvWeights*> Layers(features::NetDescription& net);
std::vector<features::ConvWeights*> Layers(features::GridNetDescription& net);

}  // namespace auforge::tests
