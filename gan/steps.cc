#include "gan/internal/steps.h"

namespace auforge::gan {

LossTerms UpdateCritic(TrainingState& state, const StepOptions& options, const Batch& batch) {
  torch::Tensor fake;
  {
    const torch::NoGradGuard no_grad;
    fake = Compose(RunGenerator(state.generator, options.network, batch.image, batch.target), batch.image);
  }
  const torch::Tensor interpolated = batch.alpha * batch.image + (1 - batch.alpha) * fake;
  Gradients loss = CriticLossGradients(state.discriminator, options.network, options.weights, batch, fake);
  if (options.critic_step == CriticStep::kPublished) {
    AdamStep(state.discriminator, loss.values, options.adam, state.discriminator_adam);
  }
  const Gradients penalty = PenaltyGradients(state.discriminator, options.network, options.weights, interpolated);
  if (options.critic_step == CriticStep::kPublished) {
    AdamStep(state.discriminator, penalty.values, options.adam, state.discriminator_adam);
  } else {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < loss.values.size(); ++i) loss.values[i].add_(penalty.values[i]);
    AdamStep(state.discriminator, loss.values, options.adam, state.discriminator_adam);
  }
  loss.terms.insert(penalty.terms.begin(), penalty.terms.end());
  return loss.terms;
}

GeneratorUpdate UpdateGenerator(TrainingState& state, const StepOptions& options, const Batch& batch) {
  GeneratorPass pass =
      GeneratorLossGradients(state.generator, state.discriminator, options.network, options.weights, batch);
  AdamStep(state.generator, pass.gradients.values, options.adam, state.generator_adam);
  return {std::move(pass.gradients.terms), pass.fake, pass.attention};
}

}  // namespace auforge::gan
