#include "features/internal/convolution.h"

#include <algorithm>
#include <cmath>

#include "features/tiles.h"

namespace auforge::features::internal {
namespace {

const TileKernels& TilesOf(Registers registers) {
  return registers == Registers::kNarrow ? NarrowTiles() : WidestTiles();
}

float WeightAt(const ConvWeights& weights, int out, int in, int y, int x) {
  const int at = ((out * weights.in + in) * weights.kernel + y) * weights.kernel + x;
  return weights.weight[static_cast<std::size_t>(at)];
}

// (x / 255 - .5) / .25 of a byte. The quotient by multiplications, which are a third of a division's time: the product with
// the rounded reciprocal is off by one step now and then, and what it leaves over mends that, for all 256.
inline float Normalised(std::uint8_t byte) {
  constexpr float kReciprocal = 1.0F / 255;
  const auto x = static_cast<float>(byte);
  const float near = x * kReciprocal;
  const float quotient = std::fma(std::fma(-near, 255.0F, x), kReciprocal, near);
  return (quotient - 0.5F) / 0.25F;
}

}  // namespace

int PaddedChannels(int channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

MapShape MapShape::Behind(int stride, int outputs) const {
  return {(width - 1) / stride + 1, (height - 1) / stride + 1, PaddedChannels(outputs)};
}

void Normalise(const cv::Mat& picture, const MapShape& shape, float* map) {
  const auto width = static_cast<std::size_t>(shape.width);
  for (int y = 0; y < shape.height; ++y) {
    const std::uint8_t* from = picture.ptr<std::uint8_t>(y);
    float* to = map + shape.At(0, y);
    if (picture.channels() == kPictureChannels) {
      for (std::size_t i = 0; i < width * kPictureChannels; ++i) to[i] = Normalised(from[i]);
    } else {
      for (std::size_t x = 0; x < width; ++x) std::fill_n(to + x * kPictureChannels, kPictureChannels, Normalised(from[x]));
    }
  }
}

void MirrorPicture(const MapShape& shape, const float* map, float* mirrored) {
  for (int y = 0; y < shape.height; ++y) {
    const float* from = map + shape.At(shape.width - 1, y);
    float* to = mirrored + shape.At(0, y);
    // Four floats at once: the next pixel overwrites the fourth.
    for (int x = 1; x < shape.width; ++x, from -= kPictureChannels, to += kPictureChannels)
      __builtin_memcpy(to, from, (kPictureChannels + 1) * sizeof(float));
    std::copy_n(from, kPictureChannels, to);
  }
}

void ClearBorder(const MapShape& shape, float* maps, int pictures) {
  const std::size_t pixel = static_cast<std::size_t>(shape.channels);
  for (int p = 0; p < pictures; ++p, maps += shape.Size()) {
    // The last pixel of a line and the first of the next are neighbours.
    std::fill_n(maps, shape.Row() + pixel, 0.0F);
    for (int y = 0; y < shape.height; ++y) std::fill_n(maps + shape.At(shape.width, y), 2 * pixel, 0.0F);
    std::fill_n(maps + shape.At(0, shape.height), shape.Row() - pixel, 0.0F);
  }
}

PackedWeights::PackedWeights(int source_channels, const ConvWeights& window, int second_channels,
                             const ConvWeights* shortcut, Registers registers)
    : tiles_(&TilesOf(registers)),
      source_channels_(source_channels),
      second_channels_(shortcut != nullptr ? second_channels : 0),
      bias_(static_cast<std::size_t>(PaddedChannels(window.out))) {
  for (int o = 0; o < window.out; ++o) {
    const auto at = static_cast<std::size_t>(o);
    bias_[at] = window.bias[at] + (shortcut != nullptr ? shortcut->bias[at] : 0.0F);
  }
  int channel = 0;
  const int lanes = tiles_->lanes, channels = PaddedChannels(window.out);
  for (const int vectors : PanelWidths(*tiles_, static_cast<std::size_t>(channels))) {
    const int width = vectors * lanes;
    panels_.push_back({vectors, channel, std::min(width, channels - channel), weights_.size()});
    const auto append = [&](const ConvWeights& weights, int i, int y, int x) {
      for (int o = channel; o < channel + width; ++o) {
        weights_.push_back(o < weights.out && i < weights.in ? WeightAt(weights, o, i, y, x) : 0.0F);
      }
    };
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 3; ++x) {
        for (int i = 0; i < source_channels_; ++i) append(window, i, y, x);
      }
    }
    for (int i = 0; i < second_channels_; ++i) append(*shortcut, i, 0, 0);
    channel += width;
  }
}

void PackedWeights::Run(std::size_t number, const Pixels& pixels) const {
  const Panel& panel = panels_[number];
  const auto line = static_cast<std::size_t>(3 * source_channels_);
  const bool has_second = second_channels_ > 0;
  const TileTask task{{{pixels.source, pixels.from, line},
                       {pixels.source + pixels.row, pixels.from, line},
                       {pixels.source + 2 * pixels.row, pixels.from, line},
                       {pixels.second, pixels.from_second, static_cast<std::size_t>(second_channels_)}},
                      has_second ? 4 : 3,
                      pixels.target + panel.channel,
                      pixels.to,
                      weights_.data() + panel.weights,
                      bias_.data() + panel.channel,
                      panel.outputs,
                      true};
  RunTiles(*tiles_, panel.vectors, pixels.count, task);
}

Convolution::Convolution(const MapShape& source, const ConvWeights& window, const MapShape* second,
                         const ConvWeights* shortcut, Registers registers)
    : source_(source),
      target_(source.Behind(window.stride, window.out)),
      weights_(source.channels, window, second != nullptr ? second->channels : 0, shortcut, registers) {
  for (std::size_t picture = 0; picture < kMostPictures; ++picture) {
    for (int y = 0; y < target_.height; ++y) {
      for (int x = 0; x < target_.width; ++x) {
        from_.push_back(picture * source.Size() + source.At(x * window.stride - 1, y * window.stride - 1));
        to_.push_back(picture * target_.Size() + target_.At(x, y));
        if (shortcut == nullptr) continue;
        from_second_.push_back(picture * second->Size() +
                               second->At(x * shortcut->stride, y * shortcut->stride));
      }
    }
  }
}

void Convolution::Run(const float* source, const float* second, float* target, int pictures) const {
  const PackedWeights::Pixels pixels{source,          second,        target, from_.data(), from_second_.data(),
                                     to_.data(), source_.Row(), pictures * target_.width * target_.height};
  for (std::size_t panel = 0; panel < weights_.panels(); ++panel) weights_.Run(panel, pixels);
}

PlaneConvolution::PlaneConvolution(int source_channels, const ConvWeights& window, const ConvWeights* shortcut,
                                   int second_step, Registers registers)
    : stride_(window.stride),
      outputs_(window.out),
      second_step_(second_step),
      weights_(source_channels, window,
               shortcut != nullptr ? PaddedChannels(shortcut->in) : 0, shortcut, registers) {}

void PlaneConvolution::Run(const MapShape& source_shape, const float* source, const MapShape* second_shape,
                           const float* second, float* target) const {
  const MapShape shape = TargetOf(source_shape);
  ClearBorder(shape, target, 1);
  // A few lines at a time, so that the tables stay small and tiles even; an even number, for second_step.
  constexpr int kPixels = 256;
  const int lines = std::max(2, (kPixels / shape.width + 1) / 2 * 2);
  thread_local std::vector<std::size_t> from, from_second, to;
  from.clear(), from_second.clear(), to.clear();
  for (int y = 0; y < std::min(lines, shape.height); ++y) {
    for (int x = 0; x < shape.width; ++x) {
      from.push_back(source_shape.At(x * stride_ - 1, y * stride_ - 1));
      to.push_back(shape.At(x, y));
      if (second != nullptr) from_second.push_back(second_shape->At(x / second_step_, y / second_step_));
    }
  }
  for (std::size_t panel = 0; panel < weights_.panels(); ++panel) {
    for (int y = 0; y < shape.height; y += lines) {
      const std::size_t second_lines = second != nullptr ? static_cast<std::size_t>(y / second_step_) * second_shape->Row() : 0;
      weights_.Run(panel, {source + static_cast<std::size_t>(y * stride_) * source_shape.Row(),
                           second != nullptr ? second + second_lines : nullptr,
                           target + static_cast<std::size_t>(y) * shape.Row(), from.data(), from_second.data(), to.data(),
                           source_shape.Row(), std::min(lines, shape.height - y) * shape.width});
    }
  }
}

}  // namespace auforge::features::internal
