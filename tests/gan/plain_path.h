// GANimation's steps as the published code takes them, by automatic differentiation and the library's own
// layers: what the hand-written path is tested against and timed against. Works on the same parameters.
#pragma once

#include "gan/internal/steps.h"

namespace auforge::gan::plain {

GeneratorOutput RunGenerator(const Parameters& p, const NetworkOptions& options, const torch::Tensor& image,
                             const torch::Tensor& aus);
DiscriminatorOutput RunDiscriminator(const Parameters& p, const NetworkOptions& options,
                                     const torch::Tensor& image);

Gradients CriticLossGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                              const Batch& batch, const torch::Tensor& fake);
Gradients PenaltyGradients(const Parameters& d, const NetworkOptions& options, const LossWeights& weights,
                           const torch::Tensor& interpolated);
GeneratorPass GeneratorLossGradients(const Parameters& g, const Parameters& d, const NetworkOptions& options,
                                     const LossWeights& weights, const Batch& batch);

// The published iteration with torch::optim::Adam: critic loss step, penalty step, and (when asked) a
// generator step.
class Optimisation {
 public:
  Optimisation(const TrainingState& state, const StepOptions& options);
  void UpdateCritic(const Batch& batch);
  void UpdateGenerator(const Batch& batch);

 private:
  const TrainingState& state_;
  StepOptions options_;
  torch::optim::Adam generator_, discriminator_;
};

}  // namespace auforge::gan::plain
