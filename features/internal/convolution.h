// Convolutions on channel-last maps with a border of zeros, as register tiles of AVX2 or AVX-512
// multiply-adds: what LearntNet consists of. A number of the result is bias, then one chain of fused
// multiply-adds over the first source's window and the second source's pixel, whatever tile it falls into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "features/lanes.h"
#include "features/learnt_net.h"

namespace auforge::features::internal {

struct TileKernels;

// Memory that begins with a cache line: a load of a whole line's weights otherwise touches two.
template <typename T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* at, std::size_t) noexcept { ::operator delete(at, kLine); }
  bool operator==(const LineAllocator&) const = default;
};

// Maps of so many pictures stand side by side in a buffer and are computed together.
inline constexpr int kMostPictures = 2;

// How a map lies in memory: (side + 2) x (side + 2) x channels floats, a border of one pixel of zeros around
// it.
struct MapShape {
  int side = 0;
  int channels = 0;  // a multiple of kLanes (a register), unused ones 0; or the picture's 3
  std::size_t Row() const { return static_cast<std::size_t>((side + 2) * channels); }
  std::size_t Size() const { return Row() * static_cast<std::size_t>(side + 2); }
  // Offset of pixel (x, y), -1..side.
  std::size_t At(int x, int y) const {
    return static_cast<std::size_t>(y + 1) * Row() + static_cast<std::size_t>((x + 1) * channels);
  }
};

// Zeroes the border of `pictures` maps.
void ClearBorder(const MapShape& shape, float* maps, int pictures);

// target = min(1e6, ReLU(conv3x3(source) [+ conv1x1(second source)] + bias)).
class Convolution {
 public:
  // source: the map that `window` (3x3) reads; second, shortcut (1x1): added where given.
  Convolution(const MapShape& source, const ConvWeights& window, const MapShape* second = nullptr,
              const ConvWeights* shortcut = nullptr, Registers registers = Registers::kWidest);
  const MapShape& target() const { return target_; }
  // Maps of 1..kMostPictures pictures, source.Size() etc. floats apart; the border of the target is not
  // touched.
  void Run(const float* source, const float* second, float* target, int pictures) const;

 private:
  struct Panel {
    int vectors;          // registers of outputs
    int channel;          // its first output
    int outputs;          // channels of the target, the rest of the last register is unused
    std::size_t weights;  // where it begins in weights_: depth x vectors x lanes
  };
  void RunPanel(const Panel& panel, const float* source, const float* second, float* target,
                int pictures) const;

  const TileKernels* tiles_;
  MapShape source_, second_, target_;
  std::size_t depth_ = 0;                             // multiply-adds of one number
  std::vector<std::size_t> from_, from_second_, to_;  // offsets of each output pixel, of kMostPictures maps
  std::vector<Panel> panels_;
  std::vector<float, LineAllocator<float>> weights_;
  std::vector<float> bias_;  // target's channels
};

}  // namespace auforge::features::internal
