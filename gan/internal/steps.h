// One update of the critic and one of the generator, as trainer and parity test both use them.
#pragma once

#include "gan/internal/adam.h"
#include "gan/internal/losses.h"

namespace auforge::gan {

struct TrainingState {
  Parameters generator, discriminator;
  AdamState generator_adam, discriminator_adam;
};

struct StepOptions {
  NetworkOptions network;
  LossWeights weights;
  AdamOptions adam;
  CriticStep critic_step = CriticStep::kSummed;
};

// Published: Adam on the loss, then Adam on the penalty at the new weights. Summed: one Adam step on both.
LossTerms UpdateCritic(TrainingState& state, const StepOptions& options, const Batch& batch);

struct GeneratorUpdate {
  LossTerms terms;
  torch::Tensor fake, attention;
};
GeneratorUpdate UpdateGenerator(TrainingState& state, const StepOptions& options, const Batch& batch);

}  // namespace auforge::gan
