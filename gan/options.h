// Settings of GANimation (Pumarola et al., ECCV 2018). Defaults are the published ones.
#pragma once

#include <cstdint>
#include <string>

namespace auforge::gan {

enum class CriticStep { kPublished, kSummed };  // two Adam steps (loss, then penalty), or one on their sum
// Of the large convolutions; weights and moments are always fp32. kTf32: fp32 numbers whose products a GPU's tensor cores
// round to 10 bits.
enum class Precision { kFloat, kTf32, kBfloat16 };
enum class LossForm {
  kCode,
  kPaper
};  // as the published code computes them, or as the paper's equations say

struct NetworkOptions {
  int image_size = 128;      // pixels, a power of two in 32..512
  int conv_dim = 64;         // channels of the first layer, 4..256; cost grows with the square
  int aus = 17;              // conditions, >= 1
  int generator_blocks = 6;  // residual blocks, 1..16
  int critic_layers = 6;     // strided layers, 2 .. log2(image_size)
  // Beyond the published network: a third head of the generator says where each pixel of the edit comes from, and the attention
  // keeps the face so moved instead of the face as it is.
  bool flow = false;
  void Validate() const;     // throws std::invalid_argument naming field, value and constraint
};

struct LossWeights {
  double image = 1;      // critic's score
  double au = 4000;      // AU regression, for a batch of 25 (see published_scaling)
  double penalty = 10;   // gradient penalty
  double cycle = 10;     // L1 of the way there and back
  double mask = 0.1;     // mean attention
  double smooth = 1e-5;  // total variation of the attention, for a batch of 25
  // Of faces whose true picture with the AUs asked for is known, in place of cycle, mask and smooth:
  double paired = 50;    // L1 to it; 0: pairs are faces like all others
  double focus = 0;      // of that and of `attention` over where the picture changes: small changes count as large ones
  double feature = 1;    // L1 of the critic's activations to those of it, each layer in units of its mean
  double attention = 0.2;  // cross entropy of the attention and where the two pictures (the one moved, with a flow) are alike
  double flow = 25;        // L1 of the face that the flow has moved to it, at full, half and quarter size
  double flow_smooth = 1;  // mean change of the flow from pixel to pixel, in pixels
  LossForm form = LossForm::kCode;
  // The published code divides the AU weight by the batch size and sums the variation over the batch, so that
  // another batch size is another balance. By default the weights are those that it has at 25 images,
  // whatever the batch.
  bool published_scaling = false;

  double AuWeight(std::int64_t batch) const {
    return au / (published_scaling ? static_cast<double>(batch) : 25.0);
  }
  // Multiplies the mean variation per image.
  double SmoothWeight(std::int64_t batch) const {
    return smooth * (published_scaling ? static_cast<double>(batch) : 25.0);
  }
};

struct AdamOptions {
  double rate = 1e-4, beta1 = 0.5, beta2 = 0.999, epsilon = 1e-8;
};

}  // namespace auforge::gan
