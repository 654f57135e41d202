// One update of the critic and one of the generator, as trainer and parity test both use them.
#pragma once

#include <functional>
#include <string>

#include "gan/internal/adam.h"
#include "gan/internal/losses.h"

namespace auforge::gan {

struct TrainingState {
  Parameters generator, discriminator;
  AdamState generator_adam, discriminator_adam;
  // Running mean of the generator's weights, which edits better than the last ones; empty when not wanted.
  Parameters generator_average;
  // The networks in bfloat16, kept in step by Adam; empty in fp32. See UseReducedPrecision.
  Parameters generator_reduced, discriminator_reduced;

  const Parameters& GeneratorToRun() const {
    return generator_reduced.entries().empty() ? generator : generator_reduced;
  }
  const Parameters& DiscriminatorToRun() const {
    return discriminator_reduced.entries().empty() ? discriminator : discriminator_reduced;
  }
};

void MoveTo(TrainingState& state, torch::Device device);

// Weights, moments and, because of them, everything that steps compute lies channels-last: what a GPU's tensor cores want.
void UseChannelsLast(TrainingState& state);

// From here on steps compute in bfloat16; weights and moments stay fp32, laid out channels-last.
void UseReducedPrecision(TrainingState& state);

// In fp32: stores the critic's weights that are used as matrices (see RunsAsMatrixProduct), and their moments,
// in that order, so that no step copies them into it. The same numbers, faster.
void UseMatrixLayout(TrainingState& state, const NetworkOptions& network);

// Moves the average towards the generator: a = d a + (1 - d) g. Early on d is lower, so that the start is
// forgotten.
void UpdateAverage(TrainingState& state, double decay);

struct StepOptions {
  NetworkOptions network;
  LossWeights weights;
  AdamOptions adam;
  CriticStep critic_step = CriticStep::kSummed;
};

// Tells the allocator to keep what it gets: every step asks for the same large blocks, and page faults cost a
// tenth of it otherwise. For the whole process; nothing where the C library is not glibc.
void KeepMemory();

// Called with the gradients before they are applied: the mean over the processes of a training.
using Reduce = std::function<void(std::vector<torch::Tensor>&)>;

// Published: Adam on the loss, then Adam on the penalty at the new weights. Summed: one Adam step on both.
LossTerms UpdateCritic(TrainingState& state, const StepOptions& options, const Batch& batch,
                       const Reduce& reduce = {});

struct GeneratorUpdate {
  LossTerms terms;
  torch::Tensor fake, attention;
};
// With or without pairs in the batch.
GeneratorUpdate UpdateGenerator(TrainingState& state, const StepOptions& options, const Batch& batch,
                                const Reduce& reduce = {});
// By the answers alone; the batch is all pairs and the critic has no part in it.
GeneratorUpdate UpdateGeneratorByAnswers(TrainingState& state, const StepOptions& options, const Batch& batch,
                                         const Reduce& reduce = {});

}  // namespace auforge::gan
