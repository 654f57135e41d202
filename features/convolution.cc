#include "features/internal/convolution.h"

#include <algorithm>

#include "features/internal/convolution_tiles.h"
#include "features/lanes.h"

namespace auforge::features::internal {
namespace {

// 12 of AVX2's 16 registers hold sums: pixels x registers of outputs.
constexpr int kSums = 12;
constexpr int MostRows(int vectors) { return vectors == 1 ? 6 : kSums / vectors; }

inline Lanes Activate(Lanes x) {
  const Lanes zero = {}, most = zero + kMostOfActivation;
  x = x > zero ? x : zero;
  return x < most ? x : most;
}

// sum[r] += pixel r's `length` floats times the panel's rows; returns the panel behind them.
template <int rows, int vectors>
[[gnu::always_inline]] inline const float* Accumulate(Lanes (&sum)[rows][vectors],
                                                      const float* const (&pixel)[rows], std::size_t length,
                                                      const float* panel) {
  for (std::size_t k = 0; k < length; ++k, panel += vectors * kLanes) {
    Lanes b[vectors];
    for (int v = 0; v < vectors; ++v) b[v] = Load(panel + v * kLanes);
    for (int r = 0; r < rows; ++r) {
      const float x = pixel[r][k];
      for (int v = 0; v < vectors; ++v) sum[r][v] = MultiplyAdd(x, b[v], sum[r][v]);
    }
  }
  return panel;
}

template <int rows, int vectors>
void Tile(const TileTask& task) {
  Lanes sum[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) sum[r][v] = Load(task.bias + v * kLanes);
  }
  const float* panel = task.panel;
  const float* pixel[rows];
  for (int r = 0; r < rows; ++r) pixel[r] = task.source + task.from[r];
  for (int line = 0; line < 3; ++line) {
    panel = Accumulate<rows, vectors>(sum, pixel, task.length, panel);
    for (int r = 0; r < rows; ++r) pixel[r] += task.row;
  }
  if (task.second != nullptr) {
    for (int r = 0; r < rows; ++r) pixel[r] = task.second + task.from_second[r];
    Accumulate<rows, vectors>(sum, pixel, task.second_length, panel);
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) {
      const Lanes result = Activate(sum[r][v]);
      __builtin_memcpy(task.target + task.to[r] + v * kLanes, &result, sizeof(result));
    }
  }
}

template <int vectors, int most = MostRows(vectors)>
void AnyTile(int rows, const TileTask& task) {
  if constexpr (most > 0) {
    if (rows == most) return Tile<most, vectors>(task);
    AnyTile<vectors, most - 1>(rows, task);
  }
}

void RunTile(int vectors, int rows, const TileTask& task) {
  if (vectors == 1) AnyTile<1>(rows, task);
  if (vectors == 2) AnyTile<2>(rows, task);
  if (vectors == 3) AnyTile<3>(rows, task);
}

const TileKernels& TilesOf(Registers registers) {
  const TileKernels* wide = registers == Registers::kNarrow ? nullptr : WideTiles();
  return wide != nullptr ? *wide : NarrowTiles();
}

int RoundUp(int channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

// Registers of outputs in the panels: as many as possible where they come out even, else pairs, and three
// where one would be left over.
std::vector<int> PanelWidths(int vectors, int most) {
  for (int width = most; width > 2; --width) {
    if (vectors % width == 0) return std::vector<int>(static_cast<std::size_t>(vectors / width), width);
  }
  std::vector<int> widths(static_cast<std::size_t>(vectors / 2), 2);
  if (vectors == 1) widths = {1};
  if (vectors % 2 == 1 && vectors > 1) widths.back() = 3;
  return widths;
}

float WeightAt(const ConvWeights& weights, int out, int in, int y, int x) {
  const int at = ((out * weights.in + in) * weights.kernel + y) * weights.kernel + x;
  return weights.weight[static_cast<std::size_t>(at)];
}

}  // namespace

const TileKernels& NarrowTiles() {
  static constexpr TileKernels kernels{kLanes, 3, MostRows, RunTile};
  return kernels;
}

void ClearBorder(const MapShape& shape, float* maps, int pictures) {
  const std::size_t pixel = static_cast<std::size_t>(shape.channels);
  for (int p = 0; p < pictures; ++p, maps += shape.Size()) {
    // The last pixel of a line and the first of the next are neighbours.
    std::fill_n(maps, shape.Row() + pixel, 0.0F);
    for (int y = 0; y < shape.side; ++y) std::fill_n(maps + shape.At(shape.side, y), 2 * pixel, 0.0F);
    std::fill_n(maps + shape.At(0, shape.side), shape.Row() - pixel, 0.0F);
  }
}

Convolution::Convolution(const MapShape& source, const ConvWeights& window, const MapShape* second,
                         const ConvWeights* shortcut, Registers registers)
    : tiles_(&TilesOf(registers)),
      source_(source),
      second_(second != nullptr ? *second : MapShape{}),
      target_{(source.side - 1) / window.stride + 1, RoundUp(window.out)},
      depth_(static_cast<std::size_t>(9 * source.channels + second_.channels)),
      bias_(static_cast<std::size_t>(target_.channels)) {
  for (std::size_t picture = 0; picture < kMostPictures; ++picture) {
    for (int y = 0; y < target_.side; ++y) {
      for (int x = 0; x < target_.side; ++x) {
        from_.push_back(picture * source.Size() + source.At(x * window.stride - 1, y * window.stride - 1));
        to_.push_back(picture * target_.Size() + target_.At(x, y));
        if (shortcut == nullptr) continue;
        from_second_.push_back(picture * second->Size() +
                               second->At(x * shortcut->stride, y * shortcut->stride));
      }
    }
  }
  for (int o = 0; o < window.out; ++o) {
    const auto at = static_cast<std::size_t>(o);
    bias_[at] = window.bias[at] + (shortcut != nullptr ? shortcut->bias[at] : 0.0F);
  }
  int channel = 0;
  const int lanes = tiles_->lanes;
  for (const int vectors : PanelWidths((target_.channels + lanes - 1) / lanes, tiles_->most_vectors)) {
    const int width = vectors * lanes;
    panels_.push_back({vectors, channel, std::min(width, target_.channels - channel), weights_.size()});
    const auto append = [&](const ConvWeights& weights, int i, int y, int x) {
      for (int o = channel; o < channel + width; ++o) {
        weights_.push_back(o < weights.out && i < weights.in ? WeightAt(weights, o, i, y, x) : 0.0F);
      }
    };
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 3; ++x) {
        for (int i = 0; i < source.channels; ++i) append(window, i, y, x);
      }
    }
    for (int i = 0; i < second_.channels; ++i) append(*shortcut, i, 0, 0);
    channel += width;
  }
}

void Convolution::RunPanel(const Panel& panel, const float* source, const float* second, float* target,
                           int pictures) const {
  TileTask task{source,
                second_.channels > 0 ? second : nullptr,
                target + panel.channel,
                from_.data(),
                from_second_.data(),
                to_.data(),
                source_.Row(),
                static_cast<std::size_t>(3 * source_.channels),
                static_cast<std::size_t>(second_.channels),
                weights_.data() + panel.weights,
                bias_.data() + panel.channel,
                panel.outputs};
  // Tiles of nearly the same size: a last one of one pixel would take as long as one of four.
  const int pixels = pictures * target_.side * target_.side;
  const int most = tiles_->most_rows(panel.vectors);
  const int tiles = (pixels + most - 1) / most;
  for (int tile = 0; tile < tiles; ++tile) {
    const int rows = pixels / tiles + (tile < pixels % tiles ? 1 : 0);
    tiles_->run(panel.vectors, rows, task);
    task.from += rows;
    task.to += rows;
    if (task.second != nullptr) task.from_second += rows;
  }
}

void Convolution::Run(const float* source, const float* second, float* target, int pictures) const {
  for (const Panel& panel : panels_) RunPanel(panel, source, second, target, pictures);
}

}  // namespace auforge::features::internal
