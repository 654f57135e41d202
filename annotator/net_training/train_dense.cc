#include "annotator/net_training/train_dense.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <stdexcept>

#include "annotator/dense_look.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/internal/training_loop.h"
#include "annotator/net_training/internal/trunk.h"

namespace auforge::annotator {
namespace {

using features::kDenseEye;
using features::kDenseLid;
using features::kDenseMouth;
using features::Point2;

constexpr float kHiddenWeight = 0.3F;   // of a point that cannot be seen: a guess, but where a face has it
constexpr float kShutGap = 0.1F;        // of the eye's width, between the lids: what is less is shut
constexpr float kDrawnMouth = 0.5F;     // weight: lines through its landmarks, not its own edge
constexpr double kMouthPhotos = 0.85;   // share of the photographs among mouths
constexpr double kGapWeight = 1, kTone = 0.6, kLeastResolution = 0.45;
constexpr int kEyeKept = 16, kMouthKept = 24;  // channels of the last maps
// About twice what a landmarker leaves: where its points put a square tells much of where everything in it is.
constexpr Jitter kEyeJitter{1, 0.08, 0.08, 0.03, 0.03, 0.045}, kMouthJitter{1, 0.08, 0.08, 0.03, 0.03, 0.03};

// Pairs across an eye, across a mouth.
std::vector<std::array<std::int64_t, 2>> EyeGaps() {
  std::vector<std::array<std::int64_t, 2>> pairs;
  for (std::int64_t i = 1; i < 8; ++i) pairs.push_back({i, 16 - i});
  return pairs;
}
std::vector<std::array<std::int64_t, 2>> MouthGaps() {
  std::vector<std::array<std::int64_t, 2>> pairs;
  for (std::int64_t i = 1; i < 10; ++i) pairs.push_back({20 + i, 40 - i});
  return pairs;
}

float GapOf(std::span<const Point2> eye) {
  float sum = 0;
  for (std::size_t i = 1; i < 8; ++i) sum += features::Distance(eye[i], eye[kDenseLid - i]);
  return sum / (7 * std::max(1e-3F, features::Distance(eye[0], eye[8])));
}

std::span<const Point2> EyeOf(const PointFace& face, std::size_t eye) {
  return std::span(face.dense).subspan(eye * kDenseEye, kDenseEye);
}

// What one of the nets learns from.
struct Part {
  torch::Tensor pictures;  // N x S x S x 3, u8
  torch::Tensor place;     // N x points x 2, as the nets answer
  torch::Tensor weight;    // N x points
};

struct Batch {
  Part eyes, mouths;
};

class Batches {
 public:
  Batches(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos, const DenseTrainOptions& options)
      : renders_(renders), photos_(photos), options_(options) {
    for (const PointFace& face : renders) {
      for (std::size_t e = 0; e < 2; ++e) {
        if (GapOf(EyeOf(face, e)) < kShutGap) shut_.push_back({&face, e});
      }
    }
  }

  // The batch of a step: a pure function of seed and step.
  Batch Make(std::int64_t step) const {
    const auto eyes = static_cast<std::size_t>(options_.batch), mouths = 3 * eyes / 4;
    Batch batch{Empty(eyes, options_.eye_crop, kDenseEye), Empty(mouths, options_.mouth_crop, kDenseMouth)};
    InParallel(options_.jobs, eyes + mouths, [&](std::size_t i) {
      std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), i + 1);
      if (i < eyes) {
        FillEye(i, random, batch.eyes);
      } else {
        FillMouth(i - eyes, random, batch.mouths);
      }
    });
    return batch;
  }

 private:
  struct Eye {
    const PointFace* face;
    std::size_t which;  // 0 the right one
  };

  static Part Empty(std::size_t count, int side, std::size_t points) {
    const auto n = static_cast<std::int64_t>(count), p = static_cast<std::int64_t>(points);
    return {torch::empty({n, side, side, 3}, torch::kUInt8), torch::empty({n, p, 2}), torch::empty({n, p})};
  }

  static DenseFrame Frame(const PointFace& face) {
    std::vector<std::size_t> known;
    for (std::size_t k = 0; k < face.known.size(); ++k) {
      if (face.known[k]) known.push_back(k);
    }
    return FrameOf(face.points, known);
  }

  bool IsPhoto(double share, std::mt19937_64& random) const {
    return !photos_.empty() && (renders_.empty() || Uniform(random, 0, 1) < share);
  }

  void FillEye(std::size_t i, std::mt19937_64& random, Part& part) const {
    Eye eye{};
    if (IsPhoto(options_.photo_share, random)) {
      eye = {&photos_[random() % photos_.size()], random() >> 63};
    } else if (!shut_.empty() && Uniform(random, 0, 1) < options_.shut_share) {
      eye = shut_[random() % shut_.size()];
    } else {
      eye = {&renders_[random() % renders_.size()], random() >> 63};
    }
    const std::size_t first = eye.which * kDenseEye;
    const bool is_shut = GapOf(EyeOf(*eye.face, eye.which)) < kShutGap;
    const features::Similarity place =
        LookAtPart(eye.face->points, Frame(*eye.face), eye.which == 0 ? DensePart::kRightEye : DensePart::kLeftEye, options_.eye_crop);
    Fill(*eye.face, place, {options_.eye_crop, DenseUnit(DensePart::kLeftEye, options_.eye_crop), eye.which == 0}, kEyeJitter, i,
         random, part, [&](std::size_t k) { return std::pair(first + k, is_shut && k >= kDenseLid ? 0.0F : 1.0F); });
  }

  void FillMouth(std::size_t i, std::mt19937_64& random, Part& part) const {
    const bool is_photo = IsPhoto(kMouthPhotos, random), mirrored = (random() >> 63) != 0;
    const PointFace& face = is_photo ? photos_[random() % photos_.size()] : renders_[random() % renders_.size()];
    const features::Similarity place = LookAtPart(face.points, Frame(face), DensePart::kMouth, options_.mouth_crop);
    Fill(face, place, {options_.mouth_crop, DenseUnit(DensePart::kMouth, options_.mouth_crop), mirrored}, kMouthJitter, i, random, part,
         [&](std::size_t k) {
           return std::pair(2 * kDenseEye + (mirrored ? features::MirrorLip(k) : k), is_photo ? 1.0F : kDrawnMouth);
         });
  }

  struct Look {
    int side;
    float unit;
    bool mirrored;
  };
  // source: of the net's point k, which of the face's it is and what it weighs.
  template <typename Source>
  static void Fill(const PointFace& face, const features::Similarity& place, const Look& look, const Jitter& jitter, std::size_t i,
                   std::mt19937_64& random, Part& part, const Source& source) {
    const cv::Matx23d map = JitteredPlace(place, look.side, look.mirrored, jitter, random);
    cv::Mat crop = WarpedCrop(face.picture, map, look.side);
    const cv::Rect covered = ChangeValues(crop, kTone, random, kLeastResolution);
    const std::size_t bytes = static_cast<std::size_t>(look.side) * static_cast<std::size_t>(look.side) * 3;
    std::copy_n(crop.data, bytes, part.pictures.data_ptr<std::uint8_t>() + i * bytes);
    const auto count = static_cast<std::size_t>(part.weight.size(1));
    float* to = part.place.data_ptr<float>() + i * 2 * count;
    float* weight = part.weight.data_ptr<float>() + i * count;
    const double half = look.side / 2.0;
    for (std::size_t k = 0; k < count; ++k) {
      const auto [from, worth] = source(k);
      const cv::Vec2d p = map * cv::Vec3d(face.dense[from].x, face.dense[from].y, 1);
      to[2 * k] = static_cast<float>((p[0] - half) / look.unit);
      to[2 * k + 1] = static_cast<float>((p[1] - half) / look.unit);
      const bool hidden = face.dense_seen[from] == 0 || covered.contains(cv::Point(static_cast<int>(p[0]), static_cast<int>(p[1])));
      weight[k] = hidden ? kHiddenWeight * worth : worth;
    }
  }

  const std::vector<PointFace>& renders_;
  const std::vector<PointFace>& photos_;
  const DenseTrainOptions& options_;
  std::vector<Eye> shut_;  // drawn
};

struct PairImpl : torch::nn::Module {
  explicit PairImpl(const DenseTrainOptions& o)
      : eye(TrunkShape{o.eye_crop, o.eye_stem, o.eye_blocks, features::Pooling::kNone, 2, kEyeKept}, static_cast<int>(2 * kDenseEye), 0.0),
        mouth(TrunkShape{o.mouth_crop, o.mouth_stem, o.mouth_blocks, features::Pooling::kNone, 1, kMouthKept},
              static_cast<int>(2 * kDenseMouth), 0.0) {
    register_module("eye", eye);
    register_module("mouth", mouth);
  }
  // Answers begin about where the points are in the mean.
  void BeginAt(const Batch& batch) {
    const torch::NoGradGuard no_grad;
    for (const auto& [net, part] : {std::pair{&eye, &batch.eyes}, std::pair{&mouth, &batch.mouths}}) {
      (*net)->head->weight.mul_(0.1);
      (*net)->head->bias.copy_(part->place.mean(0).flatten());
    }
  }
  Trunk eye, mouth;
};
TORCH_MODULE(Pair);

torch::Tensor Length(const torch::Tensor& difference) { return (difference.square().sum(2) + 1e-8).sqrt(); }

// Weighted mean distance of points, and of the gaps between some.
std::pair<torch::Tensor, torch::Tensor> LossesOf(const torch::Tensor& answer, const Part& part,
                                                 const std::vector<std::array<std::int64_t, 2>>& pairs) {
  const torch::Tensor place = answer.view({answer.size(0), -1, 2});
  const torch::Tensor distance = (Length(place - part.place) * part.weight).sum() / part.weight.sum().clamp_min(1);
  std::vector<std::int64_t> from, to;
  for (const auto& pair : pairs) from.push_back(pair[0]), to.push_back(pair[1]);
  const torch::Tensor a = torch::tensor(from, torch::kLong).to(answer.device()), b = torch::tensor(to, torch::kLong).to(answer.device());
  const auto gap = [&](const torch::Tensor& t) { return t.index_select(1, a) - t.index_select(1, b); };
  const torch::Tensor weight = torch::minimum(part.weight.index_select(1, a), part.weight.index_select(1, b));
  return {distance, (Length(gap(place) - gap(part.place)) * weight).sum() / weight.sum().clamp_min(1)};
}

std::vector<torch::Tensor> Losses(Pair& nets, const Batch& batch, bool reduced) {
  torch::Tensor eye, mouth;
  {
    const Reduced precision(reduced, batch.eyes.pictures.is_cuda());
    eye = nets->eye->Embed(NormalisedPictures(batch.eyes.pictures));
    mouth = nets->mouth->Embed(NormalisedPictures(batch.mouths.pictures));
  }
  // Heads in full precision: three digits are too few for a place in the picture.
  static const auto kEyeGaps = EyeGaps(), kMouthGaps = MouthGaps();
  const auto [eye_distance, eye_gap] = LossesOf(nets->eye->head(eye), batch.eyes, kEyeGaps);
  const auto [mouth_distance, mouth_gap] = LossesOf(nets->mouth->head(mouth), batch.mouths, kMouthGaps);
  return {eye_distance + mouth_distance + kGapWeight * (eye_gap + mouth_gap), eye_distance, mouth_distance};
}

LandmarkNetWeights WeightsOf(const Trunk& net) {
  return {net->Description(), Values(net->head->weight), Values(net->head->bias)};
}

// --start-from is no part: the weights that a training began with are in its state.
nlohmann::json Record(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos, const DenseTrainOptions& o) {
  return {{"--renders", Fingerprint(renders)}, {"--photos", Fingerprint(photos)}, {"--eye-crop", o.eye_crop}, {"--eye-stem", o.eye_stem},
          {"--eye-blocks", o.eye_blocks}, {"--mouth-crop", o.mouth_crop}, {"--mouth-stem", o.mouth_stem}, {"--mouth-blocks", o.mouth_blocks},
          {"--steps", o.steps}, {"--batch", o.batch}, {"--photo-share", o.photo_share}, {"--shut-share", o.shut_share}, {"--rate", o.rate},
          {"--decay", o.decay}, {"--precision", o.reduced ? "bf16" : "fp32"}, {"--seed", o.seed}};
}

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument("dense." + text);
}

}  // namespace

void DenseTrainOptions::Validate() const {
  Require(eye_crop >= 32 && eye_crop <= 128, MustBe("eye_crop", eye_crop, "32..128"));
  Require(mouth_crop >= 32 && mouth_crop <= 128, MustBe("mouth_crop", mouth_crop, "32..128"));
  for (const int stem : {eye_stem, mouth_stem}) Require(stem >= 8 && stem <= 128, MustBe("stem", stem, "8..128"));
  for (const std::vector<int>* blocks : {&eye_blocks, &mouth_blocks}) {
    Require(blocks->size() >= 3 && blocks->size() <= 6, MustBe("blocks", blocks->size(), "3..6 numbers of channels"));
    for (const int channels : *blocks) Require(channels >= 8 && channels <= 1024, MustBe("blocks", channels, "8..1024"));
  }
  Require(steps > 0 && steps <= 100'000'000, MustBe("steps", steps, "> 0"));
  Require(batch >= 8 && batch <= 4096, MustBe("batch", batch, "8..4096"));
  Require(photo_share >= 0 && photo_share <= 1, MustBe("photo_share", photo_share, "0..1"));
  Require(shut_share >= 0 && shut_share <= 1, MustBe("shut_share", shut_share, "0..1"));
  ValidateTraining("dense");
}

DenseTrainSummary TrainDense(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                             const DenseTrainOptions& options, const std::function<void(const DenseTrainProgress&)>& report,
                             const std::function<bool()>& stop) {
  options.Validate();
  const auto start = Clock::now();
  const torch::Device device = DeviceOf(options.device);
  torch::set_num_threads(options.jobs);
  torch::manual_seed(options.seed);
  Require(renders.size() >= 20, "renders: " + std::to_string(renders.size()) + " are too few to train on; needs 20");

  const Batches batches(renders, photos, options);
  Pair nets(options), average(options);
  nets->BeginAt(batches.Make(options.steps));
  CopyWeights(*nets, *average);
  for (Pair* each : {&nets, &average}) (*each)->to(device);
  TrainingState state{nets.ptr(), average.ptr(), MakeOptimiser(*nets, options), Record(renders, photos, options)};
  state.Begin(options.state, options.start_from, [&] { return MakeOptimiser(*nets, options); });

  auto next = std::async(std::launch::async, [&, step = state.step] { return batches.Make(step); });
  nets->train();
  const auto losses = [&] {
    Batch batch = next.get();
    next = std::async(std::launch::async, [&, step = state.step + 1] { return batches.Make(step); });
    for (Part* part : {&batch.eyes, &batch.mouths}) {
      for (torch::Tensor* t : {&part->pictures, &part->place, &part->weight}) *t = t->to(device);
    }
    return Losses(nets, batch, options.reduced);
  };
  const bool finished = RunSteps(
      state, options, {options.steps, 20}, losses,
      [&](const StepReport& now) {
        if (report) report({now.step, options.steps, now.seconds, now.means[0], now.means[1]});
      },
      stop);
  next.wait();
  return {{WeightsOf(average->eye), WeightsOf(average->mouth)}, state.step, finished, SecondsSince(start)};
}

}  // namespace auforge::annotator
