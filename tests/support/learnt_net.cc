#include "tests/support/learnt_net.h"

#include <cmath>
#include <random>

namespace auforge::tests {

using features::ConvWeights;
using features::NetDescription;

std::vector<ConvWeights*> Layers(NetDescription& net) {
  std::vector<ConvWeights*> layers{&net.stem};
  for (NetDescription::Block& block : net.blocks)
    layers.insert(layers.end(), {&block.first, &block.second, &block.shortcut});
  return layers;
}

NetDescription RandomNet(const NetShape& shape, std::uint64_t seed) {
  NetDescription net;
  net.crop_size = shape.crop;
  net.stem = {3, shape.stem, 3, shape.stem_stride, {}, {}};
  int channels = shape.stem;
  for (const NetShape::Block& block : shape.blocks) {
    net.blocks.push_back({{channels, block.channels, 3, block.stride, {}, {}},
                          {block.channels, block.channels, 3, 1, {}, {}},
                          {channels, block.channels, 1, block.stride, {}, {}}});
    channels = block.channels;
  }
  std::mt19937_64 random(seed);
  for (ConvWeights* conv : Layers(net)) {
    const int inputs = conv->in * conv->kernel * conv->kernel;
    const int exponent = static_cast<int>(std::lround(std::log2(std::sqrt(6.0 / inputs))));
    const auto draw = [&] { return std::ldexp(static_cast<float>(random() % 1024) - 512, exponent - 9); };
    conv->weight.resize(static_cast<std::size_t>(conv->out * inputs));
    for (float& w : conv->weight) w = draw();
    conv->bias.resize(static_cast<std::size_t>(conv->out));
    for (float& b : conv->bias) b = draw() / 4;
  }
  return net;
}

}  // namespace auforge::tests
