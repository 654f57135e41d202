#include "annotator/net_training/train_net.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <stdexcept>

#include "annotator/learnt_net_file.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/internal/training_loop.h"
#include "annotator/net_training/internal/trunk.h"
#include "datasets/storage/paths.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

constexpr int kPoseOutputs = 3;
constexpr double kPoseUnit = 30;         // degrees
constexpr double kIntensityWeight = 4, kSideWeight = 3, kStrongerWeight = 0.3, kPoseWeight = 0.1;
constexpr double kStepOdds = 2;          // logit of the stronger half where the net's halves differ by an intensity step
constexpr double kMostOften = 2;         // a rare photograph is drawn by a common one; more, and it is learnt by heart
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

// Columns of the net's output.
struct Columns {
  std::int64_t a;
  std::int64_t intensity() const { return 0; }
  std::int64_t presence() const { return a; }
  std::int64_t left() const { return 2 * a; }
  std::int64_t right() const { return 3 * a; }
  std::int64_t pose() const { return 4 * a; }
  std::int64_t all() const { return 4 * a + kPoseOutputs; }
};

struct Batch {
  torch::Tensor pictures;                // N x S x S x 3, u8; the last ones are the unlabelled
  torch::Tensor plain;                   // U x S x S x 3, u8: the unlabelled as they are, mirrored as in `pictures`
  torch::Tensor intensity, left, right;  // N x A, 0..5, NaN = not known
  torch::Tensor pose;                    // N x 3 in kPoseUnit, NaN = not known
  torch::Tensor weight;                  // N x 1
};

struct Pick {
  const CropSet* set;
  std::size_t row;
  AugmentOptions augment;
  float weight;
};

class Batches {
 public:
  Batches(const CropSet& renders, std::vector<std::size_t> rows, const CropSet& photos, const CropSet& unlabelled,
          const NetTrainOptions& options)
      : renders_(renders), rows_(std::move(rows)), photos_(photos), unlabelled_(unlabelled), options_(options) {
    // A photograph is drawn the more often, the rarer what it shows.
    const std::size_t a = photos.schema.size();
    std::vector<double> share(a, 0), known(a, 1);
    for (std::size_t i = 0; i < photos.intensity.size(); ++i) {
      if (std::isnan(photos.intensity[i])) continue;
      known[i % a] += 1;
      share[i % a] += photos.intensity[i] >= 1 ? 1 : 0;
    }
    double sum = 0;
    for (std::size_t i = 0; i < photos.size(); ++i) {
      double weight = 1;
      for (std::size_t j = 0; j < a; ++j) {
        if (photos.intensity[i * a + j] >= 1) weight = std::max(weight, std::sqrt(0.25 * known[j] / share[j]));
      }
      cumulative_.push_back(sum += std::min(weight, kMostOften));
    }
  }

  // The batch of a step: a pure function of seed and step.
  Batch Make(std::int64_t step) const {
    std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), 0);
    std::vector<Pick> picks;
    const AugmentOptions augment{options_.augment, options_.augment};
    for (int i = 0; i < options_.batch; ++i)
      picks.push_back({&renders_, rows_[random() % rows_.size()], augment, 1});
    for (int i = 0; i < options_.photo_batch && !cumulative_.empty(); ++i) {
      const double at = Uniform(random, 0, cumulative_.back());
      const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
      const auto row = std::min<std::ptrdiff_t>(found - cumulative_.begin(), static_cast<std::ptrdiff_t>(photos_.size()) - 1);
      picks.push_back({&photos_, static_cast<std::size_t>(row), augment, static_cast<float>(options_.photo_weight)});
    }
    const std::size_t known = picks.size();
    for (int i = 0; i < options_.unlabelled_batch && unlabelled_.size() > 0; ++i)
      picks.push_back({&unlabelled_, random() % unlabelled_.size(), augment, 1});
    Batch batch = Empty(picks.size(), picks.size() - known);
    Fill(picks, step, batch);
    return batch;
  }

 private:
  Batch Empty(std::size_t count, std::size_t unlabelled) const {
    const auto n = static_cast<std::int64_t>(count), u = static_cast<std::int64_t>(unlabelled),
               a = static_cast<std::int64_t>(renders_.schema.size());
    const std::int64_t side = options_.crop_size;
    return {torch::empty({n, side, side, 3}, torch::kUInt8), torch::empty({u, side, side, 3}, torch::kUInt8),
            torch::empty({n, a}), torch::empty({n, a}),
            torch::empty({n, a}), torch::empty({n, kPoseOutputs}), torch::empty({n, 1})};
  }

  void Fill(const std::vector<Pick>& picks, std::int64_t step, Batch& batch) const {
    InParallel(options_.jobs, picks.size(), [&](std::size_t i) { FillOne(picks[i], step, i, batch); });
  }

  void FillOne(const Pick& pick, std::int64_t step, std::size_t i, Batch& batch) const {
    std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), i + 1);
    const TrainingCrop& face = pick.set->crops[pick.row];
    const bool mirrored = (random() >> 63) != 0;
    const cv::Mat crop = AugmentedCrop(face.picture, face.net_from_picture, options_.crop_size, mirrored, pick.augment, random);
    const std::size_t bytes = static_cast<std::size_t>(options_.crop_size) * static_cast<std::size_t>(options_.crop_size) * 3;
    std::copy_n(crop.data, bytes, batch.pictures.data_ptr<std::uint8_t>() + i * bytes);
    const std::size_t known = static_cast<std::size_t>(batch.pictures.size(0) - batch.plain.size(0));
    if (i >= known) {
      const cv::Mat plain = AugmentedCrop(face.picture, face.net_from_picture, options_.crop_size, mirrored, {0, 0}, random);
      std::copy_n(plain.data, bytes, batch.plain.data_ptr<std::uint8_t>() + (i - known) * bytes);
    }
    const std::size_t a = pick.set->schema.size();
    const auto put = [&](const std::vector<float>& from, torch::Tensor& to) {
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(pick.row * a), a, to.data_ptr<float>() + i * a);
    };
    put(pick.set->intensity, batch.intensity);
    put(mirrored ? pick.set->right : pick.set->left, batch.left);
    put(mirrored ? pick.set->left : pick.set->right, batch.right);
    const double side = mirrored ? -1 : 1;
    float* pose = batch.pose.data_ptr<float>() + i * kPoseOutputs;
    pose[0] = static_cast<float>(side * face.pose.yaw / kPoseUnit);
    pose[1] = static_cast<float>(face.pose.pitch / kPoseUnit);
    pose[2] = kUnknown;  // the crop is upright: roll is not in it
    batch.weight.data_ptr<float>()[i] = pick.weight;
  }

  const CropSet& renders_;
  std::vector<std::size_t> rows_;
  const CropSet& photos_;
  const CropSet& unlabelled_;
  const NetTrainOptions& options_;
  std::vector<double> cumulative_;
};

// Mean over what is known of weight * value.
torch::Tensor KnownMean(const torch::Tensor& value, const torch::Tensor& known, const torch::Tensor& weight) {
  return (value * weight * known).sum() / known.sum().clamp_min(1);
}

torch::Tensor Squared(const torch::Tensor& output, const torch::Tensor& target, const torch::Tensor& weight) {
  const torch::Tensor known = (~target.isnan()).to(torch::kFloat), wanted = torch::nan_to_num(target);
  return KnownMean((output - wanted).square(), known, weight);
}

// Which half is the stronger one, where they differ by a step and more. Most faces are even: squares alone teach to
// call all of them so.
torch::Tensor StrongerHalf(const torch::Tensor& left, const torch::Tensor& right, const Batch& batch) {
  const torch::Tensor wanted = torch::nan_to_num(batch.left - batch.right);
  const torch::Tensor differs = (wanted.abs() >= 1).to(torch::kFloat);
  return KnownMean(torch::softplus(-wanted.sign() * (left - right) * (5 * kStepOdds)), differs, batch.weight);
}

torch::Tensor Loss(const torch::Tensor& output, const Batch& batch, const torch::Tensor& positive_weight) {
  const Columns columns{batch.intensity.size(1)};
  const auto part = [&](std::int64_t at, std::int64_t size) { return output.slice(1, at, at + size); };
  const std::int64_t a = columns.a;
  const torch::Tensor present = (batch.intensity >= 1).to(torch::kFloat);
  const torch::Tensor known = (~batch.intensity.isnan()).to(torch::kFloat);
  const torch::Tensor weight = batch.weight * (1 + present * positive_weight);
  const torch::Tensor intensity = Squared(part(columns.intensity(), a), batch.intensity / 5, weight);
  const torch::Tensor presence = KnownMean(
      torch::binary_cross_entropy_with_logits(part(columns.presence(), a), present, {}, {}, at::Reduction::None), known,
      batch.weight);
  const torch::Tensor sides = Squared(part(columns.left(), a), batch.left / 5, batch.weight) +
                              Squared(part(columns.right(), a), batch.right / 5, batch.weight);
  const torch::Tensor stronger = StrongerHalf(part(columns.left(), a), part(columns.right(), a), batch);
  const torch::Tensor pose = Squared(part(columns.pose(), kPoseOutputs), batch.pose, batch.weight);
  return kIntensityWeight * intensity + presence + kSideWeight * sides + kStrongerWeight * stronger + kPoseWeight * pose;
}

// The unlabelled photographs must be answered as the average net answers them as they are: intensities and presences
// of either side. Its intensities are taken as 0..5: what it makes of a photograph unlike all others knows no bounds, and
// two nets that follow each other there run away together.
torch::Tensor Disagreement(const torch::Tensor& output, const torch::Tensor& teacher, std::int64_t a) {
  const auto part = [a](const torch::Tensor& t, std::int64_t at) { return t.slice(1, at * a, (at + 1) * a); };
  return kIntensityWeight * (part(output, 0) - part(teacher, 0).clamp(0, 1)).square().mean() +
         (torch::sigmoid(part(output, 1)) - torch::sigmoid(part(teacher, 1))).square().mean() +
         kSideWeight * (output.slice(1, 2 * a, 4 * a) - teacher.slice(1, 2 * a, 4 * a).clamp(0, 1)).square().mean();
}

// trust: in what the average says of photographs without codes, 0..1.
torch::Tensor StepLoss(Trunk& net, Trunk& average, const Batch& batch, const torch::Tensor& positive, double trust,
                       const NetTrainOptions& options) {
  torch::Tensor output, teacher;
  {
    const Reduced reduced(options.reduced, batch.pictures.is_cuda());
    output = net(NormalisedPictures(batch.pictures)).to(torch::kFloat);
    if (batch.plain.size(0) > 0) {
      const torch::NoGradGuard no_grad;
      average->eval();
      teacher = average(NormalisedPictures(batch.plain)).to(torch::kFloat);
    }
  }
  const torch::Tensor loss = Loss(output, batch, positive);
  if (!teacher.defined()) return loss;
  const std::int64_t known = output.size(0) - teacher.size(0);
  return loss + options.unlabelled_weight * trust * Disagreement(output.slice(0, known), teacher, batch.intensity.size(1));
}

double PearsonOf(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) mx += x[i] / n, my += y[i] / n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

struct Judged {
  std::vector<double> correlation;  // of the net's intensities with the labels, per AU
  std::uint64_t uneven = 0;         // halves that differ by an intensity step and more, over the AUs
  std::uint64_t stronger = 0;       // of these, whose stronger one the net finds
};

Judged Judge(Trunk& net, const CropSet& set, const std::vector<std::size_t>& rows, const NetTrainOptions& options,
             torch::Device device) {
  const torch::NoGradGuard no_grad;
  net->eval();
  const std::size_t a = set.schema.size();
  const Columns columns{static_cast<std::int64_t>(a)};
  Judged judged;
  std::vector<std::vector<double>> answers(a), labels(a);
  constexpr std::size_t kPiece = 128;
  const auto side = static_cast<std::int64_t>(options.crop_size);
  for (std::size_t begin = 0; begin < rows.size(); begin += kPiece) {
    const std::size_t count = std::min(kPiece, rows.size() - begin);
    torch::Tensor pictures = torch::empty({static_cast<std::int64_t>(count), side, side, 3}, torch::kUInt8);
    for (std::size_t i = 0; i < count; ++i) {
      std::mt19937_64 random = Stream(options.seed, 0, i);
      const TrainingCrop& face = set.crops[rows[begin + i]];
      const cv::Mat crop = AugmentedCrop(face.picture, face.net_from_picture, options.crop_size, false, {0, 0}, random);
      std::copy_n(crop.data, side * side * 3, pictures.data_ptr<std::uint8_t>() + static_cast<std::ptrdiff_t>(i) * side * side * 3);
    }
    const torch::Tensor x = NormalisedPictures(pictures.to(device));
    const torch::Tensor plain = net(x), mirrored = net(x.flip(3));
    const torch::Tensor out = ((plain + mirrored) / 2).to(torch::kCPU).contiguous();
    const auto apart = [&](const torch::Tensor& t) {
      const auto n = static_cast<std::int64_t>(a);
      return t.slice(1, columns.left(), columns.left() + n) - t.slice(1, columns.right(), columns.right() + n);
    };
    const torch::Tensor difference = (apart(plain) - apart(mirrored)).to(torch::kCPU).contiguous();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < a; ++j) {
        const float label = set.intensity[rows[begin + i] * a + j];
        if (std::isnan(label)) continue;
        labels[j].push_back(label);
        answers[j].push_back(out.data_ptr<float>()[static_cast<std::int64_t>(i) * out.size(1) + static_cast<std::int64_t>(j)]);
        const float wanted = set.left[rows[begin + i] * a + j] - set.right[rows[begin + i] * a + j];
        if (!(std::abs(wanted) >= 1)) continue;
        ++judged.uneven;
        judged.stronger += wanted * difference.data_ptr<float>()[i * a + j] > 0 ? 1 : 0;
      }
    }
  }
  for (std::size_t j = 0; j < a; ++j) judged.correlation.push_back(PearsonOf(answers[j], labels[j]));
  return judged;
}

torch::Tensor PositiveWeights(const CropSet& renders) {
  const std::size_t a = renders.schema.size();
  std::vector<float> present(a, 0), known(a, 1);
  for (std::size_t i = 0; i < renders.intensity.size(); ++i) {
    if (std::isnan(renders.intensity[i])) continue;
    known[i % a] += 1;
    present[i % a] += renders.intensity[i] >= 1 ? 1.0F : 0.0F;
  }
  torch::Tensor weights = torch::empty({1, static_cast<std::int64_t>(a)});
  for (std::size_t j = 0; j < a; ++j)
    weights.data_ptr<float>()[j] = 0.5F / std::clamp(present[j] / known[j], 0.05F, 0.98F);
  return weights;
}

// --start-from is no part: the weights that a training began with are in its state.
nlohmann::json Record(const CropSet& renders, const CropSet& photos, const CropSet& unlabelled, const NetTrainOptions& o) {
  return {{"--renders", Fingerprint(renders)}, {"--photos and --codes", Fingerprint(photos)}, {"--unlabelled", Fingerprint(unlabelled)},
          {"--crop", o.crop_size}, {"--stem", o.stem}, {"--blocks", o.blocks}, {"--passes", o.passes}, {"--batch", o.batch},
          {"--photo-batch", o.photo_batch}, {"--photo-weight", o.photo_weight}, {"--unlabelled-batch", o.unlabelled_batch},
          {"--unlabelled-weight", o.unlabelled_weight}, {"--rate", o.rate}, {"--decay", o.decay}, {"--dropout", o.dropout},
          {"--augment", o.augment}, {"--held-out", o.held_out}, {"--precision", o.reduced ? "bf16" : "fp32"}, {"--seed", o.seed}};
}

// What a training begins with where --start-from is a net alone, or an AU model that has one; else nullptr.
std::shared_ptr<const features::LearntNet> NetToGoOnWith(const NetTrainOptions& options) {
  if (options.start_from.empty() || (!options.state.empty() && datasets::storage::IsThere(options.state))) return nullptr;
  return LoadIfLearntNet(options.start_from);
}

// So many pictures measure what a net's norms do.
constexpr std::int64_t kMeasuredPictures = 512;

void TakeNet(const features::LearntNet& from, const std::vector<int>& aus, const Batches& batches, const std::string& path, Trunk& net) {
  std::vector<torch::Tensor> pictures;
  for (std::int64_t count = 0; count < kMeasuredPictures; count += pictures.back().size(0))
    pictures.push_back(batches.Make(-1 - static_cast<std::int64_t>(pictures.size())).pictures);
  try {
    net->TakeFolded(from.Description(), aus, NormalisedPictures(torch::cat(pictures).slice(0, 0, kMeasuredPictures)));
  } catch (const std::invalid_argument& fault) {
    throw std::invalid_argument("--start-from " + path + ": " + fault.what());
  }
}

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument("net." + text);
}

}  // namespace

void NetTrainOptions::Validate() const {
  Require(crop_size >= 32 && crop_size <= 256, MustBe("crop_size", crop_size, "32..256"));
  Require(stem >= 8 && stem <= 128, MustBe("stem", stem, "8..128"));
  Require(!blocks.empty() && blocks.size() <= 6, MustBe("blocks", blocks.size(), "1..6 numbers of channels"));
  for (const int channels : blocks) Require(channels >= 8 && channels <= 1024, MustBe("blocks", channels, "8..1024"));
  Require(passes > 0 && passes <= 10000, MustBe("passes", passes, "> 0"));
  Require(batch >= 8 && batch <= 4096, MustBe("batch", batch, "8..4096"));
  Require(photo_batch >= 0 && photo_batch <= 4096, MustBe("photo_batch", photo_batch, "0..4096"));
  Require(unlabelled_batch >= 0 && unlabelled_batch <= 4096, MustBe("unlabelled_batch", unlabelled_batch, "0..4096"));
  Require(unlabelled_weight >= 0 && unlabelled_weight <= 100, MustBe("unlabelled_weight", unlabelled_weight, "0..100"));
  Require(photo_weight >= 0 && photo_weight <= 100, MustBe("photo_weight", photo_weight, "0..100"));
  Require(dropout >= 0 && dropout < 1, MustBe("dropout", dropout, "0..1"));
  Require(augment >= 0 && augment <= 1, MustBe("augment", augment, "0..1"));
  Require(held_out >= 0 && held_out <= 0.5, MustBe("held_out", held_out, "0..0.5"));
  ValidateTraining("net");
}

NetTrainSummary TrainNet(const CropSet& renders, const CropSet& photos, const CropSet& unlabelled,
                         const NetTrainOptions& options,
                         const std::function<void(const NetTrainProgress&)>& report,
                         const std::function<bool()>& stop) {
  options.Validate();
  const auto start = Clock::now();
  const torch::Device device = DeviceOf(options.device);
  torch::set_num_threads(options.jobs);
  torch::manual_seed(options.seed);

  std::vector<std::size_t> taught, judged;
  for (std::size_t i = 0; i < renders.size(); ++i) {
    const std::uint64_t place = Stream(options.seed, 0, static_cast<std::uint64_t>(renders.crops[i].identity))() >> 11;
    (static_cast<double>(place) * 0x1p-53 < options.held_out ? judged : taught).push_back(i);
  }
  Require(taught.size() >= 100, "renders: " + std::to_string(taught.size()) + " are too few to train on; needs 100");

  const Columns columns{static_cast<std::int64_t>(renders.schema.size())};
  const TrunkShape shape{options.crop_size, options.stem, options.blocks, features::Pooling::kHalves};
  const TrunkImpl::Sides sides{static_cast<int>(columns.left()), static_cast<int>(columns.pose() - columns.left())};
  Trunk net(shape, static_cast<int>(columns.all()), options.dropout, sides);
  Trunk average(shape, static_cast<int>(columns.all()), options.dropout, sides);
  const Batches batches(renders, taught, photos, unlabelled, options);
  const auto go_on_with = NetToGoOnWith(options);
  if (go_on_with) TakeNet(*go_on_with, renders.schema.numbers(), batches, options.start_from, net);
  CopyWeights(*net, *average);
  for (Trunk* each : {&net, &average}) (*each)->to(device);
  TrainingState state{net.ptr(), average.ptr(), MakeOptimiser(*net, options), Record(renders, photos, unlabelled, options)};
  state.Begin(options.state, go_on_with ? "" : options.start_from, [&] { return MakeOptimiser(*net, options); });

  const auto steps = static_cast<std::int64_t>(
      std::max(1.0, options.passes * static_cast<double>(taught.size()) / options.batch));
  const torch::Tensor positive = PositiveWeights(renders).to(device);
  auto next = std::async(std::launch::async, [&, step = state.step] { return batches.Make(step); });
  net->train();
  const auto losses = [&]() -> std::vector<torch::Tensor> {
    Batch batch = next.get();
    next = std::async(std::launch::async, [&, step = state.step + 1] { return batches.Make(step); });
    for (torch::Tensor* t : {&batch.pictures, &batch.plain, &batch.intensity, &batch.left, &batch.right, &batch.pose, &batch.weight})
      *t = t->to(device);
    // Dropout's stream follows from the step alone, so that a training that was stopped goes on to the same net.
    torch::manual_seed(options.seed * 1'000'003 + static_cast<std::uint64_t>(state.step));
    // The teacher knows nothing at first.
    const double trust = std::min(1.0, static_cast<double>(state.step) / (kWarmUp * static_cast<double>(steps)));
    const torch::Tensor loss = StepLoss(net, average, batch, positive, trust, options);
    return {loss, loss};
  };
  const bool finished = RunSteps(
      state, options, {steps, 20}, losses,
      [&](const StepReport& now) {
        if (report) report({now.step, steps, now.seconds, now.means[0]});
      },
      stop);
  next.wait();
  NetTrainSummary summary{average->Folded(renders.schema.numbers()), state.step, finished, 0, judged.size(), {}, 0, 0};
  if (!judged.empty()) {
    Judged figures = Judge(average, renders, judged, options, device);
    summary.correlation = std::move(figures.correlation);
    summary.uneven = figures.uneven;
    summary.stronger = figures.stronger;
  }
  summary.seconds = SecondsSince(start);
  return summary;
}

}  // namespace auforge::annotator
