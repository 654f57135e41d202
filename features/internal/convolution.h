// Convolutions on channel-last maps with a border of zeros, as register tiles of AVX2 or AVX-512
// multiply-adds: what LearntNet consists of. A number of the result is bias, then one chain of fused
// multiply-adds over the first source's window and the second source's pixel, whatever tile it falls into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "features/lanes.h"
#include "features/learnt_net.h"
#include "features/tiles.h"

namespace auforge::features::internal {

// Maps of so many pictures stand side by side in a buffer and are computed together.
inline constexpr int kMostPictures = 2;

// How a map lies in memory: (height + 2) x (width + 2) x channels floats, a border of one pixel of zeros around it.
struct MapShape {
  int width = 0, height = 0;
  int channels = 0;  // a multiple of kLanes (a register), unused ones 0; or the picture's 3
  std::size_t Row() const { return static_cast<std::size_t>(width + 2) * static_cast<std::size_t>(channels); }
  std::size_t Size() const { return Row() * static_cast<std::size_t>(height + 2); }
  // Offset of pixel (x, y), -1..width and -1..height.
  std::size_t At(int x, int y) const {
    return static_cast<std::size_t>(y + 1) * Row() + static_cast<std::size_t>(x + 1) * static_cast<std::size_t>(channels);
  }
  // Behind a layer of that stride with so many outputs.
  MapShape Behind(int stride, int outputs) const;
};
// Rounded up to whole registers.
int PaddedChannels(int channels);

inline constexpr int kPictureChannels = 3;  // of the first map, which is not padded

// A picture as a net's first map: (x / 255 - .5) / .25 rounded as float does it; CV_8UC3 or CV_8UC1. The border is not touched.
void Normalise(const cv::Mat& picture, const MapShape& shape, float* map);
// That map flipped left to right. The border is not touched.
void MirrorPicture(const MapShape& shape, const float* map, float* mirrored);

// Zeroes the border of `pictures` maps.
void ClearBorder(const MapShape& shape, float* maps, int pictures);

// Weights as the tiles read them, of
// target = min(1e6, ReLU(conv3x3(source) [+ conv1x1(second source)] + bias)).
class PackedWeights {
 public:
  // window: 3x3; shortcut: 1x1, of a second source of so many channels, or null.
  PackedWeights(int source_channels, const ConvWeights& window, int second_channels, const ConvWeights* shortcut,
                Registers registers);
  // What a run of pixels reads and writes: tables of as many offsets as pixels; second and from_second null: none.
  struct Pixels {
    const float* source;
    const float* second;
    float* target;
    const std::size_t* from;
    const std::size_t* from_second;
    const std::size_t* to;
    std::size_t row;  // floats between lines of the source
    int count;
  };
  std::size_t panels() const { return panels_.size(); }
  // Some of the outputs of these pixels.
  void Run(std::size_t panel, const Pixels& pixels) const;

 private:
  struct Panel {
    int vectors;          // registers of outputs
    int channel;          // its first output
    int outputs;          // channels of the target, the rest of the last register is unused
    std::size_t weights;  // where it begins in weights_: depth x vectors x lanes
  };
  const TileKernels* tiles_;
  int source_channels_, second_channels_;
  std::vector<Panel> panels_;
  std::vector<float, LineAllocator<float>> weights_;
  std::vector<float> bias_;  // target's channels
};

// A layer between maps of one size.
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
  MapShape source_, target_;
  PackedWeights weights_;
  std::vector<std::size_t> from_, from_second_, to_;  // offsets of each output pixel, of kMostPictures maps
};

// A layer between maps of any size.
class PlaneConvolution {
 public:
  // source_channels: of its maps in memory. second_step: pixels of the target in a row for one of the second source: 1,
  // or 2 where that is half as large.
  PlaneConvolution(int source_channels, const ConvWeights& window, const ConvWeights* shortcut, int second_step,
                   Registers registers);
  MapShape TargetOf(const MapShape& source) const { return source.Behind(stride_, outputs_); }
  // target: TargetOf(source).Size() floats, border included. second: null where there is no shortcut.
  void Run(const MapShape& source_shape, const float* source, const MapShape* second_shape, const float* second,
           float* target) const;

 private:
  int stride_, outputs_, second_step_;
  PackedWeights weights_;
};

}  // namespace auforge::features::internal
