// A small fully convolutional net that answers for every 8 x 8 pixels of a picture of any size: what a detector looks
// with. It is trained elsewhere (batch norms folded) and only evaluated here, by the kernels of learnt_net.h.
//
//   picture (BGR, 0..255) -> (x / 255 - 0.5) / 0.25 in each channel; beyond its edges 0
//   stem, second, third: ReLU(conv3x3, stride 2), one after the other: a map of an eighth of the size (fine)
//   down:     ReLU(conv3x3(fine, stride 2)): a sixteenth
//   context:  y = ReLU(conv3x3(ReLU(conv3x3(x))) + conv1x1(x)), block after block: what is around
//   merge:    ReLU(conv3x3(fine) + conv1x1(context of the pixel that lies there))
//   last:     ReLU(conv3x3)
//   answers:  linear in a pixel's channels
//
// Sides are halved rounding up. Weights are IEEE half floats; a number is one chain of fused multiply-adds: the same
// bits whatever threads and registers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/learnt_net.h"

namespace auforge::features {

struct GridNetDescription {
  ConvWeights stem, second, third, down;         // 3x3, stride 2; at most 256 channels each
  std::vector<NetDescription::Block> context;    // 1..8, stride 1
  ConvWeights merge;                             // 3x3, stride 1
  ConvWeights lateral;                           // 1x1, stride 1
  ConvWeights last;                              // 3x3, stride 1
  int answers = 1;                               // 1..64 for every cell
  std::vector<float> answer_weight;              // answers x last.out
  std::vector<float> answer_bias;                // answers
};

// What a net has made of one picture. Belongs to one thread; memory is kept for the next picture.
struct GridMap {
  int columns = 0, rows = 0;       // cells: an eighth of the picture's sides, rounded up
  std::vector<float> values;       // rows x columns x channels
  std::size_t channels = 0;
  std::vector<float> scratch[4];
};

// Immutable; any number of threads may use one at the same time.
class GridNet {
 public:
  static constexpr int kCell = 8;  // pixels

  // Throws std::invalid_argument naming layer and fault.
  static GridNet FromWeights(const GridNetDescription& description, Registers registers = Registers::kWidest);
  // What Serialise gave; throws std::invalid_argument naming the fault for anything else.
  static GridNet Parse(std::span<const std::uint8_t> bytes);
  std::vector<std::uint8_t> Serialise() const;
  GridNet(GridNet&&) noexcept;
  GridNet& operator=(GridNet&&) noexcept;
  ~GridNet();

  int answers() const;
  std::size_t weight_count() const;
  // Of a picture of that size.
  std::size_t multiply_adds(int width, int height) const;

  // picture: CV_8UC3 (BGR) or CV_8UC1 (all three channels are it), not empty.
  void Run(const cv::Mat& picture, GridMap& map) const;
  // Answers first .. first + out.size() - 1 of a cell.
  void Answer(const GridMap& map, int column, int row, std::size_t first, std::span<float> out) const;

 private:
  struct Impl;
  explicit GridNet(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace auforge::features
