#include "annotator/net_training/internal/training_loop.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numbers>
#include <stdexcept>

#include "datasets/storage/paths.h"

namespace auforge::annotator {
namespace {

constexpr double kAverageDecay = 0.999;  // of the weights over steps

}  // namespace

std::mt19937_64 Stream(std::uint64_t seed, std::uint64_t step, std::uint64_t index) {
  std::seed_seq sequence{seed, seed >> 32, step, index};
  return std::mt19937_64(sequence);
}

Reduced::Reduced(bool on, bool cuda) : on_(on), cuda_(cuda) { Set(on_); }

Reduced::~Reduced() {
  Set(false);
  at::autocast::clear_cache();
}

void Reduced::Set(bool on) const {
  if (cuda_) {
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
}

void UpdateAverage(const torch::nn::Module& net, torch::nn::Module& average, std::int64_t step) {
  const torch::NoGradGuard no_grad;
  const double keep = std::min(kAverageDecay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
  const auto blend = [keep](const torch::OrderedDict<std::string, torch::Tensor>& from,
                            torch::OrderedDict<std::string, torch::Tensor> to) {
    for (const auto& entry : from) {
      torch::Tensor& target = to[entry.key()];
      if (target.is_floating_point()) {
        target.mul_(keep).add_(entry.value(), 1 - keep);
      } else {
        target.copy_(entry.value());
      }
    }
  };
  blend(net.named_parameters(), average.named_parameters());
  blend(net.named_buffers(), average.named_buffers());
}

void CopyWeights(const torch::nn::Module& from, torch::nn::Module& to) {
  const torch::NoGradGuard no_grad;
  for (const auto& entry : from.named_parameters()) to.named_parameters()[entry.key()].copy_(entry.value());
  for (const auto& entry : from.named_buffers()) to.named_buffers()[entry.key()].copy_(entry.value());
}

void TrainingState::Save(const std::string& path) const {
  torch::serialize::OutputArchive archive, net_part, average_part, optimiser_part;
  net->save(net_part);
  average->save(average_part);
  optimiser->save(optimiser_part);
  archive.write("net", net_part);
  archive.write("average", average_part);
  archive.write("optimiser", optimiser_part);
  archive.write("step", torch::tensor(step));
  archive.save_to(path + ".tmp");
  if (std::rename((path + ".tmp").c_str(), path.c_str()) != 0)
    throw std::runtime_error(path + ": cannot be written: " + std::strerror(errno));
}

void TrainingState::Load(const std::string& path) {
  try {
    torch::serialize::InputArchive archive, net_part, average_part, optimiser_part;
    archive.load_from(path);
    archive.read("net", net_part);
    archive.read("average", average_part);
    archive.read("optimiser", optimiser_part);
    net->load(net_part);
    average->load(average_part);
    optimiser->load(optimiser_part);
    torch::Tensor steps;
    archive.read("step", steps);
    step = steps.item<std::int64_t>();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    throw std::runtime_error(path + ": is not the state of such a training (" + text.substr(0, text.find('\n')) +
                             "); remove it to begin anew");
  }
}

namespace {

// Weights that the file has under the same name and in the same shape; returns how many tensors of `module` it has not.
int LoadMatching(torch::serialize::InputArchive& archive, torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  int missing = 0;
  const auto take = [&](const std::string& name, torch::Tensor& into, bool is_buffer) {
    torch::Tensor from;
    if (archive.try_read(name, from, is_buffer) && from.sizes() == into.sizes()) {
      into.copy_(from);
    } else {
      ++missing;
    }
  };
  for (auto& entry : module.named_parameters(/*recurse=*/false)) take(entry.key(), entry.value(), false);
  for (auto& entry : module.named_buffers(/*recurse=*/false)) take(entry.key(), entry.value(), true);
  for (const auto& child : module.named_children()) {
    torch::serialize::InputArchive part;
    if (archive.try_read(child.key(), part)) {
      missing += LoadMatching(part, *child.value());
    } else {
      missing += static_cast<int>(child.value()->parameters().size() + child.value()->buffers().size());
    }
  }
  return missing;
}

}  // namespace

int TrainingState::Begin(const std::string& state, const std::string& start_from,
                          const std::function<std::unique_ptr<torch::optim::AdamW>()>& fresh) {
  if (!state.empty() && datasets::storage::IsThere(state)) {
    Load(state);
  } else if (!start_from.empty()) {
    const auto refuse = [&](const std::string& why) {
      throw std::runtime_error(start_from + ": is not the state of such a training (" + why + ")");
    };
    const auto all = static_cast<int>(average->parameters().size() + average->buffers().size());
    int missing = all;
    try {
      torch::serialize::InputArchive archive, part;
      archive.load_from(start_from);
      archive.read("average", part);
      missing = LoadMatching(part, *average);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      refuse(text.substr(0, text.find('\n')));
    }
    if (2 * missing > all) refuse("most of its weights are of another net");
    CopyWeights(*average, *net);
    step = 0;
    optimiser = fresh();
    return missing;
  }
  return 0;
}

double RateAt(std::int64_t step, std::int64_t steps, double highest) {
  const double at = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
  if (at < kWarmUp) return highest * (0.05 + 0.95 * at / kWarmUp);
  return highest * 0.5 * (1 + std::cos(std::numbers::pi * (at - kWarmUp) / (1 - kWarmUp)));
}

torch::Device DeviceOf(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  if (!torch::cuda::is_available())
    throw std::invalid_argument("device = cuda; this LibTorch finds no CUDA device, use cpu");
  return torch::kCUDA;
}

torch::Tensor NormalisedPictures(const torch::Tensor& pictures) {
  return ((pictures.permute({0, 3, 1, 2}).to(torch::kFloat) / 255 - 0.5) / 0.25).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace auforge::annotator
