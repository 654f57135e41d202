#include "features/grid_net.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "features/internal/convolution.h"
#include "features/internal/grid_net_file.h"

namespace auforge::features {
namespace {

using internal::MapShape;
using internal::PlaneConvolution;

struct Block {
  PlaneConvolution first, second;
};

// A layer behind another: channels are padded.
PlaneConvolution Behind(const ConvWeights& window, const ConvWeights* shortcut, int second_step, Registers registers) {
  return {internal::PaddedChannels(window.in), window, shortcut, second_step, registers};
}
PlaneConvolution Behind(const ConvWeights& window, Registers registers) { return Behind(window, nullptr, 1, registers); }

float* Room(std::vector<float>& memory, const MapShape& shape) {
  if (memory.size() < shape.Size()) memory.resize(shape.Size());
  return memory.data();
}

}  // namespace

struct GridNet::Impl {
  GridNetDescription net;  // as it is in a file: weights rounded to halves
  std::vector<std::uint8_t> bytes;
  PlaneConvolution stem, second, third, down;
  std::vector<Block> context;
  PlaneConvolution merge, last;

  Impl(std::vector<std::uint8_t> net_bytes, Registers registers)
      : net(internal::GridNetFromBytes(net_bytes)),
        bytes(std::move(net_bytes)),
        stem(internal::kPictureChannels, net.stem, nullptr, 1, registers),
        second(Behind(net.second, registers)),
        third(Behind(net.third, registers)),
        down(Behind(net.down, registers)),
        merge(Behind(net.merge, &net.lateral, 2, registers)),
        last(Behind(net.last, registers)) {
    for (const NetDescription::Block& block : net.context)
      context.push_back({Behind(block.first, registers), Behind(block.second, &block.shortcut, 1, registers)});
  }
};

GridNet::GridNet(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
GridNet::GridNet(GridNet&&) noexcept = default;
GridNet& GridNet::operator=(GridNet&&) noexcept = default;
GridNet::~GridNet() = default;

GridNet GridNet::FromWeights(const GridNetDescription& description, Registers registers) {
  internal::ValidateGridNet(description);
  return GridNet(std::make_unique<const Impl>(internal::GridNetBytes(description), registers));
}

GridNet GridNet::Parse(std::span<const std::uint8_t> bytes) {
  return GridNet(std::make_unique<const Impl>(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), Registers::kWidest));
}

std::vector<std::uint8_t> GridNet::Serialise() const { return impl_->bytes; }
int GridNet::answers() const { return impl_->net.answers; }

std::size_t GridNet::weight_count() const {
  const GridNetDescription& n = impl_->net;
  std::size_t count = n.answer_weight.size() + n.answer_bias.size();
  const auto add = [&count](const ConvWeights& conv) { count += conv.weight.size() + conv.bias.size(); };
  for (const ConvWeights* conv : {&n.stem, &n.second, &n.third, &n.down, &n.merge, &n.lateral, &n.last}) add(*conv);
  for (const NetDescription::Block& block : n.context) add(block.first), add(block.second), add(block.shortcut);
  return count;
}

std::size_t GridNet::multiply_adds(int width, int height) const {
  const GridNetDescription& n = impl_->net;
  MapShape shape{width, height, internal::kPictureChannels};
  std::size_t sum = 0;
  const auto add = [&sum, &shape](const ConvWeights& conv) {
    shape = shape.Behind(conv.stride, conv.out);
    sum += conv.weight.size() * static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.height);
  };
  for (const ConvWeights* conv : {&n.stem, &n.second, &n.third}) add(*conv);
  const MapShape fine = shape;
  add(n.down);
  for (const NetDescription::Block& block : n.context) add(block.first), add(block.second), add(block.shortcut);
  shape = fine;
  for (const ConvWeights* conv : {&n.merge, &n.lateral, &n.last}) add(*conv);
  return sum;
}

void GridNet::Run(const cv::Mat& picture, GridMap& map) const {
  if (picture.empty() || (picture.type() != CV_8UC3 && picture.type() != CV_8UC1))
    throw std::invalid_argument("grid net: needs a picture of type CV_8UC3 or CV_8UC1 that is not empty");
  const Impl& i = *impl_;
  std::vector<float>& one = map.scratch[0];
  std::vector<float>& two = map.scratch[1];
  std::vector<float>& three = map.scratch[2];
  std::vector<float>& kept = map.scratch[3];
  const MapShape whole{picture.cols, picture.rows, internal::kPictureChannels};
  float* first = Room(one, whole);
  internal::ClearBorder(whole, first, 1);
  internal::Normalise(picture, whole, first);
  const MapShape half = i.stem.TargetOf(whole);
  i.stem.Run(whole, first, nullptr, nullptr, Room(two, half));
  const MapShape quarter = i.second.TargetOf(half);
  i.second.Run(half, two.data(), nullptr, nullptr, Room(one, quarter));
  const MapShape fine = i.third.TargetOf(quarter);
  i.third.Run(quarter, one.data(), nullptr, nullptr, Room(kept, fine));
  MapShape coarse = i.down.TargetOf(fine);
  i.down.Run(fine, kept.data(), nullptr, nullptr, Room(one, coarse));
  for (const Block& block : i.context) {
    const MapShape between = block.first.TargetOf(coarse), behind = block.second.TargetOf(between);
    block.first.Run(coarse, one.data(), nullptr, nullptr, Room(two, between));
    block.second.Run(between, two.data(), &coarse, one.data(), Room(three, behind));
    std::swap(one, three);
    coarse = behind;
  }
  const MapShape merged = i.merge.TargetOf(fine), answered = i.last.TargetOf(merged);
  i.merge.Run(fine, kept.data(), &coarse, one.data(), Room(two, merged));
  i.last.Run(merged, two.data(), nullptr, nullptr, Room(three, answered));
  map.columns = answered.width;
  map.rows = answered.height;
  map.channels = static_cast<std::size_t>(i.net.last.out);
  map.values.resize(static_cast<std::size_t>(map.columns) * static_cast<std::size_t>(map.rows) * map.channels);
  float* to = map.values.data();
  for (int y = 0; y < map.rows; ++y) {
    for (int x = 0; x < map.columns; ++x) to = std::copy_n(three.data() + answered.At(x, y), map.channels, to);
  }
}

void GridNet::Answer(const GridMap& map, int column, int row, std::size_t first, std::span<float> out) const {
  const float* at = map.values.data() +
                    (static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) + static_cast<std::size_t>(column)) * map.channels;
  for (std::size_t k = 0; k < out.size(); ++k) {
    const float* weight = impl_->net.answer_weight.data() + (first + k) * map.channels;
    float sum = impl_->net.answer_bias[first + k];
    for (std::size_t c = 0; c < map.channels; ++c) sum = std::fma(weight[c], at[c], sum);
    out[k] = sum;
  }
}

}  // namespace auforge::features
