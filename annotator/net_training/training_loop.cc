#include "annotator/net_training/internal/training_loop.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <sstream>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/memory_fault.h"
#include "datasets/storage/paths.h"

namespace auforge::annotator {
namespace {

namespace storage = datasets::storage;

constexpr double kAverageDecay = 0.999;  // of the weights over steps
constexpr char kRecord[] = "record";

class Checksum {
 public:
  void Take(const void* bytes, std::size_t size) {
    crc_ = storage::Crc32c({static_cast<const std::uint8_t*>(bytes), size}, crc_);
  }
  void Take(const cv::Mat& picture) {
    const int size[] = {picture.cols, picture.rows};
    Take(size, sizeof(size));
    for (int y = 0; y < picture.rows; ++y) Take(picture.ptr(y), static_cast<std::size_t>(picture.cols) * picture.elemSize());
  }
  std::string Of(std::size_t count) const {
    char text[64];
    std::snprintf(text, sizeof(text), "%zu (%08x)", count, crc_);
    return text;
  }

 private:
  std::uint32_t crc_ = 0;
};

std::string FirstLine(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

// The text of a state that says nothing but that it is none.
storage::BadContent NoState(const std::string& path, const std::exception& error, const std::string& remedy) {
  return storage::BadContent(path + ": is not the state of such a training (" + FirstLine(error) + "); " + remedy);
}

void RequireSameRecord(const std::string& path, const nlohmann::json& theirs, const nlohmann::json& ours) {
  for (const auto& [name, value] : ours.items()) {
    const nlohmann::json other = theirs.value(name, nlohmann::json());
    if (other == value) continue;
    throw std::invalid_argument(path + ": is of a training with " + name + " = " + other.dump() + ", this one has " + value.dump() +
                                "; go on with the same options and data, name another output, or remove it to begin anew");
  }
}

}  // namespace

std::string Fingerprint(const CropSet& set) {
  Checksum sum;
  for (const TrainingCrop& crop : set.crops) sum.Take(crop.picture);
  for (const std::vector<float>* values : {&set.intensity, &set.left, &set.right}) sum.Take(values->data(), values->size() * sizeof(float));
  return sum.Of(set.size());
}

std::string Fingerprint(const std::vector<PointFace>& faces) {
  Checksum sum;
  for (const PointFace& face : faces) {
    sum.Take(face.picture);
    for (std::size_t i = 0; i < face.points.size(); ++i) {
      const float point[] = {face.known[i] ? face.points[i].x : 0, face.known[i] ? face.points[i].y : 0, static_cast<float>(face.seen[i])};
      sum.Take(point, sizeof(point));
    }
    if (face.dense == features::DensePoints{}) continue;
    sum.Take(face.dense.data(), sizeof(face.dense));
    sum.Take(face.dense_seen.data(), sizeof(face.dense_seen));
  }
  return sum.Of(faces.size());
}

std::string Fingerprint(const std::vector<cv::Mat>& pictures) {
  Checksum sum;
  for (const cv::Mat& picture : pictures) sum.Take(picture);
  return sum.Of(pictures.size());
}

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
  archive.write(kRecord, torch::IValue(record.dump()));
  std::ostringstream bytes;
  archive.save_to(bytes);
  storage::WriteFileAtomically(path, bytes.view());
}

void TrainingState::Load(const std::string& path) {
  std::istringstream bytes(storage::ReadFile(path));
  const auto read = [&path](const auto& work) {
    try {
      work();
    } catch (const std::exception& error) {
      if (storage::IsOutOfMemory(error)) throw;
      throw NoState(path, error, "remove it to begin anew");
    }
  };
  torch::serialize::InputArchive archive;
  nlohmann::json theirs;
  read([&] {
    archive.load_from(bytes);
    torch::IValue text;
    if (archive.try_read(kRecord, text)) theirs = nlohmann::json::parse(text.toStringRef());
  });
  // Before the weights: those of a net of other sizes do not go in.
  if (theirs.is_object()) RequireSameRecord(path, theirs, record);
  read([&] {
    torch::serialize::InputArchive net_part, average_part, optimiser_part;
    archive.read("net", net_part);
    archive.read("average", average_part);
    archive.read("optimiser", optimiser_part);
    net->load(net_part);
    average->load(average_part);
    optimiser->load(optimiser_part);
    torch::Tensor steps;
    archive.read("step", steps);
    step = steps.item<std::int64_t>();
  });
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
  if (!state.empty() && storage::IsThere(state)) {
    Load(state);
  } else if (!start_from.empty()) {
    const std::string remedy = "name the FILE.state of another training with the same sizes of the net (train-net also takes a net or an AU model)";
    std::istringstream bytes(storage::ReadFile(start_from));
    const auto all = static_cast<int>(average->parameters().size() + average->buffers().size());
    int missing = all;
    try {
      torch::serialize::InputArchive archive, part;
      archive.load_from(bytes);
      archive.read("average", part);
      missing = LoadMatching(part, *average);
    } catch (const std::exception& error) {
      if (storage::IsOutOfMemory(error)) throw;
      throw NoState(start_from, error, remedy);
    }
    if (2 * missing > all) throw NoState(start_from, std::runtime_error("most of its weights are of another net"), remedy);
    CopyWeights(*average, *net);
    step = 0;
    optimiser = fresh();
    return missing;
  }
  return 0;
}

void TrainingOptions::ValidateTraining(const std::string& of) const {
  const auto require = [&of](bool condition, const std::string& text) {
    if (!condition) throw std::invalid_argument(of + "." + text);
  };
  require(rate > 0 && rate < 1, MustBe("rate", rate, "> 0, < 1"));
  require(decay >= 0 && decay < 10, MustBe("decay", decay, ">= 0"));
  require(jobs >= 1 && jobs <= 1024, MustBe("jobs", jobs, "1..1024"));
  require(device == "cpu" || device == "cuda", "device = " + device + "; must be cpu or cuda");
}

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::unique_ptr<torch::optim::AdamW> MakeOptimiser(const torch::nn::Module& net, const TrainingOptions& options) {
  return std::make_unique<torch::optim::AdamW>(net.parameters(), torch::optim::AdamWOptions(options.rate).weight_decay(options.decay));
}

bool RunSteps(TrainingState& state, const TrainingOptions& options, const StepPlan& plan,
              const std::function<std::vector<torch::Tensor>()>& losses, const std::function<void(const StepReport&)>& report,
              const std::function<bool()>& stop) {
  const auto start = Clock::now();
  auto saved = start;
  std::vector<double> sums;
  int count = 0;
  bool finished = true;
  while (state.step < plan.steps) {
    if (stop && stop()) {
      finished = false;
      break;
    }
    std::vector<torch::Tensor> told = losses();
    for (auto& group : state.optimiser->param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(RateAt(state.step, plan.steps, options.rate));
    state.optimiser->zero_grad();
    told.front().backward();
    state.optimiser->step();
    UpdateAverage(*state.net, *state.average, state.step);
    ++state.step;
    sums.resize(told.size());
    for (std::size_t i = 0; i < told.size(); ++i) sums[i] += told[i].item<double>();
    if (++count == plan.report_every || state.step == plan.steps) {
      StepReport now{state.step, SecondsSince(start), {}};
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if (!std::isfinite(sums[i])) throw std::runtime_error("the loss is no longer a number; lower the rate");
        if (i > 0) now.means.push_back(sums[i] / count);
      }
      if (report) report(now);
      sums.assign(sums.size(), 0.0);
      count = 0;
    }
    if (!options.state.empty() && SecondsSince(saved) > 60 * options.save_minutes) {
      state.Save(options.state);
      saved = Clock::now();
    }
  }
  if (!options.state.empty()) state.Save(options.state);
  return finished;
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
