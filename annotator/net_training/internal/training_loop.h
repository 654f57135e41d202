// What every training of a net here needs around its steps: streams of random numbers, threads that fill a batch, reduced precision, the average
// of the weights, states on disk, the rate.
#pragma once

#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "annotator/net_training/crop_set.h"
#include "annotator/net_training/point_set.h"
#include "annotator/net_training/training_options.h"

namespace auforge::annotator {

// Of a sample of a step: the same whatever thread asks.
std::mt19937_64 Stream(std::uint64_t seed, std::uint64_t step, std::uint64_t index);

// work(0) .. work(count - 1), in any order, on `jobs` threads, the caller's among them.
template <typename Work>
void InParallel(int jobs, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> threads;
  for (int i = 1; i < jobs; ++i) threads.emplace_back(run);
  run();
}

// bfloat16 for what gains by it, while one lives.
class Reduced {
 public:
  Reduced(bool on, bool cuda);
  ~Reduced();
  Reduced(const Reduced&) = delete;
  Reduced& operator=(const Reduced&) = delete;

 private:
  void Set(bool on) const;
  bool on_, cuda_;
};

// What a training learns from, for its record: how much, and a checksum.
std::string Fingerprint(const CropSet& set);
std::string Fingerprint(const std::vector<PointFace>& faces);
std::string Fingerprint(const std::vector<cv::Mat>& pictures);

// Everything that a step changes. net and average: modules of the same shape.
struct TrainingState {
  std::shared_ptr<torch::nn::Module> net, average;
  std::unique_ptr<torch::optim::AdamW> optimiser;
  nlohmann::json record;  // an object: every option and all data that decide what comes out, by the names that users give them
  std::int64_t step = 0;
  // Atomically.
  void Save(const std::string& path) const;
  // Throws storage::BadContent naming the file where it is no such state, std::invalid_argument where its record
  // differs (states that have none are taken), std::runtime_error where it cannot be read.
  void Load(const std::string& path);
  // Where a training starts: from `state` where that file is, which it goes on from; else with the weights (their average)
  // of `start_from` and a `fresh` optimiser; "" = none. Returns how many tensors `start_from` lacks or has in another
  // shape: these begin at random. Throws as Load.
  int Begin(const std::string& state, const std::string& start_from,
            const std::function<std::unique_ptr<torch::optim::AdamW>()>& fresh);
};

struct StepPlan {
  std::int64_t steps = 0;
  int report_every = 20;  // steps
};
struct StepReport {
  std::int64_t step = 0;       // how many are done
  double seconds = 0;
  std::vector<double> means;   // of what the steps since the last report have told
};
// Goes on from state.step to plan.steps, and saves the state at the end. losses: makes the batch of state.step; what comes
// back are scalars, the first to be minimised, the others told. stop: asked between steps. False where it said so.
// Throws std::runtime_error when a loss is no longer a number.
bool RunSteps(TrainingState& state, const TrainingOptions& options, const StepPlan& plan,
              const std::function<std::vector<torch::Tensor>()>& losses, const std::function<void(const StepReport&)>& report,
              const std::function<bool()>& stop);

// Seconds of a clock that never goes back.
using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point start);

std::unique_ptr<torch::optim::AdamW> MakeOptimiser(const torch::nn::Module& net, const TrainingOptions& options);

// average = keep average + (1 - keep) net; keep rises to .999 with the steps.
void UpdateAverage(const torch::nn::Module& net, torch::nn::Module& average, std::int64_t step);
void CopyWeights(const torch::nn::Module& from, torch::nn::Module& to);

inline constexpr double kWarmUp = 0.1;  // share of the steps
// Rises to `highest` while warming up, then falls to 0 by a cosine.
double RateAt(std::int64_t step, std::int64_t steps, double highest);

// "cpu" or "cuda". Throws std::invalid_argument where there is none.
torch::Device DeviceOf(const std::string& name);

// (x / 255 - .5) / .25 of N x S x S x 3 bytes, as nets take it.
torch::Tensor NormalisedPictures(const torch::Tensor& pictures);

}  // namespace auforge::annotator
