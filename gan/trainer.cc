#include "gan/trainer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"
#include "datasets/storage/temporary_files.h"
#include "gan/face_dataset.h"
#include "gan/internal/checkpoint.h"
#include "gan/internal/communicator.h"
#include "gan/internal/deferred_terms.h"
#include "gan/internal/editing.h"
#include "gan/internal/face_store.h"
#include "gan/internal/run_log.h"
#include "gan/internal/torch_api.h"
#include "gan/internal/weights.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool UsesPairs(const TrainOptions& o) { return !o.pairs.empty() && o.weights.paired > 0; }

FaceDataset OpenFaces(const TrainOptions& o) {
  FaceDatasetOptions options{o.network.image_size, o.schema, o.min_quality, {}, o.unsure_label};
  std::vector<std::string> faces = o.shards;
  if (UsesPairs(o)) {
    options.pairs = o.pairs;
  } else {
    faces.insert(faces.end(), o.pairs.begin(), o.pairs.end());
  }
  return FaceDataset(faces, options);
}

// Of a batch; of every process the same number.
int UnpairedFaces(const TrainOptions& o) {
  if (!UsesPairs(o) || o.shards.empty()) return 0;
  return static_cast<int>(std::lround(o.photo_share * o.batch / o.processes.size)) * o.processes.size;
}

bool KeepsFaces(const TrainOptions& o, const FaceDataset& data, torch::Device device) {
  if (o.data_on_device == "no") return false;
  const std::size_t needed = FaceStore::BytesOf(data);
  const std::optional<std::size_t> free = FreeMemory(device);
  if (o.data_on_device == "auto") return free && needed < *free / 2;
  if (free && needed > *free) {
    throw std::invalid_argument("gan train: --data-on-device yes: the faces take " + std::to_string(needed >> 20) +
                                " MB, and " + o.device + " has " + std::to_string(*free >> 20) +
                                " MB free; leave the option out, and they are decoded for every batch");
  }
  return true;
}

const char* NameOf(Precision precision) {
  switch (precision) {
    case Precision::kTf32: return "tf32";
    case Precision::kBfloat16: return "bf16";
    default: return "fp32";
  }
}

void Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw std::runtime_error(to + ": cannot be written: " + std::strerror(errno));
}

// Everything that must be the same when a training goes on.
std::string Settings(const TrainOptions& o, const FaceDataset& data) {
  json settings{{"image_size", o.network.image_size},
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
              {"precision", NameOf(o.precision)},
              {"average", o.average},
              {"target_noise", o.target_noise},
              {"flip", o.flip},
              {"seed", o.seed},
              {"data", data.Digest()}};
  if (o.colour_cast != 0) settings["colour_cast"] = o.colour_cast;
  if (o.unsure_label != 1) settings["unsure_label"] = o.unsure_label;
  if (o.network.flow) settings["flow"] = true;
  if (UsesPairs(o)) {
    settings.update({{"lambda_paired", o.weights.paired},
                     {"lambda_feature", o.weights.feature},
                     {"lambda_attention", o.weights.attention},
                     {"photo_share", o.photo_share},
                     {"paired_only_steps", o.paired_only_steps}});
    if (o.weights.focus != 0) settings["lambda_focus"] = o.weights.focus;
    if (o.network.flow) settings.update({{"lambda_flow", o.weights.flow}, {"lambda_flow_smooth", o.weights.flow_smooth}});
  }
  return settings.dump();
}

void RequireSameSettings(const std::string& run, const std::string& theirs, const std::string& ours) {
  const json a = json::parse(theirs, nullptr, false), b = json::parse(ours);
  // Imported weights bring their networks (LoadCheckpoint has them) and no other settings.
  if (a.is_object() && a.contains("imported")) return;
  const auto of = [](const json& settings, const std::string& key) { return settings.is_object() ? settings.value(key, json()) : json(); };
  for (const json* either : {&b, &a}) {  // settings at their defaults are not written down
    for (const auto& entry : either->items()) {
      const json before = of(a, entry.key()), now = of(b, entry.key());
      if (before == now) continue;
      throw std::invalid_argument(run + ": was trained with " + entry.key() + " = " + before.dump() + ", now " + now.dump() +
                                  "; use the same settings, or another run folder");
    }
  }
}

// The published scaling depends on the batch of all processes; what a process computes is a mean over its
// part.
LossWeights ForParts(LossWeights w, int batch) {
  if (!w.published_scaling) return w;
  w.au *= 25.0 / batch;
  w.smooth *= batch / 25.0;
  w.published_scaling = false;
  return w;
}

class Trainer {
 public:
  Trainer(const TrainOptions& options, const std::function<void(const TrainProgress&)>& report,
          const std::function<void(const std::string&)>& warn, const std::function<bool()>& stop)
      : options_(options),
        report_(report),
        warn_(warn),
        stop_(stop),
        device_(FindDevice(options.device, options.processes.local_rank)),
        data_(OpenFaces(options)),
        keeps_faces_(KeepsFaces(options, data_, device_)),
        loader_(data_, {.batch = options.batch,
                        .part = options.processes.rank,
                        .parts = options.processes.size,
                        .seed = options.seed,
                        .target_noise = options.target_noise,
                        .flip = options.flip,
                        .colour_cast = options.colour_cast,
                        .jobs = options.jobs,
                        .pixels = !keeps_faces_,
                        .unpaired = UnpairedFaces(options),
                        .paired_only = options.paired_only_steps}) {
    torch::set_num_threads(options.jobs);
    KeepMemory();
    UsePrecision(options.precision, device_);
    if (keeps_faces_) store_ = std::make_unique<FaceStore>(data_, device_);
    datasets::storage::MakeFolder(options.run);
    peers_ = MakeCommunicator(options.processes, options.run, device_);
    options_.network.aus = static_cast<int>(data_.schema().size());
    const LossWeights weights = ForParts(options_.weights, options_.batch);
    step_options_ = {options_.network, weights, options_.adam, options_.critic_step};
    for (const std::string& warning : data_.Warnings()) Warn(warning);
    // The first process may set a damaged checkpoint aside; the others then find what it found.
    if (IsFirst()) Start();
    peers_->Barrier();
    if (!IsFirst()) Start();
    if (!options.lineage.empty()) checkpoint_.lineage = options.lineage;
  }

  TrainSummary Run() {
    if (IsFirst()) log_ = std::make_unique<RunLog>(options_.run, checkpoint_.step, UsesPairs(options_), options_.network.flow);
    const std::int64_t per_epoch = loader_.BatchesPerEpoch();
    std::int64_t last = per_epoch * options_.epochs;
    if (options_.max_steps > 0) last = std::min(last, options_.max_steps);
    TrainSummary summary;
    saved_at_ = Clock::now();
    first_ = checkpoint_.step;
    while (checkpoint_.step < last && !stopping_) {
      const bool asked = stop_ && stop_();
      summary.stopped = summary.stopped || asked;
      const bool late = options_.max_minutes > 0 && Since(start_) > 60 * options_.max_minutes;
      // Several processes agree with the next gradients, and all take that step.
      wants_stop_ = asked || late;
      if (wants_stop_ && peers_->size() == 1) break;
      Step(per_epoch);
      if (!IsFirst()) continue;
      if (Since(reported_at_) > 5 || checkpoint_.step == last) Report(per_epoch, last);
      if (Since(saved_at_) > 60 * options_.save_minutes) Save();
    }
    if (IsFirst() && checkpoint_.step != saved_step_) Save();
    peers_->Barrier();
    summary.finished = checkpoint_.step >= last;
    summary.steps = checkpoint_.step;
    summary.seconds = Since(start_);
    summary.checkpoint = (fs::path(options_.run) / CheckpointName(checkpoint_.step)).string();
    return summary;
  }

 private:
  bool IsFirst() const { return options_.processes.rank == 0; }

  void Warn(const std::string& text) {
    if (warn_ && IsFirst()) warn_(text);
  }

  // From the newest whole checkpoint, or afresh.
  void Start() {
    const std::string settings = Settings(options_, data_);
    std::vector<std::string> found = FindCheckpoints(options_.run);
    while (!found.empty()) {
      try {
        checkpoint_ = LoadCheckpoint(found.back(), true);
        RequireSameSettings(options_.run, checkpoint_.settings, settings);
        RequireSameNetwork(options_.run, checkpoint_, true, false);
        checkpoint_.settings = settings;
        saved_step_ = checkpoint_.step;
        Place();
        return;
      } catch (const datasets::storage::BadContent& error) {
        if (!IsFirst()) throw;
        Warn(std::string(error.what()) + "; going on from the one before");
        Rename(found.back(), found.back() + ".damaged");
        found.pop_back();
      }
    }
    checkpoint_ = {};
    checkpoint_.network = options_.network;
    checkpoint_.schema = data_.schema();
    checkpoint_.settings = settings;
    checkpoint_.state.generator = InitGenerator(options_.network, 2 * options_.seed);
    checkpoint_.state.discriminator = InitDiscriminator(options_.network, 2 * options_.seed + 1);
    if (!options_.start_from.empty()) TakeWeights();
    checkpoint_.state.generator_adam = MakeAdamState(checkpoint_.state.generator);
    checkpoint_.state.discriminator_adam = MakeAdamState(checkpoint_.state.discriminator);
    Place();
  }

  // A new training from another's weights.
  void TakeWeights() {
    const Checkpoint theirs = ReadWeights(
        options_.start_from, {.image_size = options_.network.image_size, .schema = data_.schema()});
    const bool has_critic = !theirs.state.discriminator.entries().empty();
    RequireSameNetwork(options_.start_from, theirs, has_critic, true);
    const Parameters own = checkpoint_.state.generator;
    checkpoint_.state.generator = theirs.state.generator;
    // A flow may come to a generator that has none: all else answers as before.
    for (std::size_t i = theirs.state.generator.entries().size(); i < own.entries().size(); ++i)
      checkpoint_.state.generator.Add(own.entries()[i].first, own.entries()[i].second);
    if (has_critic) {
      checkpoint_.state.discriminator = theirs.state.discriminator;
    } else {
      Warn(options_.start_from + ": has no critic; a new one starts at random");
    }
  }

  // of: whose networks they are. Without a critic the picture's size is free.
  void RequireSameNetwork(const std::string& of, const Checkpoint& theirs, bool has_critic, bool may_gain_flow) const {
    const NetworkOptions &a = theirs.network, &b = options_.network;
    const bool critic = a.image_size == b.image_size && a.critic_layers == b.critic_layers;
    if (a.conv_dim == b.conv_dim && a.generator_blocks == b.generator_blocks && (critic || !has_critic) &&
        (a.flow == b.flow || (may_gain_flow && b.flow)) &&
        theirs.schema.Names() == data_.schema().Names()) {
      return;
    }
    std::string text = of + ": its networks are of --image-size " + std::to_string(a.image_size) +
                       " --conv-dim " + std::to_string(a.conv_dim) + " --blocks " +
                       std::to_string(a.generator_blocks) + " --critic-layers " +
                       std::to_string(a.critic_layers) + (a.flow ? " --flow" : "") + " --aus ";
    for (const std::string& name : theirs.schema.Names()) text += name + ",";
    text.back() = ';';
    throw std::invalid_argument(text + " give those, or begin a run without it");
  }

  // To the device and the type that steps compute in.
  void Place() {
    if (options_.average > 0 && checkpoint_.state.generator_average.entries().empty()) {
      checkpoint_.state.generator_average = checkpoint_.state.generator.Clone(torch::kFloat);
    }
    MoveTo(checkpoint_.state, device_);
    if (options_.precision == Precision::kBfloat16) {
      UseReducedPrecision(checkpoint_.state);
    } else if (WantsChannelsLast(options_.precision, device_)) {
      UseChannelsLast(checkpoint_.state);
    } else {
      UseMatrixLayout(checkpoint_.state, checkpoint_.network);
    }
  }

  double RateOf(std::int64_t epoch) const {
    if (options_.decay_epochs <= 0) return options_.adam.rate;
    // Constant, then one equal step down an epoch; the last epoch still learns.
    const double left = static_cast<double>(options_.epochs - epoch) / options_.decay_epochs;
    return options_.adam.rate * std::min(1.0, left);
  }

  Batch ToTensors(const HostBatch& host) const {
    const std::int64_t n = host.size, s = options_.network.image_size, a = options_.network.aus;
    const auto tensor = [this](const std::vector<float>& values, std::vector<std::int64_t> shape) {
      return ToDevice(torch::tensor(values).view(shape), device_);
    };
    torch::Tensor image, answer;
    if (store_) {
      const torch::Tensor all = store_->Gather(host.faces, host.flips);
      image = all.narrow(0, 0, n);
      answer = all.narrow(0, n, host.paired);
    } else {
      image = tensor(host.image, {n, 3, s, s});
      if (host.paired > 0) answer = tensor(host.answer, {host.paired, 3, s, s});
    }
    if (!host.casts.empty()) {
      const torch::Tensor casts = tensor(host.casts, {n + host.paired, 3, 1, 1});
      const auto tinted = [](const torch::Tensor& faces, const torch::Tensor& by) { return ((faces + 1) * by - 1).clamp_max(1); };
      image = tinted(image, casts.narrow(0, 0, n));
      if (host.paired > 0) answer = tinted(answer, casts.narrow(0, n, host.paired));
    }
    Batch batch{image, tensor(host.aus, {n, a}), tensor(host.target, {n, a}), tensor(host.alpha, {n, 1, 1, 1})};
    batch.paired = host.paired;
    if (host.paired > 0) batch.answer = answer;
    if (!host.certainty.empty()) batch.certainty = tensor(host.certainty, {n, a});
    return batch;
  }

  void Step(std::int64_t per_epoch) {
    const std::int64_t epoch = checkpoint_.step / per_epoch;
    step_options_.adam.rate = RateOf(epoch);
    const Clock::time_point before = Clock::now();
    const HostBatch host = loader_.Get(epoch, checkpoint_.step % per_epoch);
    waited_ += Since(before);
    const Batch batch = ToTensors(host);
    Reduce reduce;
    if (peers_->size() > 1) {
      reduce = [this](std::vector<torch::Tensor>& gradients) {
        std::vector<double> flags{wants_stop_ ? 1.0 : 0.0};
        peers_->MeanGradients(gradients, flags);
        stopping_ = stopping_ || flags[0] > 0;
      };
    }
    if (UsesPairs(options_) && checkpoint_.step < options_.paired_only_steps) {
      Learned(UpdateGeneratorByAnswers(checkpoint_.state, step_options_, batch, reduce));
    } else {
      deferred_.Add(UpdateCritic(checkpoint_.state, step_options_, batch, reduce));
      if ((checkpoint_.step + 1) % options_.critic_steps == 0)
        Learned(UpdateGenerator(checkpoint_.state, step_options_, batch, reduce));
    }
    ++checkpoint_.step;
    // On a GPU later: it computes on while the next steps are being told.
    constexpr std::size_t kMostUnread = 256;
    if (device_.is_cpu() || deferred_.size() >= kMostUnread) ReadFigures();
  }

  // After an update of the generator.
  void Learned(const GeneratorUpdate& update) {
    deferred_.Add(update.terms);
    if (options_.average > 0) UpdateAverage(checkpoint_.state, options_.average);
    const torch::Tensor& a = update.attention;
    unread_attention_ = torch::stack({a.mean(), a.min(), a.max()});
  }

  // Of the steps since the last call. Throws TrainingDiverged; no checkpoint is saved, then.
  void ReadFigures() {
    for (const auto& terms : deferred_.Read()) {
      averages_.Add(terms);
      double score = 0;
      bool of_generator = false;
      for (const char* name : {"g_masked_cond", "g_cyc", "g_pair_l1"}) {
        if (const auto term = terms.find(name); term != terms.end()) {
          score += term->second;
          of_generator = true;
        }
      }
      if (!of_generator) continue;
      score_ += score;
      ++scored_;
    }
    if (!unread_attention_.defined()) return;
    const torch::Tensor read = unread_attention_.to(torch::kCPU, torch::kFloat64);
    attention_ = {read[0].item<double>(), read[1].item<double>(), read[2].item<double>()};
    unread_attention_.reset();
  }

  void Report(std::int64_t per_epoch, std::int64_t last) {
    ReadFigures();
    TrainProgress progress;
    progress.step = checkpoint_.step;
    // What is left is told from this session's rate.
    progress.steps_expected = last;
    const double elapsed = Since(start_);
    const auto done = static_cast<double>(checkpoint_.step - first_);
    if (options_.max_minutes > 0 && elapsed > 0) {
      const double more = done / elapsed * std::max(0.0, 60 * options_.max_minutes - elapsed);
      progress.steps_expected = std::min(last, checkpoint_.step + static_cast<std::int64_t>(more));
    }
    progress.epoch = static_cast<int>((checkpoint_.step - 1) / per_epoch) + 1;
    progress.rate = step_options_.adam.rate;
    progress.seconds = elapsed * static_cast<double>(checkpoint_.step) / std::max(1.0, done);
    progress.terms = averages_.Take();
    progress.attention_mean = attention_[0];
    progress.attention_low = attention_[1];
    progress.attention_high = attention_[2];
    progress.data_wait = waited_ / std::max(1e-9, Since(reported_at_));
    waited_ = 0;
    reported_at_ = Clock::now();
    WriteLog(progress);
    WatchAttention();
    if (report_) report_(progress);
  }

  // A disk that is full for the figures is no reason to lose the training; it will be told once.
  void WriteLog(const TrainProgress& progress) {
    try {
      log_->Write(progress);
    } catch (const std::runtime_error& error) {
      if (!log_failed_) Warn(error.what());
      log_failed_ = true;
    }
  }

  void WatchAttention() {
    if (checkpoint_.step < 20 * options_.critic_steps || warned_) return;
    if (attention_[1] > 0.98) {
      Warn(
          "the attention is 1 everywhere: the generator changes nothing. Train longer, lower --lambda-au, or "
          "raise --lambda-mask");
      warned_ = true;
    } else if (attention_[2] < 0.02) {
      Warn("the attention is 0 everywhere: the generator repaints the whole picture. Lower --lambda-mask");
      warned_ = true;
    }
  }

  void Save() {
    ReadFigures();
    const std::string path = (fs::path(options_.run) / CheckpointName(checkpoint_.step)).string();
    const double score = scored_ > 0 ? score_ / static_cast<double>(scored_) : checkpoint_.best_score;
    const bool best = score < checkpoint_.best_score;
    if (best) checkpoint_.best_score = score;
    RequireOwnRun();
    try {
      SaveCheckpoint(checkpoint_, path);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(std::string(error.what()) +
                               "; the checkpoints before it are whole. Make room, and run the "
                               "same command again to go on from the last one");
    }
    if (best) KeepAsBest(path);
    score_ = 0;
    scored_ = 0;
    saved_at_ = Clock::now();
    saved_step_ = checkpoint_.step;
    DrawSamples();
    std::vector<std::string> all = FindCheckpoints(options_.run);
    for (std::size_t i = 0; i + static_cast<std::size_t>(options_.keep) < all.size(); ++i) {
      std::error_code error;
      fs::remove(all[i], error);
      if (error) Warn(all[i] + ": cannot be removed: " + error.message());
    }
  }

  // Two trainings that were given the same new folder: the second to save says so. An orphan of this training makes the
  // same checkpoints, which does no harm.
  void RequireOwnRun() const {
    for (const std::string& found : FindCheckpoints(options_.run)) {
      if (found <= (fs::path(options_.run) / CheckpointName(saved_step_)).string()) continue;
      std::string settings;
      try {
        settings = LoadCheckpoint(found, false).settings;
      } catch (const std::runtime_error&) {
        continue;  // an orphan's, which it has removed again
      }
      try {
        RequireSameSettings(options_.run, settings, checkpoint_.settings);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(found + ": another training has put it there meanwhile. " + error.what());
      }
    }
  }

  // A second name for the same bytes; where the file system has no links, a copy.
  void KeepAsBest(const std::string& path) {
    const std::string best = (fs::path(options_.run) / "best.h5").string();
    datasets::storage::TemporaryFile fresh(best + ".tmp");
    std::error_code error;
    fs::remove(fresh.path(), error);
    fs::create_hard_link(path, fresh.path(), error);
    if (error) fs::copy_file(path, fresh.path(), fs::copy_options::overwrite_existing, error);
    if (error) throw std::runtime_error(best + ": cannot be written: " + error.message());
    // Not released: of two names of one file, as after a kill behind this line, renaming takes neither away.
    Rename(fresh.path(), best);
  }

  // The same faces every time.
  void DrawSamples() {
    if (options_.samples == 0 || data_.size() == 0) return;
    std::vector<cv::Mat> crops;
    std::vector<std::vector<float>> aus;
    const std::size_t count = std::min(static_cast<std::size_t>(options_.samples), data_.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t face = i * data_.size() / count;
      crops.push_back(data_.Crop(face));
      aus.emplace_back(data_.Aus(face).begin(), data_.Aus(face).end());
    }
    log_->Samples(checkpoint_.step, SampleGrid(checkpoint_, crops, aus));
  }

  TrainOptions options_;
  const std::function<void(const TrainProgress&)>& report_;
  const std::function<void(const std::string&)>& warn_;
  const std::function<bool()>& stop_;
  torch::Device device_;
  FaceDataset data_;
  const bool keeps_faces_;
  BatchLoader loader_;
  std::unique_ptr<FaceStore> store_;  // when it keeps them
  std::unique_ptr<Communicator> peers_;
  std::unique_ptr<RunLog> log_;  // of the first process
  StepOptions step_options_;
  Checkpoint checkpoint_;
  DeferredTerms deferred_;
  TermAverages averages_;
  torch::Tensor unread_attention_;  // mean, low, high after the last update
  std::array<double, 3> attention_{1, 0, 1};
  double score_ = 0, waited_ = 0;
  std::int64_t scored_ = 0;
  bool warned_ = false, log_failed_ = false, wants_stop_ = false, stopping_ = false;
  std::int64_t saved_step_ = -1, first_ = 0;
  Clock::time_point start_ = Clock::now(), reported_at_ = Clock::now(), saved_at_;
};

}  // namespace

void TrainOptions::Validate() const {
  const auto check = [](bool good, const char* field, double value, const char* constraint) {
    if (!good)
      throw std::invalid_argument(std::string("gan.") + field + " = " + std::to_string(value) + "; must be " +
                                  constraint);
  };
  network.Validate();
  if (shards.empty() && pairs.empty())
    throw std::invalid_argument("gan train: name the folder of shards to learn from");
  if (paired_only_steps > 0 && !UsesPairs(*this))
    throw std::invalid_argument("gan train: --paired-only-steps needs --pairs and a --paired-weight above 0");
  if (run.empty()) throw std::invalid_argument("gan train: name the run's folder with -o");
  processes.Validate();
  for (const auto& [field, weight] : {std::pair{"paired", weights.paired}, {"feature", weights.feature}, {"attention", weights.attention},
                                      {"flow", weights.flow}, {"flow_smooth", weights.flow_smooth}})
    check(weight >= 0, field, weight, ">= 0");
  check(photo_share >= 0 && photo_share < 1, "photo_share", photo_share, "0..1, less than 1");
  check(paired_only_steps >= 0, "paired_only_steps", static_cast<double>(paired_only_steps), ">= 0");
  check(unsure_label >= 0 && unsure_label <= 1, "unsure_label", static_cast<double>(unsure_label), "0..1");
  if (data_on_device != "auto" && data_on_device != "yes" && data_on_device != "no")
    throw std::invalid_argument("gan.data_on_device = " + data_on_device + "; must be auto, yes or no");
  if (precision == Precision::kTf32 && device == "cpu") {
    throw std::invalid_argument(
        "gan train: --precision tf32 is of GPUs, and the processor does not know it; give fp32 or bf16, or --device cuda");
  }
  check(samples >= 0, "samples", samples, ">= 0");
  check(batch >= 1, "batch", batch, ">= 1");
  check(epochs >= 1, "epochs", epochs, ">= 1");
  check(decay_epochs >= 0, "decay_epochs", decay_epochs, ">= 0");
  check(average >= 0 && average < 1, "average", average, "0..1, less than 1");
  check(critic_steps >= 1, "critic_steps", critic_steps, ">= 1");
  check(target_noise >= 0 && target_noise <= 1, "target_noise", target_noise, "0..1");
  check(colour_cast >= 0 && colour_cast <= 0.9F, "colour_cast", static_cast<double>(colour_cast), "0..0.9");
  check(jobs >= 1, "jobs", jobs, ">= 1");
  check(save_minutes > 0, "save_minutes", save_minutes, "> 0");
  check(keep >= 1, "keep", keep, ">= 1");
  check(adam.rate > 0, "rate", adam.rate, "> 0");
}

TrainSummary Train(const TrainOptions& options, const std::function<void(const TrainProgress&)>& report,
                   const std::function<void(const std::string&)>& warn,
                   const std::function<bool()>& stop_requested) {
  options.Validate();
  return Trainer(options, report, warn, stop_requested).Run();
}

}  // namespace auforge::gan
