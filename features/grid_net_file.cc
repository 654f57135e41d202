#include "features/internal/grid_net_file.h"

#include <stdexcept>
#include <string>

#include "features/internal/convolution.h"
#include "features/internal/learnt_net_file.h"

namespace auforge::features::internal {
namespace {

constexpr char kMagic[kNetMagicSize + 1] = "AUFGRID1";
constexpr int kMostChannels = 256, kMostBlocks = 8, kMostAnswers = 64;
constexpr float kMostOfAnswer = 1e4F;

void RequireStride(const std::string& name, const ConvWeights& conv, int stride) {
  RequireEqual(name + ".stride", conv.stride, stride);
}

}  // namespace

void ValidateGridNet(const GridNetDescription& net) {
  int channels = kPictureChannels;
  const auto halving = [&channels](const char* name, const ConvWeights& conv) {
    ValidateConv(name, conv, channels, 3, kMostChannels);
    RequireStride(name, conv, 2);
    channels = conv.out;
  };
  halving("stem", net.stem);
  halving("second", net.second);
  halving("third", net.third);
  halving("down", net.down);
  RequireRange("number of context blocks", static_cast<std::int64_t>(net.context.size()), 1, kMostBlocks);
  for (std::size_t b = 0; b < net.context.size(); ++b) {
    const std::string name = "context " + std::to_string(b) + ": ";
    const NetDescription::Block& block = net.context[b];
    ValidateConv(name + "first", block.first, channels, 3, kMostChannels);
    ValidateConv(name + "second", block.second, block.first.out, 3, kMostChannels);
    ValidateConv(name + "shortcut", block.shortcut, channels, 1, kMostChannels);
    RequireEqual(name + "shortcut.out", block.shortcut.out, block.second.out);
    RequireStride(name + "first", block.first, 1);
    RequireStride(name + "second", block.second, 1);
    RequireStride(name + "shortcut", block.shortcut, 1);
    channels = block.second.out;
  }
  ValidateConv("merge", net.merge, net.third.out, 3, kMostChannels);
  ValidateConv("lateral", net.lateral, channels, 1, kMostChannels);
  ValidateConv("last", net.last, net.merge.out, 3, kMostChannels);
  RequireEqual("lateral.out", net.lateral.out, net.merge.out);
  RequireStride("merge", net.merge, 1);
  RequireStride("lateral", net.lateral, 1);
  RequireStride("last", net.last, 1);
  RequireRange("answers", net.answers, 1, kMostAnswers);
  RequireEqual("answer_weight.size", static_cast<std::int64_t>(net.answer_weight.size()), std::int64_t{net.answers} * net.last.out);
  RequireEqual("answer_bias.size", static_cast<std::int64_t>(net.answer_bias.size()), net.answers);
  RequireBelow("answer_weight", net.answer_weight, kMostOfAnswer);
  RequireBelow("answer_bias", net.answer_bias, kMostOfAnswer);
}

std::vector<std::uint8_t> GridNetBytes(const GridNetDescription& net) {
  NetWriter writer;
  writer.Add<char>({kMagic, kNetMagicSize});
  writer.AddSize(static_cast<std::int64_t>(net.context.size()));
  writer.AddSize(net.answers);
  for (const ConvWeights* conv : {&net.stem, &net.second, &net.third, &net.down}) writer.AddConv(*conv);
  for (const NetDescription::Block& block : net.context) {
    for (const ConvWeights* conv : {&block.first, &block.second, &block.shortcut}) writer.AddConv(*conv);
  }
  for (const ConvWeights* conv : {&net.merge, &net.lateral, &net.last}) writer.AddConv(*conv);
  writer.Add<float>(net.answer_weight);
  writer.Add<float>(net.answer_bias);
  return writer.Finish();
}

GridNetDescription GridNetFromBytes(std::span<const std::uint8_t> bytes) {
  static constexpr const char* kMagics[]{kMagic};
  NetReader reader(NetContent(bytes, kMagics));
  GridNetDescription net;
  net.context.resize(static_cast<std::size_t>(reader.TakeSize("number of context blocks", kMostBlocks)));
  net.answers = reader.TakeSize("answers", kMostAnswers);
  for (ConvWeights* conv : {&net.stem, &net.second, &net.third, &net.down}) *conv = reader.TakeConv();
  for (NetDescription::Block& block : net.context) {
    for (ConvWeights* conv : {&block.first, &block.second, &block.shortcut}) *conv = reader.TakeConv();
  }
  for (ConvWeights* conv : {&net.merge, &net.lateral, &net.last}) *conv = reader.TakeConv();
  net.answer_weight = reader.TakeFloats(static_cast<std::size_t>(net.answers) * static_cast<std::size_t>(net.last.out));
  net.answer_bias = reader.TakeFloats(static_cast<std::size_t>(net.answers));
  if (!reader.empty()) throw std::invalid_argument("goes on behind its last layer");
  ValidateGridNet(net);
  return net;
}

}  // namespace auforge::features::internal
