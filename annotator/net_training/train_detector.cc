#include "annotator/net_training/train_detector.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <numeric>
#include <stdexcept>

#include "annotator/detector_answers.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/detector_scene.h"
#include "annotator/net_training/internal/training_loop.h"
#include "annotator/net_training/internal/trunk.h"

namespace auforge::annotator {
namespace {

constexpr int kCell = features::GridNet::kCell;
constexpr auto kAnswers = static_cast<std::int64_t>(kDetectorAnswers);
// A cell answers for a face whose middle is this near, in sides of its box; up to the second nobody asks it.
constexpr float kNear = 0.2F, kNobodyAsks = 0.45F;
constexpr double kBoxWeight = 2, kPointWeight = 0.5;
constexpr double kFaceShare = 0.5;       // of the focal loss: weight of faces against background
constexpr float kFirstLogit = -4;        // there are few faces
// Backgrounds that fool the net: so many are kept; so often, so many are looked at and so many of them taken.
constexpr std::int64_t kKept = 1536, kMineEvery = 150, kLookedAt = 320, kTaken = 48;
constexpr double kMinedShare = 0.5;      // of the scenes without faces
constexpr std::uint64_t kOfMining = 1U << 30U, kOfScenes = 1U << 29U;  // streams of random numbers

struct Batch {
  torch::Tensor pictures;  // N x S x S x 3, u8
  torch::Tensor face;      // N x G x G: 1 a face, 0 none
  torch::Tensor asked;     // N x G x G: 0 where nobody asks
  torch::Tensor answers;   // N x 13 x G x G, of faces
  torch::Tensor side;      // N x G x G: of the face's box, pixels
};

torch::Tensor EmptyPictures(std::int64_t count, int side) { return torch::empty({count, side, side, 3}, torch::kUInt8); }

Batch EmptyBatch(std::int64_t count, int side) {
  const std::int64_t grid = side / kCell;
  return {EmptyPictures(count, side), torch::zeros({count, grid, grid}), torch::ones({count, grid, grid}),
          torch::zeros({count, kAnswers - 1, grid, grid}), torch::ones({count, grid, grid})};
}

void CopyPicture(const cv::Mat& picture, std::size_t i, torch::Tensor& pictures) {
  const std::size_t bytes = picture.total() * 3;
  std::copy_n(picture.isContinuous() ? picture.data : picture.clone().data, bytes, pictures.data_ptr<std::uint8_t>() + i * bytes);
}

// What the cells of scene i are to say.
void FillTargets(const Scene& scene, std::size_t i, Batch& batch) {
  const int grid = scene.picture.cols / kCell;
  const auto cells = static_cast<std::size_t>(grid) * static_cast<std::size_t>(grid);
  float* face = batch.face.data_ptr<float>() + i * cells;
  float* asked = batch.asked.data_ptr<float>() + i * cells;
  float* answers = batch.answers.data_ptr<float>() + i * cells * (kDetectorAnswers - 1);
  float* side = batch.side.data_ptr<float>() + i * cells;
  for (int row = 0; row < grid; ++row) {
    for (int column = 0; column < grid; ++column) {
      const features::Point2 middle = MiddleOf(column, row, kCell);
      const std::size_t cell = static_cast<std::size_t>(row) * static_cast<std::size_t>(grid) + static_cast<std::size_t>(column);
      float nearest = 1e9F;
      for (const SceneFace& f : scene.faces) {
        const float x = f.box.x + f.box.width / 2, y = f.box.y + f.box.height / 2, size = f.box.width;
        const float away = std::max(std::abs(x - middle.x), std::abs(y - middle.y));
        const bool holds_it = away <= kCell / 2.0F;
        if (!f.wanted && (away < (kNobodyAsks + .2F) * size || holds_it)) asked[cell] = 0;
        if (!f.wanted) continue;
        if (!(away < kNear * size || holds_it)) {
          if (away < kNobodyAsks * size) asked[cell] = 0;
          continue;
        }
        if (away / size >= nearest) continue;
        nearest = away / size;
        face[cell] = 1;
        side[cell] = size;
        const auto wanted = AnswersFor(f.box, f.points, middle);
        for (std::size_t k = 0; k < wanted.size(); ++k) answers[k * cells + cell] = wanted[k];
      }
      if (face[cell] > 0) asked[cell] = 1;
    }
  }
}

// Scenes of a step and scenes to mine from: pure functions of seed, step and what has been mined.
class Batches {
 public:
  Batches(const SceneSources& sources, const DetectorTrainOptions& options)
      : sources_(sources), options_(options), sizes_{options.side, kLeastDetectorFace, kMostDetectorFace} {}

  // mined: kKept streams of scenes without faces that fooled the net; -1: none yet.
  Batch Make(std::int64_t step, const std::vector<std::int64_t>& mined) const {
    Batch batch = EmptyBatch(options_.batch, options_.side);
    const auto empty = static_cast<std::size_t>(std::lround(options_.empty_share * options_.batch));
    std::mt19937_64 order = Stream(options_.seed, static_cast<std::uint64_t>(step), 0);
    std::vector<std::int64_t> streams(empty, -1);
    for (std::int64_t& stream : streams) {
      if (Uniform(order, 0, 1) < kMinedShare) stream = mined[order() % mined.size()];
    }
    InParallel(options_.jobs, static_cast<std::size_t>(options_.batch), [&](std::size_t i) {
      std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(step), kOfScenes + i);
      Scene scene;
      if (i >= empty) {
        scene = FaceScene(sources_, sizes_, random);
      } else {
        scene = streams[i] < 0 ? EmptyScene(sources_, sizes_, random) : Minable(streams[i]);
      }
      CopyPicture(scene.picture, i, batch.pictures);
      FillTargets(scene, i, batch);
    });
    return batch;
  }

  Scene Minable(std::int64_t stream) const {
    std::mt19937_64 random = Stream(options_.seed, static_cast<std::uint64_t>(stream), kOfMining);
    return EmptyScene(sources_, sizes_, random);
  }

  torch::Tensor MinablePictures(const std::vector<std::int64_t>& streams) const {
    torch::Tensor pictures = EmptyPictures(static_cast<std::int64_t>(streams.size()), options_.side);
    InParallel(options_.jobs, streams.size(), [&](std::size_t i) { CopyPicture(Minable(streams[i]).picture, i, pictures); });
    return pictures;
  }

 private:
  SceneSources sources_;
  const DetectorTrainOptions& options_;
  SceneSizes sizes_;
};

struct GridImpl : torch::nn::Module {
  explicit GridImpl(const DetectorTrainOptions& o) {
    const auto add = [this](const std::string& name, int in, int out, int kernel, int stride) {
      return register_module(name, NormedConvolution(in, out, kernel, stride));
    };
    stem = add("stem", 3, o.stem, 3, 2);
    second = add("second", o.stem, o.second, 3, 2);
    third = add("third", o.second, o.third, 3, 2);
    down = add("down", o.third, o.wide, 3, 2);
    for (int i = 0; i < o.context; ++i) {
      const std::string name = "context" + std::to_string(i);
      context.push_back({add(name + "_first", o.wide, o.narrow, 3, 1), add(name + "_second", o.narrow, o.wide, 3, 1),
                         add(name + "_shortcut", o.wide, o.wide, 1, 1)});
    }
    merge = add("merge", o.third, o.merge, 3, 1);
    lateral = add("lateral", o.wide, o.merge, 1, 1);
    last = add("last", o.merge, o.last, 3, 1);
    answer = register_module("answer", torch::nn::Conv2d(torch::nn::Conv2dOptions(o.last, kAnswers, 1)));
    const torch::NoGradGuard no_grad;
    answer->weight.mul_(0.3);
    answer->bias.zero_();
    answer->bias[0].fill_(kFirstLogit);
    mined = register_buffer("mined", torch::full({kKept}, -1, torch::kLong));
  }

  // x: [N,3,S,S]. [N,32,G,G], the channels that answers are linear in.
  torch::Tensor Features(torch::Tensor x) {
    const torch::Tensor fine = torch::relu(third(torch::relu(second(torch::relu(stem(x))))));
    x = torch::relu(down(fine));
    for (Block& block : context) x = torch::relu(block.second(torch::relu(block.first(x))) + block.shortcut(x));
    const torch::Tensor around = torch::upsample_nearest2d(lateral(x), {fine.size(2), fine.size(3)});
    return torch::relu(last(torch::relu(merge(fine) + around)));
  }

  features::GridNetDescription Description() const {
    features::GridNetDescription net;
    net.stem = stem->Folded(), net.second = second->Folded(), net.third = third->Folded(), net.down = down->Folded();
    for (const Block& b : context) net.context.push_back({b.first->Folded(), b.second->Folded(), b.shortcut->Folded()});
    net.merge = merge->Folded(), net.lateral = lateral->Folded(), net.last = last->Folded();
    net.answers = static_cast<int>(kAnswers);
    net.answer_weight = Values(answer->weight);
    net.answer_bias = Values(answer->bias);
    return net;
  }

  struct Block {
    NormedConvolution first{nullptr}, second{nullptr}, shortcut{nullptr};
  };
  NormedConvolution stem{nullptr}, second{nullptr}, third{nullptr}, down{nullptr}, merge{nullptr}, lateral{nullptr}, last{nullptr};
  std::vector<Block> context;
  torch::nn::Conv2d answer{nullptr};
  torch::Tensor mined;
};
TORCH_MODULE(Grid);

torch::Tensor Answers(Grid& net, const torch::Tensor& pictures, bool reduced) {
  torch::Tensor x;
  {
    const Reduced precision(reduced, pictures.is_cuda());
    x = net->Features(NormalisedPictures(pictures));
  }
  return net->answer(x.to(torch::kFloat));
}

struct StepLosses {
  torch::Tensor total, score, box, points;  // scalars
};

StepLosses Losses(Grid& net, const Batch& batch, bool reduced) {
  const torch::Tensor said = Answers(net, batch.pictures, reduced);
  const torch::Tensor count = batch.face.sum().clamp_min(1);
  // Focal loss (Lin et al. 2017), gamma 2.
  const torch::Tensor logit = said.select(1, 0), p = torch::sigmoid(logit);
  const torch::Tensor wrong = batch.face * (1 - p) + (1 - batch.face) * p;
  const torch::Tensor weight = batch.asked * wrong.square() * (batch.face * kFaceShare + (1 - batch.face) * (1 - kFaceShare));
  const torch::Tensor entropy = torch::binary_cross_entropy_with_logits(logit, batch.face, {}, {}, at::Reduction::None);
  const torch::Tensor score = (weight * entropy).sum() / count;
  // In sides of the box: pixels of a large face weigh less.
  const torch::Tensor off = (said.slice(1, 1) - batch.answers).abs();
  const torch::Tensor share = batch.face * kDetectorLength / batch.side;
  const torch::Tensor box = ((off.slice(1, 0, 2).sum(1) * share + off.select(1, 2) * batch.face).sum()) / count;
  const torch::Tensor points = (off.slice(1, 3).sum(1) * share).sum() / (5 * count);
  return {score + kBoxWeight * box + kPointWeight * points, score, box, points};
}

std::vector<std::int64_t> Numbers(const torch::Tensor& tensor) {
  const torch::Tensor t = tensor.to(torch::kCPU).contiguous();
  return {t.data_ptr<std::int64_t>(), t.data_ptr<std::int64_t>() + t.numel()};
}

// The most convincing of many scenes without faces take the places of the oldest kept.
void Mine(Grid& net, Grid& average, const Batches& batches, std::int64_t step, const DetectorTrainOptions& options, const torch::Device& device) {
  const torch::NoGradGuard no_grad;
  std::vector<std::int64_t> streams(kLookedAt);
  std::iota(streams.begin(), streams.end(), step / kMineEvery * kLookedAt);
  average->eval();
  std::vector<float> most;
  constexpr std::int64_t kAtOnce = 32;
  for (std::int64_t at = 0; at < kLookedAt; at += kAtOnce) {
    const std::vector<std::int64_t> some(streams.begin() + at, streams.begin() + at + kAtOnce);
    const torch::Tensor said = Answers(average, batches.MinablePictures(some).to(device), options.reduced);
    for (const float v : Values(said.select(1, 0).flatten(1).amax(1))) most.push_back(v);
  }
  std::vector<std::size_t> order(most.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return most[a] > most[b]; });
  std::vector<std::int64_t> kept = Numbers(net->mined);
  const std::int64_t first = step / kMineEvery * kTaken;
  for (std::int64_t i = 0; i < kTaken; ++i)
    kept[static_cast<std::size_t>((first + i) % kKept)] = streams[order[static_cast<std::size_t>(i)]];
  net->mined.copy_(torch::tensor(kept, torch::kLong));
}

// --start-from is no part: the weights that a training began with are in its state.
nlohmann::json Record(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                      const std::vector<cv::Mat>& backgrounds, const DetectorTrainOptions& o) {
  return {{"--renders", Fingerprint(renders)}, {"--photos", Fingerprint(photos)}, {"--backgrounds", Fingerprint(backgrounds)},
          {"--side", o.side}, {"channels", {o.stem, o.second, o.third, o.wide, o.narrow, o.merge, o.last}}, {"blocks of context", o.context},
          {"--steps", o.steps}, {"--batch", o.batch}, {"--empty-share", o.empty_share}, {"--photo-share", o.photo_share},
          {"--rate", o.rate}, {"--decay", o.decay}, {"--precision", o.reduced ? "bf16" : "fp32"}, {"--seed", o.seed}};
}

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument("detector." + text);
}

}  // namespace

void DetectorTrainOptions::Validate() const {
  Require(side >= 64 && side <= 512 && side % 16 == 0, MustBe("side", side, "a multiple of 16, 64..512"));
  for (const int channels : {stem, second, third, wide, narrow, merge, last})
    Require(channels >= 8 && channels <= 128, MustBe("channels", channels, "8..128"));
  Require(context >= 1 && context <= 8, MustBe("context", context, "1..8"));
  Require(steps > 0 && steps <= 100'000'000, MustBe("steps", steps, "> 0"));
  Require(batch >= 4 && batch <= 4096, MustBe("batch", batch, "4..4096"));
  Require(empty_share >= 0 && empty_share <= 0.9, MustBe("empty_share", empty_share, "0..0.9"));
  Require(photo_share >= 0 && photo_share <= 1, MustBe("photo_share", photo_share, "0..1"));
  ValidateTraining("detector");
}

DetectorTrainSummary TrainDetector(const std::vector<PointFace>& renders, const std::vector<PointFace>& photos,
                                   const std::vector<cv::Mat>& backgrounds, const DetectorTrainOptions& options,
                                   const std::function<void(const DetectorTrainProgress&)>& report,
                                   const std::function<bool()>& stop) {
  options.Validate();
  const auto start = Clock::now();
  const torch::Device device = DeviceOf(options.device);
  torch::set_num_threads(options.jobs);
  torch::manual_seed(options.seed);
  Require(renders.size() >= 20, "renders: " + std::to_string(renders.size()) + " are too few to train on; needs 20");
  Require(!backgrounds.empty(), "backgrounds: none");

  Grid net(options), average(options);
  CopyWeights(*net, *average);
  for (Grid* each : {&net, &average}) (*each)->to(device);
  TrainingState state{net.ptr(), average.ptr(), MakeOptimiser(*net, options), Record(renders, photos, backgrounds, options)};
  state.Begin(options.state, options.start_from, [&] { return MakeOptimiser(*net, options); });

  DetectorTrainProgress progress;
  progress.steps = options.steps;
  const Batches batches({&renders, &photos, &backgrounds, options.photo_share}, options);
  const auto make = [&](std::int64_t step) {
    return std::async(options.jobs > 1 ? std::launch::async : std::launch::deferred,
                      [&batches, step, mined = Numbers(net->mined)] { return batches.Make(step, mined); });
  };
  auto next = make(state.step);
  net->train();
  const auto losses = [&]() -> std::vector<torch::Tensor> {
    Batch batch = next.get();
    // Before the next batch is begun, so that a training that went on makes the same one.
    if (state.step % kMineEvery == kMineEvery - 1) Mine(net, average, batches, state.step, options, device);
    next = make(state.step + 1);
    for (torch::Tensor* t : {&batch.pictures, &batch.face, &batch.asked, &batch.answers, &batch.side}) *t = t->to(device);
    const StepLosses step = Losses(net, batch, options.reduced);
    return {step.total, step.score, step.box, step.points};
  };
  const bool finished = RunSteps(
      state, options, {progress.steps, 50}, losses,
      [&](const StepReport& now) {
        progress.step = now.step;
        progress.seconds = now.seconds;
        progress.score = now.means[0], progress.box = now.means[1], progress.points = now.means[2];
        if (report) report(progress);
      },
      stop);
  if (options.jobs > 1) next.wait();
  return {average->Description(), state.step, finished, SecondsSince(start)};
}

}  // namespace auforge::annotator
