// Training from shards to checkpoint on a network small enough for a test: resume, damage, refusals; and the
// editor.
#include "gan/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/hdf5_file.h"
#include "gan/communicator.h"
#include "gan/editor.h"
#include "gan/event_writer.h"
#include "gan/face_dataset.h"
#include "gan/internal/checkpoint.h"
#include "gan/weights.h"
#include "tests/gan/faces.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::WriteFaces;

TrainOptions SmallOptions(const tests::TempDir& dir, const std::string& run) {
  TrainOptions options;
  options.shards = {dir / "shards"};
  options.run = dir / run;
  options.network = {.image_size = 32, .conv_dim = 4, .aus = 17, .generator_blocks = 1, .critic_layers = 3};
  options.batch = 4;
  options.epochs = 100;
  options.decay_epochs = 0;
  options.critic_steps = 2;
  options.max_steps = 8;
  options.jobs = 1;
  options.samples = 2;
  return options;
}

TrainSummary TrainQuietly(const TrainOptions& options) { return Train(options, {}, {}, {}); }

// Every tensor of a checkpoint.
std::vector<float> Weights(const std::string& path) {
  const Checkpoint checkpoint = LoadCheckpoint(path, true);
  std::vector<float> all;
  const auto append = [&all](const std::vector<torch::Tensor>& tensors) {
    for (const torch::Tensor& t : tensors) {
      const torch::Tensor flat = t.to(torch::kFloat).contiguous().view({-1});
      all.insert(all.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
    }
  };
  append(checkpoint.state.generator.Tensors());
  append(checkpoint.state.discriminator.Tensors());
  append(checkpoint.state.generator_average.Tensors());
  append(checkpoint.state.generator_adam.square);
  append(checkpoint.state.discriminator_adam.mean);
  return all;
}

template <typename Error, typename Call>
std::string Message(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Trainer, AResumedTrainingEndsAtTheSameWeights) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const std::vector<float> straight = Weights(TrainQuietly(SmallOptions(dir, "straight")).checkpoint);
  TrainOptions options = SmallOptions(dir, "pieces");
  for (const std::int64_t stop : {1, 3, 4, 7, 8}) {
    options.max_steps = stop;
    EXPECT_EQ(TrainQuietly(options).steps, stop);
  }
  EXPECT_EQ(Weights(dir / "pieces/checkpoint_00000008.h5"), straight);
}

TEST(Trainer, AStopRequestSavesAndTheNextRunGoesOn) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  int polls = 0;
  const TrainOptions options = SmallOptions(dir, "run");
  const TrainSummary stopped = Train(options, {}, {}, [&polls] { return ++polls > 3; });
  EXPECT_TRUE(stopped.stopped);
  EXPECT_FALSE(stopped.finished);
  EXPECT_EQ(stopped.steps, 3);
  const TrainSummary rest = TrainQuietly(options);
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(Weights(rest.checkpoint), Weights(TrainQuietly(SmallOptions(dir, "straight")).checkpoint));
}

TEST(Trainer, LearnsAndMovesBothNetworks) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.max_steps = 1;
  const std::vector<float> before = Weights(TrainQuietly(options).checkpoint);
  options.max_steps = 60;
  options.adam.rate = 1e-3;
  options.run = dir / "long";
  std::vector<double> regression;
  Train(options, [&](const TrainProgress& p) { regression.push_back(p.terms.at("d_cond")); }, {}, {});
  const std::vector<float> after = Weights(dir / "long/checkpoint_00000060.h5");
  ASSERT_EQ(before.size(), after.size());
  EXPECT_NE(before, after);
  for (const float w : after) ASSERT_TRUE(std::isfinite(w));
  ASSERT_FALSE(regression.empty());
}

TEST(Trainer, ATruncatedCheckpointCostsNoMoreThanItsSteps) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.max_steps = 4;
  TrainQuietly(options);
  options.max_steps = 6;
  const std::string newest = TrainQuietly(options).checkpoint;
  fs::resize_file(newest, fs::file_size(newest) / 2);
  std::vector<std::string> warnings;
  options.max_steps = 8;
  const TrainSummary summary =
      Train(options, {}, [&](const std::string& text) { warnings.push_back(text); }, {});
  EXPECT_EQ(summary.steps, 8);
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("checkpoint_00000006.h5")));
  EXPECT_EQ(Weights(summary.checkpoint), Weights(TrainQuietly(SmallOptions(dir, "straight")).checkpoint));
}

TEST(Trainer, KeepsTheLastCheckpoints) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  for (const std::int64_t stop : {1, 2, 3, 4}) {
    options.max_steps = stop;
    TrainQuietly(options);
  }
  const std::vector<std::string> kept = FindCheckpoints(options.run);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_THAT(kept.back(), HasSubstr("checkpoint_00000004.h5"));
}

TEST(Trainer, RefusesOtherSettingsNamingThem) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.max_steps = 1;
  TrainQuietly(options);
  options.batch = 5;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("batch"));
}

TEST(Trainer, NamesTooFewFacesAndMissingAus) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 2);
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(SmallOptions(dir, "run")); }),
              HasSubstr("2 faces"));
  const tests::TempDir other;
  WriteFaces(other / "shards", 12, features::AuSchema({1, 12, 45}));
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(SmallOptions(other, "run")); }),
              HasSubstr("AU2"));
}

TEST(Trainer, ANumberThatRunsAwayNamesItsTermAndSparesTheCheckpoint) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.weights.au = 1e38;  // overflows at once
  options.adam.rate = 1e30;
  options.max_steps = 50;
  const std::string text = Message<TrainingDiverged>([&] { TrainQuietly(options); });
  EXPECT_FALSE(text.empty());
  EXPECT_THAT(text, testing::ContainsRegex("[dg]_[a-z]+"));
  for (const std::string& path : FindCheckpoints(options.run)) EXPECT_NO_THROW(LoadCheckpoint(path, true));
}

TEST(Trainer, OptionsNameWhatIsWrong) {
  TrainOptions options;
  options.shards = {"x"};
  options.run = "y";
  options.batch = 0;
  EXPECT_THAT(Message<std::invalid_argument>([&] { options.Validate(); }), HasSubstr("batch"));
  options.batch = 1;
  options.network.image_size = 48;
  EXPECT_THAT(Message<std::invalid_argument>([&] { options.Validate(); }), HasSubstr("image_size"));
}

TEST(BatchLoader, ShowsEveryFaceOnceAnEpochAndDependsOnItsPlaceAlone) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader forwards(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 2});
  BatchLoader jumping(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 1});
  ASSERT_EQ(forwards.BatchesPerEpoch(), 3);
  std::vector<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 3; ++i) {
    const HostBatch batch = forwards.Get(1, i);
    for (std::size_t k = 0; k < 4; ++k) {
      seen.emplace_back(batch.image.begin() + static_cast<std::ptrdiff_t>(k * data.ImageValues()),
                        batch.image.begin() + static_cast<std::ptrdiff_t>((k + 1) * data.ImageValues()));
    }
    for (const float v : batch.target) EXPECT_TRUE(v >= 0 && v <= 1);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end()) << "a face came twice";
  EXPECT_EQ(jumping.Get(1, 2).image, forwards.Get(1, 2).image);
  EXPECT_NE(jumping.Get(2, 2).image, forwards.Get(1, 2).image);
}

// bfloat16, the averaged generator, the paper's losses and the published order of steps, cut into pieces.
TEST(Trainer, EveryVariantResumesExactly) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  int variant = 0;
  for (const Precision precision : {Precision::kFloat, Precision::kBfloat16}) {
    for (const CriticStep step : {CriticStep::kPublished, CriticStep::kSummed}) {
      TrainOptions options = SmallOptions(dir, "straight" + std::to_string(variant));
      options.precision = precision;
      options.critic_step = step;
      options.average = 0.9;
      options.weights.form = variant % 2 == 0 ? LossForm::kCode : LossForm::kPaper;
      options.decay_epochs = 99;
      const std::vector<float> straight = Weights(TrainQuietly(options).checkpoint);
      for (const float w : straight) ASSERT_TRUE(std::isfinite(w));
      options.run = dir / ("pieces" + std::to_string(variant++));
      for (const std::int64_t stop : {3, 5, 8}) {
        options.max_steps = stop;
        TrainQuietly(options);
      }
      EXPECT_EQ(Weights(options.run + "/checkpoint_00000008.h5"), straight);
    }
  }
}

TEST(Trainer, WritesBestSamplesTableAndEvents) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  TrainQuietly(options);
  const Checkpoint best = LoadCheckpoint(options.run + "/best.h5", true);
  EXPECT_EQ(best.step, 8);
  EXPECT_TRUE(std::isfinite(best.best_score));
  EXPECT_TRUE(fs::exists(options.run + "/samples/00000008.png"));
  EXPECT_THAT(tests::ReadText(options.run + "/metrics.csv"), testing::ContainsRegex("step,.*data_wait\n8,"));
  int events = 0;
  for (const auto& entry : fs::directory_iterator(options.run)) {
    events += entry.path().filename().string().starts_with("events.out.tfevents.") ? 1 : 0;
  }
  EXPECT_EQ(events, 1);
  // best.h5 stays when its step's checkpoint has been dropped.
  options.keep = 1;
  options.max_steps = 9;
  TrainQuietly(options);
  EXPECT_FALSE(fs::exists(options.run + "/checkpoint_00000008.h5"));
  EXPECT_NO_THROW(LoadCheckpoint(options.run + "/best.h5", true));
}

// Weights alone: what was learnt goes on, the optimisers start again.
TEST(Trainer, StartsFromTheWeightsOfAnotherRun) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const Checkpoint first = LoadCheckpoint(TrainQuietly(SmallOptions(dir, "first")).checkpoint, true);
  TrainOptions options = SmallOptions(dir, "second");
  options.start_from = dir / "first";
  options.seed = 5;
  options.batch = 3;
  const TrainSummary at_once = Train(options, {}, {}, [] { return true; });
  EXPECT_EQ(at_once.steps, 0);
  const Checkpoint second = LoadCheckpoint(at_once.checkpoint, true);
  for (const auto& [name, value] : first.state.generator.entries())
    EXPECT_TRUE(torch::equal(second.state.generator[name], value)) << name;
  for (const auto& [name, value] : first.state.discriminator.entries())
    EXPECT_TRUE(torch::equal(second.state.discriminator[name], value)) << name;
  EXPECT_EQ(second.state.generator_adam.step, 0);
  EXPECT_EQ(second.state.discriminator_adam.mean[0].abs().max().item<float>(), 0);
  // Going on does not look there again.
  fs::rename(dir / "first", dir / "elsewhere");
  const std::vector<float> resumed = Weights(TrainQuietly(options).checkpoint);
  options.run = dir / "straight";
  options.start_from = dir / "elsewhere";
  EXPECT_EQ(Weights(TrainQuietly(options).checkpoint), resumed);
}

TEST(Trainer, RefusesToStartFromOtherNetworksSayingWhich) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainQuietly(SmallOptions(dir, "first"));
  TrainOptions options = SmallOptions(dir, "second");
  options.start_from = dir / "nothing.h5";
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(options); }), HasSubstr("nothing.h5"));
  options.start_from = dir / "first";
  options.network.conv_dim = 8;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--conv-dim 4"));
  options.network.conv_dim = 4;
  options.network.image_size = 64;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--image-size 32"));
  options.network.image_size = 32;
  options.schema = features::AuSchema({1, 2});
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--aus AU1,"));
  EXPECT_TRUE(FindCheckpoints(options.run).empty());
}

// What is given away is a generator alone: it has no fixed size, and its critic is new.
TEST(Trainer, StartsFromAGeneratorAloneAtAnotherSize) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainQuietly(SmallOptions(dir, "first"));
  ExportWeights(dir / "first", dir / "half.h5", true);
  TrainOptions options = SmallOptions(dir, "second");
  options.start_from = dir / "half.h5";
  options.network.image_size = 64;
  std::vector<std::string> warnings;
  const TrainSummary summary = Train(
      options, {}, [&](const std::string& text) { warnings.push_back(text); }, [] { return true; });
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("no critic")));
  const Checkpoint half = LoadCheckpoint(dir / "half.h5", false);
  const Checkpoint second = LoadCheckpoint(summary.checkpoint, true);
  for (const auto& [name, value] : half.state.generator.entries())
    EXPECT_TRUE(torch::equal(second.state.generator[name], value)) << name;
}

// The largest published size: learns, resumes exactly, edits.
TEST(Trainer, TakesFacesOf256Pixels) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "straight");
  options.network.image_size = 256;
  options.network.critic_layers = 8;
  options.adam.rate = 1e-3;
  options.batch = 2;
  options.samples = 0;
  // Reports average over the steps since the one before, however many the machine's speed makes them.
  const auto regression = [&](std::int64_t from, std::int64_t to) {
    std::int64_t at = from;
    double sum = 0;
    options.max_steps = to;
    Train(options,
          [&](const TrainProgress& p) {
            sum += p.terms.at("d_cond") * static_cast<double>(p.step - at);
            at = p.step;
          },
          {}, {});
    return sum / static_cast<double>(to - from);
  };
  const double before = regression(0, 2), after = regression(2, 16);
  EXPECT_LT(after, before / 2);
  const std::vector<float> straight = Weights(options.run + "/checkpoint_00000016.h5");
  options.run = dir / "pieces";
  for (const std::int64_t stop : {5, 16}) {
    options.max_steps = stop;
    TrainQuietly(options);
  }
  EXPECT_EQ(Weights(options.run + "/checkpoint_00000016.h5"), straight);
  const Editor editor(options.run);
  const EditedFace edited = editor.Edit(tests::Texture(256, 256, 3, 5), std::vector<float>(17, 0.5F));
  EXPECT_EQ(edited.face.cols, 256);
  EXPECT_TRUE(cv::checkRange(edited.face));
}

TEST(Trainer, TakesAnyAus) {
  const tests::TempDir dir;
  const features::AuSchema few({4, 12, 25});
  WriteFaces(dir / "shards", 12, few);
  TrainOptions options = SmallOptions(dir, "run");
  options.schema = few;
  options.max_steps = 2;
  TrainQuietly(options);
  const Editor editor(options.run);
  EXPECT_EQ(editor.schema().Names(), few.Names());
  EXPECT_NO_THROW(editor.Edit(tests::Texture(32, 32, 3, 5), std::vector<float>(3, 0.5F)));
}

TEST(Trainer, SaysThatThereIsNoCuda) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is";
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.device = "cuda";
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--device cuda"));
}

TEST(Weights, HalfPrecisionEditsNearlyTheSameAndIsSmall) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.average = 0.5;
  const std::string checkpoint = TrainQuietly(options).checkpoint;
  ExportWeights(options.run, dir / "half.h5", true);
  EXPECT_LT(fs::file_size(dir / "half.h5"), fs::file_size(checkpoint) / 4);
  const Editor full(options.run), half(dir / "half.h5");
  const cv::Mat crop = tests::Texture(32, 32, 3, 5);
  const std::vector<float> aus(17, 0.7F);
  cv::Mat difference;
  cv::absdiff(full.Edit(crop, aus).face, half.Edit(crop, aus).face, difference);
  double most = 0;
  cv::minMaxLoc(difference.reshape(1), nullptr, &most);
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 0.01);
  EXPECT_THAT(Message<std::runtime_error>([&] { LoadCheckpoint(dir / "half.h5", true); }),
              HasSubstr("half.h5"));
}

TEST(Weights, ExportedAndImportedAreTheSameAndTrainOn) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  const Checkpoint before = LoadCheckpoint(TrainQuietly(options).checkpoint, true);
  ExportWeights(options.run, dir / "weights.h5", false);
  const std::string path = ImportWeights(dir / "weights.h5", dir / "other", {});
  const Checkpoint after = LoadCheckpoint(path, true);
  EXPECT_EQ(after.network.image_size, 32);
  EXPECT_EQ(after.network.critic_layers, 3);
  EXPECT_EQ(after.network.generator_blocks, 1);
  EXPECT_EQ(after.schema.Names(), before.schema.Names());
  for (const auto& [name, value] : before.state.generator.entries())
    EXPECT_TRUE(torch::equal(after.state.generator[name], value)) << name;
  for (const auto& [name, value] : before.state.discriminator.entries()) {
    EXPECT_TRUE(torch::equal(after.state.discriminator[name], value)) << name;
  }
  options.run = dir / "other";
  options.batch = 3;  // other settings are free after an import, other networks are not
  options.max_steps = 2;
  EXPECT_EQ(TrainQuietly(options).steps, 2);
  EXPECT_THAT(Message<std::runtime_error>([&] { ImportWeights(dir / "weights.h5", dir / "other", {}); }),
              HasSubstr("other"));
  ImportWeights(dir / "weights.h5", dir / "third", {});
  options.run = dir / "third";
  options.network.conv_dim = 8;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--conv-dim 4"));
  tests::WriteText(dir / "text.h5", "no HDF5");
  EXPECT_THAT(Message<std::runtime_error>([&] { ImportWeights(dir / "text.h5", dir / "fourth", {}); }),
              HasSubstr("text.h5"));
}

TEST(BatchLoader, PartsOfProcessesMakeTheWholeBatch) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader whole(data, {.batch = 4, .seed = 3, .jobs = 1});
  const HostBatch all = whole.Get(0, 1);
  HostBatch joined;
  for (const int part : {0, 1}) {
    BatchLoader loader(data, {.batch = 4, .part = part, .parts = 2, .seed = 3, .jobs = 1});
    const HostBatch half = loader.Get(0, 1);
    EXPECT_EQ(half.size, 2);
    joined.image.insert(joined.image.end(), half.image.begin(), half.image.end());
    joined.aus.insert(joined.aus.end(), half.aus.begin(), half.aus.end());
    joined.target.insert(joined.target.end(), half.target.begin(), half.target.end());
    joined.alpha.insert(joined.alpha.end(), half.alpha.begin(), half.alpha.end());
  }
  EXPECT_EQ(joined.image, all.image);
  EXPECT_EQ(joined.aus, all.aus);
  EXPECT_EQ(joined.target, all.target);
  EXPECT_EQ(joined.alpha, all.alpha);
  EXPECT_THROW(BatchLoader(data, {.batch = 4, .parts = 3}), std::invalid_argument);
}

TEST(Editor, AttentionOfOneKeepsTheInput) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  TrainOptions options = SmallOptions(dir, "run");
  options.max_steps = 2;
  const std::string path = TrainQuietly(options).checkpoint;
  const Editor editor(options.run);
  EXPECT_EQ(editor.path(), path);
  EXPECT_EQ(editor.image_size(), 32);
  const cv::Mat crop = tests::Texture(32, 32, 3, 5);
  const std::vector<float> aus(17, 0.5F);
  const EditedFace edited = editor.Edit(crop, aus);
  ASSERT_EQ(edited.face.size(), crop.size());
  double low = 0, high = 0;
  cv::minMaxLoc(edited.attention, &low, &high);
  EXPECT_GE(low, 0);
  EXPECT_LE(high, 1);
  // The picture is attention * input + (1 - attention) * colour: it cannot differ by more than 1 - attention.
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float in = static_cast<float>(crop.at<cv::Vec3b>(y, x)[c]) / 255;
        EXPECT_LE(std::abs(edited.face.at<cv::Vec3f>(y, x)[c] - in),
                  1.0F - edited.attention.at<float>(y, x) + 1e-4F);
      }
    }
  }
  EXPECT_THROW(editor.Edit(crop, std::vector<float>(3)), std::invalid_argument);
}

TEST(Editor, NamesAFolderWithoutCheckpointsAndAFileThatIsNone) {
  const tests::TempDir dir;
  fs::create_directories(dir / "empty");
  EXPECT_THAT(Message<std::runtime_error>([&] { Editor e(dir / "empty"); }), HasSubstr("empty"));
  tests::WriteText(dir / "text.h5", "not HDF5");
  EXPECT_THAT(Message<std::runtime_error>([&] { Editor e(dir / "text.h5"); }), HasSubstr("text.h5"));
}

}  // namespace
}  // namespace auforge::gan
