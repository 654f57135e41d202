#include "gan/internal/steps.h"

#include <algorithm>

#include "gan/internal/convolution.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace auforge::gan {
namespace {

void ToChannelsLast(std::vector<torch::Tensor>& tensors) {
  for (torch::Tensor& t : tensors) {
    if (t.dim() == 4) t = t.contiguous(at::MemoryFormat::ChannelsLast);
  }
}

Parameters ChannelsLast(const Parameters& p) {
  std::vector<torch::Tensor> tensors = p.Tensors();
  ToChannelsLast(tensors);
  Parameters copy;
  for (std::size_t i = 0; i < tensors.size(); ++i) copy.Add(p.entries()[i].first, tensors[i]);
  return copy;
}

}  // namespace

void MoveTo(TrainingState& state, torch::Device device) {
  for (Parameters* p : {&state.generator, &state.discriminator, &state.generator_average}) {
    Parameters moved;
    for (const auto& [name, value] : p->entries()) moved.Add(name, value.to(device));
    *p = std::move(moved);
  }
  for (AdamState* adam : {&state.generator_adam, &state.discriminator_adam}) {
    for (torch::Tensor& t : adam->mean) t = t.to(device);
    for (torch::Tensor& t : adam->square) t = t.to(device);
  }
}

void UseChannelsLast(TrainingState& state) {
  state.generator = ChannelsLast(state.generator);
  state.discriminator = ChannelsLast(state.discriminator);
  for (AdamState* adam : {&state.generator_adam, &state.discriminator_adam}) {
    ToChannelsLast(adam->mean);
    ToChannelsLast(adam->square);
  }
  if (!state.generator_average.entries().empty())
    state.generator_average = ChannelsLast(state.generator_average);
}

void UseReducedPrecision(TrainingState& state) {
  UseChannelsLast(state);
  state.generator_reduced = state.generator.ReducedCopy();
  state.discriminator_reduced = state.discriminator.ReducedCopy();
}

void UseMatrixLayout(TrainingState& state, const NetworkOptions& network) {
  Parameters arranged;
  const auto& entries = state.discriminator.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& [name, value] = entries[i];
    // main.0, main.2, … are the strided layers, each on half of the picture before it.
    int layer = -1;
    for (int l = 0; l < network.critic_layers; ++l) {
      if (name == "main." + std::to_string(2 * l) + ".weight") layer = l;
    }
    const std::int64_t side = network.image_size >> std::max(layer, 0);
    if (layer < 0 || !RunsAsMatrixProduct(value, side, side, {2, 1})) {
      arranged.Add(name, value);
      continue;
    }
    arranged.Add(name, value.contiguous(at::MemoryFormat::ChannelsLast));
    for (std::vector<torch::Tensor>* moments :
         {&state.discriminator_adam.mean, &state.discriminator_adam.square}) {
      (*moments)[i] = (*moments)[i].contiguous(at::MemoryFormat::ChannelsLast);
    }
  }
  state.discriminator = std::move(arranged);
}

void UpdateAverage(TrainingState& state, double decay) {
  const torch::NoGradGuard no_grad;
  const auto t = static_cast<double>(state.generator_adam.step);
  const double d = std::min(decay, (1 + t) / (10 + t));
  for (std::size_t i = 0; i < state.generator.entries().size(); ++i) {
    torch::Tensor average = state.generator_average.entries()[i].second;
    average.lerp_(state.generator.entries()[i].second, 1 - d);
  }
}

void KeepMemory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

LossTerms UpdateCritic(TrainingState& state, const StepOptions& options, const Batch& batch,
                       const Reduce& reduce) {
  const torch::Tensor fake = Compose(
      RunGeneratorForCritic(state.GeneratorToRun(), options.network, batch.image, batch.target), batch.image);
  const torch::Tensor interpolated = batch.alpha * batch.image + (1 - batch.alpha) * fake;
  const Parameters& d = state.DiscriminatorToRun();
  const auto update = [&state, &options, &reduce](Gradients& g) {
    if (reduce) reduce(g.values);
    AdamStep(state.discriminator, g.values, options.adam, state.discriminator_adam,
             state.discriminator_reduced);
  };
  if (options.critic_step == CriticStep::kSummed) {
    Gradients both = CriticGradients(d, options.network, options.weights, batch, fake, interpolated);
    update(both);
    return std::move(both.terms);
  }
  Gradients loss = CriticLossGradients(d, options.network, options.weights, batch, fake);
  update(loss);
  Gradients penalty = PenaltyGradients(d, options.network, options.weights, interpolated);
  update(penalty);
  loss.terms.insert(penalty.terms.begin(), penalty.terms.end());
  return std::move(loss.terms);
}

namespace {

GeneratorUpdate Apply(GeneratorPass pass, TrainingState& state, const StepOptions& options, const Reduce& reduce) {
  if (reduce) reduce(pass.gradients.values);
  AdamStep(state.generator, pass.gradients.values, options.adam, state.generator_adam,
           state.generator_reduced);
  return {std::move(pass.gradients.terms), pass.fake, pass.attention};
}

}  // namespace

GeneratorUpdate UpdateGenerator(TrainingState& state, const StepOptions& options, const Batch& batch,
                                const Reduce& reduce) {
  const auto& gradients = batch.paired > 0 ? PairedGeneratorLossGradients : GeneratorLossGradients;
  return Apply(gradients(state.GeneratorToRun(), state.DiscriminatorToRun(), options.network, options.weights, batch),
               state, options, reduce);
}

GeneratorUpdate UpdateGeneratorByAnswers(TrainingState& state, const StepOptions& options, const Batch& batch,
                                         const Reduce& reduce) {
  return Apply(AnswerLossGradients(state.GeneratorToRun(), options.network, options.weights, batch), state, options,
               reduce);
}

}  // namespace auforge::gan
