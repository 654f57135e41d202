#include "gan/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "datasets/storage/atomic_file.h"
#include "gan/face_dataset.h"
#include "gan/internal/checkpoint.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Everything that must be the same when a training goes on.
std::string Settings(const TrainOptions& o, const FaceDataset& data) {
  return json{{"image_size", o.network.image_size},
              {"conv_dim", o.network.conv_dim},
              {"generator_blocks", o.network.generator_blocks},
              {"critic_layers", o.network.critic_layers},
              {"aus", data.schema().Names()},
              {"batch", o.batch},
              {"critic_steps", o.critic_steps},
              {"critic_step", o.critic_step == CriticStep::kPublished ? "published" : "summed"},
              {"losses", o.weights.form == LossForm::kPaper ? "paper" : "code"},
              {"published_scaling", o.weights.published_scaling},
              {"lambda_image", o.weights.image},
              {"lambda_au", o.weights.au},
              {"lambda_penalty", o.weights.penalty},
              {"lambda_cycle", o.weights.cycle},
              {"lambda_mask", o.weights.mask},
              {"lambda_smooth", o.weights.smooth},
              {"rate", o.adam.rate},
              {"beta1", o.adam.beta1},
              {"beta2", o.adam.beta2},
              {"precision", o.precision == Precision::kBfloat16 ? "bf16" : "fp32"},
              {"average", o.average},
              {"target_noise", o.target_noise},
              {"flip", o.flip},
              {"seed", o.seed},
              {"data", data.Digest()}}
      .dump();
}

void RequireSameSettings(const std::string& run, const std::string& theirs, const std::string& ours) {
  const json a = json::parse(theirs, nullptr, false), b = json::parse(ours);
  for (const auto& [key, value] : b.items()) {
    const json before = a.is_object() ? a.value(key, json()) : json();
    if (before != value) {
      throw std::invalid_argument(run + ": was trained with " + key + " = " + before.dump() + ", now " + value.dump() +
                                  "; use the same settings, or another run folder");
    }
  }
}

// RUN/metrics.csv. Lines of steps that a resumed training will do again are dropped.
class Metrics {
 public:
  Metrics(const std::string& run, std::int64_t resumed_at) : path_((fs::path(run) / "metrics.csv").string()) {
    if (!fs::exists(path_)) return;
    std::istringstream old(datasets::storage::ReadFile(path_));
    std::string kept, line;
    while (std::getline(old, line)) {
      if (line.starts_with("step,") || std::atoll(line.c_str()) <= resumed_at) kept += line + "\n";
    }
    datasets::storage::WriteFileAtomically(path_, kept);
    has_header_ = !kept.empty();
  }

  void Write(const TrainProgress& p) {
    std::ofstream file(path_, std::ios::app);
    if (!has_header_) {
      file << "step,epoch,rate,attention_mean,attention_low,attention_high";
      for (const char* name : kTerms) file << ',' << name;
      file << '\n';
      has_header_ = true;
    }
    file << p.step << ',' << p.epoch << ',' << p.rate << ',' << p.attention_mean << ',' << p.attention_low << ','
         << p.attention_high;
    for (const char* name : kTerms) {
      const auto found = p.terms.find(name);
      file << ',';
      if (found != p.terms.end()) file << found->second;
    }
    file << '\n';
  }

 private:
  static constexpr const char* kTerms[] = {"d_real", "d_fake", "d_cond", "d_gp", "g_masked_fake", "g_masked_cond",
                                           "g_cyc", "g_mask_1", "g_mask_2", "g_mask_1_smooth", "g_mask_2_smooth"};
  std::string path_;
  bool has_header_ = false;
};

// Means of the loss terms since the last report.
class Averages {
 public:
  void Add(const LossTerms& terms) {
    for (const auto& [name, value] : terms) {
      if (!std::isfinite(value)) {
        throw TrainingDiverged("the loss term " + name + " is not a number; the last checkpoint is whole. Go on from it "
                               "with a lower --rate, or look for broken AUs in the shards with auforge verify");
      }
      auto& [sum, count] = sums_[name];
      sum += value;
      ++count;
    }
  }
  std::map<std::string, double> Take() {
    std::map<std::string, double> means;
    for (const auto& [name, entry] : sums_) means[name] = entry.first / entry.second;
    sums_.clear();
    return means;
  }

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

class Trainer {
 public:
  Trainer(const TrainOptions& options, const std::function<void(const TrainProgress&)>& report,
          const std::function<void(const std::string&)>& warn, const std::function<bool()>& stop)
      : options_(options),
        report_(report),
        warn_(warn),
        stop_(stop),
        data_(options.shards, {options.network.image_size, features::GanSchema(), options.min_quality}),
        loader_(data_, {options.batch, options.seed, options.target_noise, options.flip, options.jobs}) {
    torch::set_num_threads(options.jobs);
    KeepMemory();
    fs::create_directories(options.run);
    options_.network.aus = static_cast<int>(data_.schema().size());
    step_options_ = {options_.network, options_.weights, options_.adam, options_.critic_step};
    for (const std::string& warning : data_.Warnings()) Warn(warning);
    Start();
  }

  TrainSummary Run() {
    Metrics metrics(options_.run, checkpoint_.step);
    const std::int64_t per_epoch = loader_.BatchesPerEpoch();
    std::int64_t last = per_epoch * options_.epochs;
    if (options_.max_steps > 0) last = std::min(last, options_.max_steps);
    TrainSummary summary;
    saved_at_ = Clock::now();
    const std::int64_t first = checkpoint_.step;
    while (checkpoint_.step < last) {
      if (stop_ && stop_()) {
        summary.stopped = true;
        break;
      }
      if (options_.max_minutes > 0 && Since(start_) > 60 * options_.max_minutes) break;
      Step(per_epoch);
      if (Since(reported_at_) > 5 || checkpoint_.step == last) Report(per_epoch, first, last, metrics);
      if (Since(saved_at_) > 60 * options_.save_minutes) Save();
    }
    if (checkpoint_.step != saved_step_) Save();
    summary.finished = checkpoint_.step >= last;
    summary.steps = checkpoint_.step;
    summary.seconds = Since(start_);
    summary.checkpoint = (fs::path(options_.run) / CheckpointName(checkpoint_.step)).string();
    return summary;
  }

 private:
  void Warn(const std::string& text) {
    if (warn_) warn_(text);
  }

  // From the newest whole checkpoint, or afresh.
  void Start() {
    const std::string settings = Settings(options_, data_);
    std::vector<std::string> found = FindCheckpoints(options_.run);
    while (!found.empty()) {
      try {
        checkpoint_ = LoadCheckpoint(found.back(), true);
        RequireSameSettings(options_.run, checkpoint_.settings, settings);
        saved_step_ = checkpoint_.step;
        if (options_.precision == Precision::kBfloat16) UseReducedPrecision(checkpoint_.state);
        return;
      } catch (const std::runtime_error& error) {
        Warn(std::string(error.what()) + "; going on from the one before");
        fs::rename(found.back(), found.back() + ".damaged");
        found.pop_back();
      }
    }
    checkpoint_ = {};
    checkpoint_.network = options_.network;
    checkpoint_.schema = data_.schema();
    checkpoint_.settings = settings;
    checkpoint_.state.generator = InitGenerator(options_.network, 2 * options_.seed);
    checkpoint_.state.discriminator = InitDiscriminator(options_.network, 2 * options_.seed + 1);
    checkpoint_.state.generator_adam = MakeAdamState(checkpoint_.state.generator);
    checkpoint_.state.discriminator_adam = MakeAdamState(checkpoint_.state.discriminator);
    if (options_.average > 0) checkpoint_.state.generator_average = checkpoint_.state.generator.Clone(torch::kFloat);
    if (options_.precision == Precision::kBfloat16) UseReducedPrecision(checkpoint_.state);
  }

  double RateOf(std::int64_t epoch) const {
    if (options_.decay_epochs <= 0) return options_.adam.rate;
    // Constant, then one equal step down an epoch; the last epoch still learns.
    const double left = static_cast<double>(options_.epochs - epoch) / options_.decay_epochs;
    return options_.adam.rate * std::min(1.0, left);
  }

  Batch ToTensors(const HostBatch& host) const {
    const std::int64_t n = host.size, s = options_.network.image_size, a = options_.network.aus;
    const auto tensor = [](const std::vector<float>& values, std::vector<std::int64_t> shape) {
      return torch::tensor(values).view(shape);
    };
    return {tensor(host.image, {n, 3, s, s}), tensor(host.aus, {n, a}), tensor(host.target, {n, a}),
            tensor(host.alpha, {n, 1, 1, 1})};
  }

  void Step(std::int64_t per_epoch) {
    const std::int64_t epoch = checkpoint_.step / per_epoch;
    step_options_.adam.rate = RateOf(epoch);
    const Batch batch = ToTensors(loader_.Get(epoch, checkpoint_.step % per_epoch));
    averages_.Add(UpdateCritic(checkpoint_.state, step_options_, batch));
    if ((checkpoint_.step + 1) % options_.critic_steps == 0) {
      const GeneratorUpdate update = UpdateGenerator(checkpoint_.state, step_options_, batch);
      averages_.Add(update.terms);
      if (options_.average > 0) UpdateAverage(checkpoint_.state, options_.average);
      attention_ = {update.attention.mean().item<double>(), update.attention.min().item<double>(),
                    update.attention.max().item<double>()};
    }
    ++checkpoint_.step;
  }

  void Report(std::int64_t per_epoch, std::int64_t first, std::int64_t last, Metrics& metrics) {
    reported_at_ = Clock::now();
    TrainProgress progress;
    progress.step = checkpoint_.step;
    // What is left is told from this session's rate.
    progress.steps_expected = last;
    const double elapsed = Since(start_);
    if (options_.max_minutes > 0 && elapsed > 0) {
      const double steps_a_second = static_cast<double>(checkpoint_.step - first) / elapsed;
      const double more = steps_a_second * std::max(0.0, 60 * options_.max_minutes - elapsed);
      progress.steps_expected = std::min(last, checkpoint_.step + static_cast<std::int64_t>(more));
    }
    progress.epoch = static_cast<int>((checkpoint_.step - 1) / per_epoch) + 1;
    progress.rate = step_options_.adam.rate;
    progress.seconds = Since(start_) * static_cast<double>(checkpoint_.step) /
                       static_cast<double>(std::max<std::int64_t>(1, checkpoint_.step - first));
    progress.terms = averages_.Take();
    progress.attention_mean = attention_[0];
    progress.attention_low = attention_[1];
    progress.attention_high = attention_[2];
    metrics.Write(progress);
    WatchAttention();
    if (report_) report_(progress);
  }

  void WatchAttention() {
    if (checkpoint_.step < 20 * options_.critic_steps || warned_) return;
    if (attention_[1] > 0.98) {
      Warn("the attention is 1 everywhere: the generator changes nothing. Train longer, lower --lambda-au, or raise --lambda-mask");
      warned_ = true;
    } else if (attention_[2] < 0.02) {
      Warn("the attention is 0 everywhere: the generator repaints the whole picture. Lower --lambda-mask");
      warned_ = true;
    }
  }

  void Save() {
    const std::string path = (fs::path(options_.run) / CheckpointName(checkpoint_.step)).string();
    SaveCheckpoint(checkpoint_, path);
    saved_at_ = Clock::now();
    saved_step_ = checkpoint_.step;
    std::vector<std::string> all = FindCheckpoints(options_.run);
    for (std::size_t i = 0; i + static_cast<std::size_t>(options_.keep) < all.size(); ++i) fs::remove(all[i]);
  }

  TrainOptions options_;
  const std::function<void(const TrainProgress&)>& report_;
  const std::function<void(const std::string&)>& warn_;
  const std::function<bool()>& stop_;
  FaceDataset data_;
  BatchLoader loader_;
  StepOptions step_options_;
  Checkpoint checkpoint_;
  Averages averages_;
  std::array<double, 3> attention_{1, 0, 1};
  bool warned_ = false;
  std::int64_t saved_step_ = -1;
  Clock::time_point start_ = Clock::now(), reported_at_ = Clock::now(), saved_at_;
};

}  // namespace

void TrainOptions::Validate() const {
  const auto check = [](bool good, const char* field, double value, const char* constraint) {
    if (!good) throw std::invalid_argument(std::string("gan.") + field + " = " + std::to_string(value) + "; must be " + constraint);
  };
  network.Validate();
  if (shards.empty()) throw std::invalid_argument("gan train: name the folder of shards to learn from");
  if (run.empty()) throw std::invalid_argument("gan train: name the run's folder with -o");
  check(batch >= 1, "batch", batch, ">= 1");
  check(epochs >= 1, "epochs", epochs, ">= 1");
  check(decay_epochs >= 0, "decay_epochs", decay_epochs, ">= 0");
  check(average >= 0 && average < 1, "average", average, "0..1, less than 1");
  check(critic_steps >= 1, "critic_steps", critic_steps, ">= 1");
  check(target_noise >= 0 && target_noise <= 1, "target_noise", target_noise, "0..1");
  check(jobs >= 1, "jobs", jobs, ">= 1");
  check(save_minutes > 0, "save_minutes", save_minutes, "> 0");
  check(keep >= 1, "keep", keep, ">= 1");
  check(adam.rate > 0, "rate", adam.rate, "> 0");
}

TrainSummary Train(const TrainOptions& options, const std::function<void(const TrainProgress&)>& report,
                   const std::function<void(const std::string&)>& warn, const std::function<bool()>& stop_requested) {
  options.Validate();
  return Trainer(options, report, warn, stop_requested).Run();
}

}  // namespace auforge::gan
