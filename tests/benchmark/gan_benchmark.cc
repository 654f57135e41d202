// Five critic updates and one of the generator: the plain path, the exact fast one, bfloat16, and TF32 on a GPU.
// Time is processor time of the process, so that a busy machine does not blur the ratio; "wall" is beside it.
// --device=cuda computes there; what counts then is the time by the clock, after a few steps to warm up.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "gan/internal/steps.h"
#include "gan/internal/torch_api.h"
#include "tests/gan/plain_path.h"

namespace auforge::gan {
namespace {

enum Path { kPlain, kFast, kReduced, kRounded };

torch::Device& BenchmarkDevice() {
  static torch::Device device = torch::kCPU;
  return device;
}

Batch MakeBatch(const NetworkOptions& o, std::int64_t n) {
  torch::manual_seed(1);
  const torch::TensorOptions there = torch::device(BenchmarkDevice());
  return {torch::rand({n, 3, o.image_size, o.image_size}, there) * 2 - 1, torch::rand({n, o.aus}, there),
          torch::rand({n, o.aus}, there), torch::rand({n, 1, 1, 1}, there)};
}

Precision PrecisionOf(std::int64_t path) {
  return path == kReduced ? Precision::kBfloat16 : path == kRounded ? Precision::kTf32 : Precision::kFloat;
}

// Args: path, batch, image size, conv dim, threads.
struct Setting {
  explicit Setting(const benchmark::State& state) {
    options.network.image_size = static_cast<int>(state.range(2));
    options.network.conv_dim = static_cast<int>(state.range(3));
    while ((options.network.image_size >> options.network.critic_layers) < 1) --options.network.critic_layers;
    torch::set_num_threads(static_cast<int>(state.range(4)));
    training.generator = InitGenerator(options.network, 1);
    training.discriminator = InitDiscriminator(options.network, 2);
    training.generator_adam = MakeAdamState(training.generator);
    training.discriminator_adam = MakeAdamState(training.discriminator);
    UsePrecision(PrecisionOf(state.range(0)), BenchmarkDevice());
    MoveTo(training, BenchmarkDevice());
    if (state.range(0) == kReduced) UseReducedPrecision(training);
    if (state.range(0) == kRounded) UseChannelsLast(training);
    if (state.range(0) == kFast) UseMatrixLayout(training, options.network);
    // The plain path takes the published two steps.
    options.critic_step = CriticStep::kSummed;
    batch = MakeBatch(options.network, state.range(1));
  }
  StepOptions options;
  TrainingState training;
  Batch batch;
};

// One path's updates: the plain one holds its own optimisers and wants leaves that require gradients.
class Steps {
 public:
  explicit Steps(const benchmark::State& state)
      : setting_(state), plain_(setting_.training, setting_.options), is_plain_(state.range(0) == kPlain) {
    if (is_plain_) return;
    setting_.training.generator.RequireGrad(false);
    setting_.training.discriminator.RequireGrad(false);
  }
  // Where the library tries its ways out at first.
  void WarmUp() {
    if (BenchmarkDevice().is_cpu()) return;
    for (int i = 0; i < 3; ++i) {
      Critic();
      Generator();
    }
    WaitFor(BenchmarkDevice());
  }
  void Critic() {
    if (is_plain_) {
      plain_.UpdateCritic(setting_.batch);
    } else {
      UpdateCritic(setting_.training, setting_.options, setting_.batch);
    }
  }
  void Generator() {
    if (is_plain_) {
      plain_.UpdateGenerator(setting_.batch);
    } else {
      UpdateGenerator(setting_.training, setting_.options, setting_.batch);
    }
  }

 private:
  Setting setting_;
  plain::Optimisation plain_;
  bool is_plain_;
};

void Critic(benchmark::State& state) {
  Steps steps(state);
  steps.WarmUp();
  for (auto _ : state) {
    steps.Critic();
    WaitFor(BenchmarkDevice());
  }
}

void Generator(benchmark::State& state) {
  Steps steps(state);
  steps.WarmUp();
  for (auto _ : state) {
    steps.Generator();
    WaitFor(BenchmarkDevice());
  }
}

void Cycle(benchmark::State& state) {
  Steps steps(state);
  steps.WarmUp();
  // On a GPU many in a row, as a training has them: nobody waits between the steps.
  const int rounds = BenchmarkDevice().is_cpu() ? 1 : 20;
  while (state.KeepRunningBatch(rounds)) {
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < 5; ++i) steps.Critic();
      steps.Generator();
    }
    WaitFor(BenchmarkDevice());
  }
  state.counters["images/s"] = benchmark::Counter(
      static_cast<double>(6 * state.range(1) * state.iterations()), benchmark::Counter::kIsRate);
}

void Paths(benchmark::internal::Benchmark* b, std::vector<std::int64_t> batches) {
  b->ArgNames({"path", "batch", "size", "dim", "threads"})
      ->Unit(benchmark::kMillisecond)
      ->MeasureProcessCPUTime()
      ->UseRealTime();
  for (const std::int64_t n : batches) {
    for (const std::int64_t path : {kPlain, kFast, kReduced, kRounded}) b->Args({path, n, 128, 64, 1});
  }
}

BENCHMARK(Critic)->Apply([](auto* b) { Paths(b, {4, 25}); });
BENCHMARK(Generator)->Apply([](auto* b) { Paths(b, {4, 25}); });
BENCHMARK(Cycle)->Apply([](auto* b) { Paths(b, {4, 25}); }) -> Iterations(1);
// For trying out what reads these figures.
BENCHMARK(Cycle)->Name("TinyCycle")->Apply([](auto* b) {
  b->ArgNames({"path", "batch", "size", "dim", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const std::int64_t path : {kPlain, kFast, kReduced, kRounded}) b->Args({path, 2, 32, 8, 1});
}) -> Iterations(1);
// What a small machine can train: sizes at which to choose.
BENCHMARK(Critic)->Name("SmallCritic")->Apply([](auto* b) {
  b->ArgNames({"path", "batch", "size", "dim", "threads"})
      ->Unit(benchmark::kMillisecond)
      ->MeasureProcessCPUTime()
      ->UseRealTime();
  for (const std::int64_t size : {64, 128}) {
    for (const std::int64_t dim : {16, 32, 64}) b->Args({kReduced, 8, size, dim, 1});
  }
});
BENCHMARK(Generator)->Name("SmallGenerator")->Apply([](auto* b) {
  b->ArgNames({"path", "batch", "size", "dim", "threads"})
      ->Unit(benchmark::kMillisecond)
      ->MeasureProcessCPUTime()
      ->UseRealTime();
  for (const std::int64_t size : {64, 128}) {
    for (const std::int64_t dim : {16, 32, 64}) b->Args({kReduced, 8, size, dim, 1});
  }
});

}  // namespace
}  // namespace auforge::gan

int main(int argc, char** argv) {
  auforge::gan::KeepMemory();
  const std::string option = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (!std::string(argv[i]).starts_with(option)) continue;
    auforge::gan::BenchmarkDevice() = auforge::gan::FindDevice(argv[i] + option.size(), 0);
    std::rotate(argv + i, argv + i + 1, argv + argc);
    --argc;
    break;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
