#include "annotator/net_training/train_landmarks.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <numbers>
#include <stdexcept>

#include "annotator/landmark_look.h"
#include "annotator/landmarker.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/internal/training_loop.h"
#include "annotator/net_training/internal/trunk.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::kLandmarkCount;
using features::Point2;

constexpr auto kPoints = static_cast<std::int64_t>(kLandmarkCount);
constexpr std::int64_t kFirstOutputs = 2 * kPoints, kSecondOutputs = 4 * kPoints;
constexpr float kHiddenWeight = 0.4F;  // of a point that cannot be seen: a guess, but where a face has it
constexpr double kTone = 0.8;          // of the augmentation: renders are degraded already
constexpr double kGapWeight = 1, kSpreadWeight = 0.05, kSeenWeight = 0.05;
constexpr double kLeastSpread = 1e-3;  // of a point, inter-ocular distances

// Pairs across an eye and the mouth.
constexpr std::array<std::array<std::int64_t, 2>, 7> kGaps{
    {{37, 41}, {38, 40}, {43, 47}, {44, 46}, {61, 67}, {62, 66}, {63, 65}}};

float PointWeight(std::size_t landmark) {
  if (landmark < 17) return 0.6F;  // an outline, told less exactly by whomever
  if (landmark < 36) return 1;
  return landmark < 48 ? 1.6F : 1.3F;
}

constexpr Jitter kFirstJitter{0.6, std::numbers::pi / 4, 0.25, 0.08, 0.06, 0.11};
constexpr Jitter kSecondJitter{1, 0.12, 0.09, 0.04, 0.04, 0.045};

// What one of the nets learns from.
struct Part {
  torch::Tensor pictures;  // N x S x S x 3, u8
  torch::Tensor offset;    // N x 68 x 2
  torch::Tensor weight;    // N x 68, 0 where not known
  torch::Tensor seen;      // N x 68, 0 or 1, -1 = not known
};

struct Batch {
  Part first, second;
};

class Batches {
 public:
  Batches(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos, const LandmarkTrainOptions& options)
      : renders_(renders), photos_(photos), options_(options) {}

  // The batch of a step: a pure function of seed and step.
  Batch Make(std::int64_t step) const {
    std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), 0);
    std::vector<Pick> picks;
    for (int i = 0; i < options_.batch; ++i) picks.push_back({&renders_[random() % renders_.size()], 1});
    for (int i = 0; i < options_.photo_batch && !photos_.empty(); ++i)
      picks.push_back({&photos_[random() % photos_.size()], static_cast<float>(options_.photo_weight)});
    const auto count = static_cast<std::int64_t>(picks.size());
    Batch batch{Empty(count, options_.first_crop), Empty(count, options_.second_crop)};
    InParallel(options_.jobs, picks.size(), [&](std::size_t i) { FillBoth(picks[i], step, i, batch); });
    return batch;
  }

 private:
  struct Pick {
    const PointFace* face;
    float weight;
  };

  static Part Empty(std::int64_t count, int side) {
    return {torch::empty({count, side, side, 3}, torch::kUInt8), torch::empty({count, kPoints, 2}),
            torch::empty({count, kPoints}), torch::empty({count, kPoints})};
  }

  void FillBoth(const Pick& pick, std::int64_t step, std::size_t i, Batch& batch) const {
    std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), i + 1);
    const PointFace& face = *pick.face;
    std::vector<std::size_t> known;
    for (std::size_t k = 0; k < kLandmarkCount; ++k) {
      if (face.known[k]) known.push_back(k);
    }
    const features::Similarity at_box = LookAtBox(BoxAround(face.points), options_.first_crop),
                               at_points = LookAtPoints(face.points, known, options_.second_crop);
    Fill(pick, FirstLook(options_.first_crop), at_box, kFirstJitter, i, random, batch.first);
    Fill(pick, SecondLook(options_.second_crop), at_points, kSecondJitter, i, random, batch.second);
  }

  static void Fill(const Pick& pick, const LandmarkLook& look, const features::Similarity& place, const Jitter& jitter,
                   std::size_t i, std::mt19937_64& random, Part& part) {
    const PointFace& face = *pick.face;
    const bool mirrored = (random() >> 63) != 0;
    const cv::Matx23d map = JitteredPlace(place, look.side, mirrored, jitter, random);
    cv::Mat crop = WarpedCrop(face.picture, map, look.side);
    const cv::Rect covered = ChangeValues(crop, kTone, random);
    const std::size_t bytes = static_cast<std::size_t>(look.side) * static_cast<std::size_t>(look.side) * 3;
    std::copy_n(crop.data, bytes, part.pictures.data_ptr<std::uint8_t>() + i * bytes);
    float* offset = part.offset.data_ptr<float>() + i * 2 * kLandmarkCount;
    float* weight = part.weight.data_ptr<float>() + i * kLandmarkCount;
    float* seen = part.seen.data_ptr<float>() + i * kLandmarkCount;
    for (std::size_t k = 0; k < kLandmarkCount; ++k) {
      const std::size_t from = mirrored ? features::MirrorLandmark(k) : k;
      const cv::Vec2d p = map * cv::Vec3d(face.points[from].x, face.points[from].y, 1);
      const Point2 o = look.OffsetOf(k, {static_cast<float>(p[0]), static_cast<float>(p[1])});
      offset[2 * k] = o.x;
      offset[2 * k + 1] = o.y;
      const bool in_patch = face.known[from] && covered.contains(cv::Point(static_cast<int>(p[0]), static_cast<int>(p[1])));
      const bool hidden = face.seen[from] == 0 || in_patch;
      seen[k] = hidden ? 0.0F : static_cast<float>(face.seen[from]);
      weight[k] = face.known[from] ? pick.weight * PointWeight(k) * (hidden ? kHiddenWeight : 1.0F) : 0.0F;
    }
  }

  const std::vector<PointFace>& renders_;
  const std::vector<PointFace>& photos_;
  const LandmarkTrainOptions& options_;
};

torch::Tensor Distance(const torch::Tensor& difference) {
  return (difference.square().sum(2) + 1e-8).sqrt();
}

// Weighted mean distance of points: N x 68 x 2 each.
torch::Tensor PointLoss(const torch::Tensor& distance, const Part& part) {
  return (distance * part.weight).sum() / part.weight.sum().clamp_min(1);
}

torch::Tensor GapLoss(const torch::Tensor& offset, const Part& part) {
  torch::Tensor upper = torch::empty({static_cast<std::int64_t>(kGaps.size())}, torch::kLong), lower = upper.clone();
  for (std::size_t g = 0; g < kGaps.size(); ++g) {
    upper.data_ptr<std::int64_t>()[g] = kGaps[g][0];
    lower.data_ptr<std::int64_t>()[g] = kGaps[g][1];
  }
  upper = upper.to(offset.device());
  lower = lower.to(offset.device());
  const auto gap = [&](const torch::Tensor& t) { return t.index_select(1, upper) - t.index_select(1, lower); };
  const torch::Tensor weight = torch::minimum(part.weight.index_select(1, upper), part.weight.index_select(1, lower));
  return (Distance(gap(offset) - gap(part.offset)) * weight).sum() / weight.sum().clamp_min(1);
}

// Minus the logarithm of the likelihood of distances under p(r) ~ exp(-r / s) / s^2, s = exp(log_spread).
torch::Tensor SpreadLoss(const torch::Tensor& log_spread, const torch::Tensor& distance, const Part& part) {
  const torch::Tensor s = log_spread.clamp_min(std::log(kLeastSpread)), known = (part.weight > 0).to(torch::kFloat);
  return ((distance.detach() * torch::exp(-s) + 2 * s) * known).sum() / known.sum().clamp_min(1);
}

torch::Tensor SeenLoss(const torch::Tensor& logit, const Part& part) {
  const torch::Tensor known = (part.seen >= 0).to(torch::kFloat);
  return (torch::binary_cross_entropy_with_logits(logit, part.seen.clamp_min(0), {}, {}, at::Reduction::None) * known).sum() /
         known.sum().clamp_min(1);
}

TrunkShape ShapeOf(int crop, int stem, const std::vector<int>& blocks) {
  return {crop, stem, blocks, features::Pooling::kNone};
}

struct PairImpl : torch::nn::Module {
  explicit PairImpl(const LandmarkTrainOptions& o)
      : first(ShapeOf(o.first_crop, o.first_stem, o.first_blocks), static_cast<int>(kFirstOutputs), 0.0),
        second(ShapeOf(o.second_crop, o.second_stem, o.second_blocks), static_cast<int>(kSecondOutputs), 0.0) {
    const torch::NoGradGuard no_grad;
    for (Trunk* net : {&first, &second}) {
      (*net)->head->weight.mul_(0.1);
      (*net)->head->bias.zero_();
    }
    second->head->bias.slice(0, 2 * kPoints, 3 * kPoints).fill_(std::log(0.05));
    register_module("first", first);
    register_module("second", second);
  }
  Trunk first, second;
};
TORCH_MODULE(Pair);

LandmarkNetWeights WeightsOf(const Trunk& net) {
  return {net->Description(), Values(net->head->weight), Values(net->head->bias)};
}

// --start-from is no part: the weights that a training began with are in its state.
nlohmann::json Record(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos, const LandmarkTrainOptions& o) {
  return {{"--renders", Fingerprint(renders)}, {"--photos", Fingerprint(photos)}, {"--first-crop", o.first_crop},
          {"--first-stem", o.first_stem}, {"--first-blocks", o.first_blocks}, {"--crop", o.second_crop}, {"--stem", o.second_stem},
          {"--blocks", o.second_blocks}, {"--passes", o.passes}, {"--batch", o.batch}, {"--photo-batch", o.photo_batch},
          {"--photo-weight", o.photo_weight}, {"--rate", o.rate}, {"--decay", o.decay}, {"--precision", o.reduced ? "bf16" : "fp32"},
          {"--seed", o.seed}};
}

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument("landmarks." + text);
}

struct StepLosses {
  torch::Tensor total, first, second;  // scalars; first, second: mean distances
};

StepLosses Losses(Pair& nets, const Batch& batch, bool reduced) {
  torch::Tensor first, second;
  {
    const Reduced precision(reduced, batch.first.pictures.is_cuda());
    first = nets->first->Embed(NormalisedPictures(batch.first.pictures));
    second = nets->second->Embed(NormalisedPictures(batch.second.pictures));
  }
  // Heads in full precision: three digits are too few for a place in the picture.
  first = nets->first->head(first);
  second = nets->second->head(second);
  const torch::Tensor rough = first.view({-1, kPoints, 2}), fine = second.slice(1, 0, 2 * kPoints).reshape({-1, kPoints, 2});
  const torch::Tensor rough_distance = Distance(rough - batch.first.offset), distance = Distance(fine - batch.second.offset);
  StepLosses losses;
  losses.first = PointLoss(rough_distance, batch.first);
  losses.second = PointLoss(distance, batch.second);
  losses.total = losses.first + losses.second + kGapWeight * GapLoss(fine, batch.second) +
                 kSpreadWeight * SpreadLoss(second.slice(1, 2 * kPoints, 3 * kPoints), distance, batch.second) +
                 kSeenWeight * SeenLoss(second.slice(1, 3 * kPoints), batch.second);
  return losses;
}

}  // namespace

void LandmarkTrainOptions::Validate() const {
  Require(first_crop >= 32 && first_crop <= 128, MustBe("first_crop", first_crop, "32..128"));
  Require(second_crop >= 32 && second_crop <= 256, MustBe("second_crop", second_crop, "32..256"));
  for (const int stem : {first_stem, second_stem}) Require(stem >= 8 && stem <= 128, MustBe("stem", stem, "8..128"));
  for (const std::vector<int>* blocks : {&first_blocks, &second_blocks}) {
    Require(!blocks->empty() && blocks->size() <= 6, MustBe("blocks", blocks->size(), "1..6 numbers of channels"));
    for (const int channels : *blocks) Require(channels >= 8 && channels <= 1024, MustBe("blocks", channels, "8..1024"));
  }
  Require(passes > 0 && passes <= 10000, MustBe("passes", passes, "> 0"));
  Require(batch >= 8 && batch <= 4096, MustBe("batch", batch, "8..4096"));
  Require(photo_batch >= 0 && photo_batch <= 4096, MustBe("photo_batch", photo_batch, "0..4096"));
  Require(photo_weight >= 0 && photo_weight <= 100, MustBe("photo_weight", photo_weight, "0..100"));
  ValidateTraining("landmarks");
}

LandmarkTrainSummary TrainLandmarks(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                                    const LandmarkTrainOptions& options,
                                    const std::function<void(const LandmarkTrainProgress&)>& report,
                                    const std::function<bool()>& stop) {
  options.Validate();
  const auto start = Clock::now();
  const torch::Device device = DeviceOf(options.device);
  torch::set_num_threads(options.jobs);
  torch::manual_seed(options.seed);
  Require(renders.size() >= 50, "renders: " + std::to_string(renders.size()) + " are too few to train on; needs 50");

  Pair nets(options), average(options);
  CopyWeights(*nets, *average);
  for (Pair* each : {&nets, &average}) (*each)->to(device);
  TrainingState state{nets.ptr(), average.ptr(), MakeOptimiser(*nets, options), Record(renders, photos, options)};
  state.Begin(options.state, options.start_from, [&] { return MakeOptimiser(*nets, options); });

  LandmarkTrainProgress progress;
  progress.steps = static_cast<std::int64_t>(
      std::max(1.0, options.passes * static_cast<double>(renders.size()) / options.batch));
  const Batches batches(renders, photos, options);
  auto next = std::async(std::launch::async, [&, step = state.step] { return batches.Make(step); });
  nets->train();
  const auto losses = [&]() -> std::vector<torch::Tensor> {
    Batch batch = next.get();
    next = std::async(std::launch::async, [&, step = state.step + 1] { return batches.Make(step); });
    for (Part* part : {&batch.first, &batch.second}) {
      for (torch::Tensor* t : {&part->pictures, &part->offset, &part->weight, &part->seen}) *t = t->to(device);
    }
    const StepLosses step = Losses(nets, batch, options.reduced);
    return {step.total, step.first, step.second};
  };
  const bool finished = RunSteps(
      state, options, {progress.steps, 20}, losses,
      [&](const StepReport& now) {
        progress.step = now.step;
        progress.seconds = now.seconds;
        progress.first = now.means[0];
        progress.second = now.means[1];
        if (report) report(progress);
      },
      stop);
  next.wait();
  return {{WeightsOf(average->first), WeightsOf(average->second)}, state.step, finished, SecondsSince(start)};
}

}  // namespace auforge::annotator
