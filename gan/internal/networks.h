// GANimation's generator and discriminator as functions of named parameters. Parameters carry the names of
// the published state dicts, so that weights can be exchanged with it.
#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

#include "gan/options.h"

namespace auforge::gan {

// Ordered as the published modules enumerate theirs. Copies share the tensors; Clone does not.
class Parameters {
 public:
  void Add(std::string name, torch::Tensor value) {
    entries_.emplace_back(std::move(name), std::move(value));
  }
  // Throws std::out_of_range naming it.
  const torch::Tensor& operator[](const std::string& name) const;
  const std::vector<std::pair<std::string, torch::Tensor>>& entries() const { return entries_; }
  std::vector<torch::Tensor> Tensors() const;
  Parameters Clone(torch::ScalarType type) const;
  // The convolutions in bfloat16 and channels-last, what is small in fp32: what a reduced-precision step
  // computes with.
  Parameters ReducedCopy() const;
  void RequireGrad(bool on) const;
  std::int64_t Count() const;

 private:
  std::vector<std::pair<std::string, torch::Tensor>> entries_;
};

inline constexpr double kCriticLeak = 0.01;  // slope of the critic's LeakyReLU below zero

// N(0, 0.02) weights, zero biases, unit scales (published initialisation).
Parameters InitGenerator(const NetworkOptions& options, std::uint64_t seed);
Parameters InitDiscriminator(const NetworkOptions& options, std::uint64_t seed);

struct GeneratorOutput {
  torch::Tensor colour;     // [N,3,S,S], -1..1
  torch::Tensor attention;  // [N,1,S,S], 0..1; 1 keeps the input
  torch::Tensor flow;       // [N,2,S,S], x and y: how far from its place the input's pixel lies, in sides; undefined without
};
inline constexpr double kFlowReach = 0.125;  // of the flow in either direction, sides
// image: [N,3,S,S] in -1..1; aus: [N,A] in 0..1. Both networks compute in the type of their parameters (those
// of ReducedCopy: bfloat16) and answer in the type of the image.
GeneratorOutput RunGenerator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                             const torch::Tensor& aus);
// The same numbers without a graph, cheaper and rounded differently in fp32: for faces that only the critic
// is to see.
GeneratorOutput RunGeneratorForCritic(const Parameters& p, const NetworkOptions& options,
                                      const torch::Tensor& image, const torch::Tensor& aus);
// The input's pixels from where the flow says (appearance flow: Zhou et al., ECCV 2016), bilinear; beyond its edge it goes on as
// at its edge. The input itself without a flow.
torch::Tensor Move(const GeneratorOutput& output, const torch::Tensor& input);
// attention * Move(input) + (1 - attention) * colour; ComposeMoved takes what Move gave, where it is known already.
torch::Tensor Compose(const GeneratorOutput& output, const torch::Tensor& input);
torch::Tensor ComposeMoved(const GeneratorOutput& output, const torch::Tensor& moved);

struct DiscriminatorOutput {
  torch::Tensor score;  // [N,h,w], one for each patch
  torch::Tensor aus;    // [N,A]
};
// activations: gets those of the strided layers, when given.
DiscriminatorOutput RunDiscriminator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                                     std::vector<torch::Tensor>* activations = nullptr);

}  // namespace auforge::gan
