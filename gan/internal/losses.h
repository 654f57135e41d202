// Every term of GANimation's losses, already weighted, and the gradients of both networks.
// Sizes: images [N,3,S,S] in -1..1, AUs [N,A] in 0..1, alpha [N,1,1,1] in 0..1.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gan/internal/networks.h"

namespace auforge::gan {

// A weighted term. It stays where it was computed until somebody asks for the number, because asking waits for the device.
struct LossTerm {
  torch::Tensor value;  // []
  double factor = 1;
  operator double() const { return factor * value.item<double>(); }
};

// By name: d_real d_fake d_cond d_gp; g_masked_fake g_masked_cond g_cyc g_mask_1
// g_mask_1_smooth g_mask_2 g_mask_2_smooth; with pairs g_pair_l1 g_pair_feature g_pair_attention, and with a flow
// g_pair_flow g_pair_flow_smooth.
using LossTerms = std::map<std::string, LossTerm>;

struct Batch {
  torch::Tensor image;   // real faces
  torch::Tensor aus;     // their AUs
  torch::Tensor target;  // AUs asked for
  torch::Tensor alpha;   // where between real and fake the penalty is taken
  std::int64_t paired = 0;  // the last faces' true pictures with `target` are known:
  torch::Tensor answer{};   // [paired,3,S,S]
  torch::Tensor certainty{};  // [N,A] what each of `aus` counts, 0..1; undefined when all count alike
};

struct Gradients {
  LossTerms terms;
  std::vector<torch::Tensor> values;  // in the order of the network's parameters
};

// The three below are written out by hand: the critic is piecewise linear, so that the penalty's second
// derivative needs no double backward. tests/gan/plain_path.h has the same by automatic differentiation.
//
// fake: the generator's composed picture, without its graph. Real and fake faces go through the critic in one
// call.
Gradients CriticLossGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                              const Batch& batch, const torch::Tensor& fake);
// The gradient penalty 10 mean((|grad| - 1)^2) of the summed patch map, norm over C H W of each image.
Gradients PenaltyGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                           const torch::Tensor& interpolated);
// The sum of both, sharing every pass through the critic.
Gradients CriticGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                          const Batch& batch, const torch::Tensor& fake, const torch::Tensor& interpolated);

struct GeneratorPass {
  Gradients gradients;
  torch::Tensor fake;       // composed, detached
  torch::Tensor attention;  // of the first pass, detached
};
GeneratorPass GeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                     const LossWeights& weights, const Batch& batch);

// The same for a batch with pairs. Every face has losses of its own, and the batch their mean: unpaired ones those above;
// paired ones the critic's score and AUs, the distance of the picture and of the critic's activations to those of the
// answer, and the attention's to where face and answer are alike. Pairs need no way back. A flow's face has to be like the answer
// by itself, and what the attention opens for is where it is not.
GeneratorPass PairedGeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                           const LossWeights& weights, const Batch& batch);
// Of a batch that is all pairs: the picture and the attention alone. No critic, one pass.
GeneratorPass AnswerLossGradients(const Parameters& g, const NetworkOptions& options, const LossWeights& weights,
                                  const Batch& batch);

// Where two pictures are alike: 1, down to 0 where they differ by kDiffers and more. [N,1,S,S] of [N,3,S,S].
torch::Tensor AlikeMap(const torch::Tensor& a, const torch::Tensor& b);
inline constexpr double kDiffers = 0.08;  // mean of channels and neighbours; of pictures in -1..1: 10 grey values

// Sum of absolute (or, in the paper's form, squared) differences of neighbours, mean over the batch.
torch::Tensor TotalVariation(const torch::Tensor& mask, LossForm form);

}  // namespace auforge::gan
