// Learnt features: a small residual convolutional net that reads the aligned colour crop of a face. It is
// trained elsewhere (batch norms folded) and only evaluated here, without any library of networks.
//
//   picture (BGR, 0..255) -> (x / 255 - 0.5) / 0.25 in each channel
//   stem:     ReLU(conv3x3, stride s, pad 1)
//   blocks:   y = ReLU(conv3x3(ReLU(conv3x3(x, stride s, pad 1)), stride 1, pad 1) + conv1x1(x, stride s))
//   embedding: mean of the last map over its pixels, one number a channel; or the map as it is, pixel by pixel in
//             rows from the top, the channels of a pixel side by side; or the means and, behind them, half the
//             difference of the means of the picture's left and right half
//   opinions: what the net itself makes of AUs, a linear function of the embedding (may be left out)
//
// Every convolution has a bias; activations are fp32 and held below 1e6; weights are IEEE half floats,
// rounded when a net is made, so that a fresh net and the same one read from a file answer with the same
// bits. So they do whatever threads, batch and processor: a number of a map is one chain of fused
// multiply-adds in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

namespace auforge::features {

struct ConvWeights {
  int in = 0, out = 0;         // channels
  int kernel = 3, stride = 1;  // 3 (pad 1) or 1 (pad 0); 1 or 2
  std::vector<float> weight;   // out x in x kernel x kernel
  std::vector<float> bias;     // out
};

// What becomes of the last map.
enum class Pooling {
  kMean,    // one number a channel: what is in the picture
  kNone,    // all of it: where it is, too
  kHalves,  // two numbers a channel: what is in it, and how much more of it on the left
};

struct NetDescription {
  struct Block {
    ConvWeights first;     // in -> out, 3x3, the block's stride
    ConvWeights second;    // out -> out, 3x3, stride 1
    ConvWeights shortcut;  // in -> out, 1x1, the block's stride
  };
  int crop_size = 112;        // side of the picture, pixels, 16..512
  Pooling pooling = Pooling::kMean;
  ConvWeights stem;           // 3 (B, G, R) -> C0, 3x3
  std::vector<Block> blocks;  // 1..16; at most 1024 channels each
  // FACS numbers, at most 64, none where the map is kept; with them 2 x AUs rows of as many weights as the last map has channels,
  // and as many biases: functions of the means, intensities (0..1 for 0..5) of
  // all, then logits of presence of all. Floats, since they are few.
  std::vector<int> opinion_aus;
  std::vector<float> opinion_weight, opinion_bias;
};

// Which kernels compute a net. The answers are the same bits; tests and benchmarks compare them.
enum class Registers {
  kWidest,  // AVX-512 where this processor has it, else kNarrow
  kNarrow,  // AVX2
};
// Whether kWidest is another thing than kNarrow on this processor.
bool HasWideRegisters();

// Immutable; any number of threads may use one at the same time.
class LearntNet {
 public:
  // Throws std::invalid_argument naming layer and fault: sizes that do not fit together or are out of range,
  // numbers that are not finite or too large for a half.
  static LearntNet FromWeights(const NetDescription& description,
                               Registers registers = Registers::kWidest);
  // What Serialise gave; `name` stands for the file in messages. Throws std::runtime_error naming file, fault
  // and remedy for anything else.
  static LearntNet Parse(std::span<const std::uint8_t> bytes, const std::string& name);
  // A net file (docs/au-model-format.md); the same bytes for the same net.
  std::vector<std::uint8_t> Serialise() const;
  // What FromWeights made it of, its weights as rounded.
  NetDescription Description() const;
  LearntNet(LearntNet&&) noexcept;
  LearntNet& operator=(LearntNet&&) noexcept;
  ~LearntNet();

  // AUs of which the net has an opinion; may be empty.
  const std::vector<int>& opinion_aus() const;
  // means: of all channels, of one picture, or the mean of several's; out: 2 x opinion_aus().size(), overwritten: intensities
  // (0..1 for 0..5), then logits of presence.
  void Opinions(std::span<const float> means, std::span<float> out) const;

  const std::string& digest() const;  // 16 hex digits over all sizes and weights
  int crop_size() const;
  Pooling pooling() const;
  std::size_t embedding_size() const;  // D
  std::size_t channels() const;        // of the last map; with kMean D, with kHalves half of it
  std::size_t weight_count() const;
  std::size_t multiply_adds() const;  // of one Embed

  // crop: crop_size x crop_size, CV_8UC3 (BGR) or CV_8UC1 (all three channels are it); embedding: D,
  // overwritten. Throws std::invalid_argument for other sizes and types. Allocates nothing after a thread's
  // first call.
  void Embed(const cv::Mat& crop, std::span<float> embedding) const;
  // Of the crop and of its mirror image, 2 D, overwritten: the same bits as two calls of Embed, but each
  // weight is fetched once.
  void EmbedWithMirror(const cv::Mat& crop, std::span<float> embeddings) const;

 private:
  struct Impl;
  explicit LearntNet(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace auforge::features
