#include "tests/gan/small_training.h"

#include "gan/internal/checkpoint.h"
#include "tests/gan/faces.h"

namespace auforge::gan {

SmallTraining::SmallTraining() { tests::WriteFaces(dir_ / "shards", 12); }

TrainOptions SmallTraining::Options(const std::string& run) const {
  TrainOptions options;
  options.shards = {dir_ / "shards"};
  options.run = dir_ / run;
  options.network = {.image_size = 32, .conv_dim = 4, .aus = 17, .generator_blocks = 1, .critic_layers = 3};
  options.batch = 4;
  options.epochs = 100;
  options.decay_epochs = 0;
  options.critic_steps = 2;
  options.max_steps = 8;
  options.jobs = 1;
  options.samples = 2;
  return options;
}

TrainSummary TrainQuietly(const TrainOptions& options) { return Train(options, {}, {}, {}); }

std::vector<float> StateOf(const std::string& path) {
  const Checkpoint checkpoint = LoadCheckpoint(path, true);
  std::vector<float> all;
  const auto append = [&all](const std::vector<torch::Tensor>& tensors) {
    for (const torch::Tensor& t : tensors) {
      const torch::Tensor flat = t.to(torch::kFloat).contiguous().view({-1});
      all.insert(all.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
    }
  };
  const TrainingState& state = checkpoint.state;
  append(state.generator.Tensors());
  append(state.discriminator.Tensors());
  append(state.generator_average.Tensors());
  for (const AdamState* adam : {&state.generator_adam, &state.discriminator_adam}) {
    append(adam->mean);
    append(adam->square);
  }
  return all;
}

}  // namespace auforge::gan
