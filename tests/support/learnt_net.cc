#include "tests/support/learnt_net.h"

#include <cmath>
#include <random>

namespace auforge::tests {

using features::ConvWeights;
using features::NetDescription;

namespace {

void Draw(ConvWeights& conv, std::mt19937_64& random) {
  const int inputs = conv.in * conv.kernel * conv.kernel;
  const int exponent = static_cast<int>(std::lround(std::log2(std::sqrt(6.0 / inputs))));
  const auto draw = [&] { return std::ldexp(static_cast<float>(random() % 1024) - 512, exponent - 9); };
  conv.weight.resize(static_cast<std::size_t>(conv.out * inputs));
  for (float& w : conv.weight) w = draw();
  conv.bias.resize(static_cast<std::size_t>(conv.out));
  for (float& b : conv.bias) b = draw() / 4;
}

}  // namespace

std::vector<ConvWeights*> Layers(features::GridNetDescription& net) {
  std::vector<ConvWeights*> layers{&net.stem, &net.second, &net.third, &net.down};
  for (NetDescription::Block& block : net.context)
    layers.insert(layers.end(), {&block.first, &block.second, &block.shortcut});
  layers.insert(layers.end(), {&net.merge, &net.lateral, &net.last});
  return layers;
}

features::GridNetDescription RandomGridNet(const GridShape& shape, std::uint64_t seed) {
  features::GridNetDescription net;
  net.stem = {3, shape.stem, 3, 2, {}, {}};
  net.second = {shape.stem, shape.second, 3, 2, {}, {}};
  net.third = {shape.second, shape.third, 3, 2, {}, {}};
  net.down = {shape.third, shape.wide, 3, 2, {}, {}};
  for (int i = 0; i < shape.context; ++i)
    net.context.push_back({{shape.wide, shape.narrow, 3, 1, {}, {}}, {shape.narrow, shape.wide, 3, 1, {}, {}}, {shape.wide, shape.wide, 1, 1, {}, {}}});
  net.merge = {shape.third, shape.merge, 3, 1, {}, {}};
  net.lateral = {shape.wide, shape.merge, 1, 1, {}, {}};
  net.last = {shape.merge, shape.last, 3, 1, {}, {}};
  net.answers = shape.answers;
  std::mt19937_64 random(seed);
  for (ConvWeights* conv : Layers(net)) Draw(*conv, random);
  const auto draw = [&random] { return (static_cast<float>(random() % 1024) - 512) / 1024; };
  net.answer_weight.resize(static_cast<std::size_t>(shape.answers * shape.last));
  for (float& w : net.answer_weight) w = draw();
  net.answer_bias.resize(static_cast<std::size_t>(shape.answers));
  for (float& b : net.answer_bias) b = draw();
  return net;
}

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
  for (ConvWeights* conv : Layers(net)) Draw(*conv, random);
  return net;
}

}  // namespace auforge::tests
