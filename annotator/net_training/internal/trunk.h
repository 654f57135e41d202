// The net of features/learnt_net.h as LibTorch trains it: with batch norms, and a head of AUs that is not kept.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "features/learnt_net.h"

namespace auforge::annotator {

struct TrunkShape {
  int crop_size = 112;
  int stem = 24;                             // channels
  std::vector<int> blocks{32, 64, 128, 192};  // channels, each with stride 2
  features::Pooling pooling = features::Pooling::kMean;
  int fine = 0;                              // of the last blocks so many keep the side instead
  int kept = 0;                              // channels of the last map where they are fewer; 0: as the last block's
  int EmbeddingSize() const;
  int StrideOf(std::size_t block) const;
  int ChannelsBehind(std::size_t block) const;
};

// A tensor's numbers, on the processor.
std::vector<float> Values(const torch::Tensor& tensor);

// Convolution without bias, batch norm.
struct NormedConvolutionImpl : torch::nn::Module {
  NormedConvolutionImpl(int in, int out, int kernel, int stride);
  torch::Tensor forward(const torch::Tensor& x);
  // Weights and bias of both in one: w' = w gamma / sqrt(var + eps), b' = beta - mean gamma / sqrt(var + eps).
  features::ConvWeights Folded() const;
  // The reverse: what Folded gave, with norms that find maps of mean 0 and variance 1 behind them as training does. x: what comes in,
  // of enough pictures to measure that by; returns what goes out. Throws std::invalid_argument for weights of other sizes.
  torch::Tensor TakeFolded(const features::ConvWeights& weights, const torch::Tensor& x);
  int in, out, kernel, stride;
  torch::nn::Conv2d convolution{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
};
TORCH_MODULE(NormedConvolution);

struct TrunkImpl : torch::nn::Module {
  // outputs: of the head. Where the halves of the picture are told apart (Pooling::kHalves), outputs `sides` begin ..
  // begin + count come from a head of their own that sees both; the other head sees the means.
  struct Sides {
    int begin, count;
    Sides(int begin_at = 0, int how_many = 0) : begin(begin_at), count(how_many) {}
  };
  TrunkImpl(const TrunkShape& shape, int outputs, double dropout, Sides sides = Sides());
  // x: [N,3,S,S], as features/learnt_net.h normalises it. Embeddings [N,D], fp32.
  torch::Tensor Embed(torch::Tensor x);
  // [N, outputs]
  torch::Tensor forward(const torch::Tensor& x);
  // aus: FACS numbers of the first outputs, which become the net's opinions: intensities, then logits.
  features::LearntNet Folded(const std::vector<int>& aus) const;
  // Of all but the head.
  features::NetDescription Description() const;
  // Goes on with a net whose training is not at hand: the reverse of Folded. aus: of the first outputs, as Folded takes them. Outputs of
  // which the net has no opinion begin at 0, and so teach nothing to the maps before they know something. pictures: some hundreds,
  // as forward takes them. Throws std::invalid_argument, whose text goes on from the net's name, for a net of other sizes.
  void TakeFolded(const features::NetDescription& net, const std::vector<int>& aus, const torch::Tensor& pictures);

  TrunkShape shape;
  NormedConvolution stem{nullptr};
  struct Block {
    NormedConvolution first{nullptr}, second{nullptr}, shortcut{nullptr};
  };
  std::vector<Block> blocks;
  torch::nn::Linear head{nullptr}, side_head{nullptr};
  Sides sides;
  torch::nn::Dropout dropout{nullptr};
};
TORCH_MODULE(Trunk);

}  // namespace auforge::annotator
