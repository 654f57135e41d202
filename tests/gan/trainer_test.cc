// Training from shards to checkpoint: resume, damage, variants, what is written, refusals.
#include "gan/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <opencv2/core.hpp>

#include "gan/editor.h"
#include "gan/internal/checkpoint.h"
#include "tests/gan/faces.h"
#include "tests/gan/small_training.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using tests::WriteFaces;

class Trainer : public SmallTraining {};

TEST_F(Trainer, AResumedTrainingEndsAtTheSameWeights) {
  const std::vector<float> straight = StateOf(TrainQuietly(Options("straight")).checkpoint);
  TrainOptions options = Options("pieces");
  for (const std::int64_t stop : {1, 3, 4, 7, 8}) {
    options.max_steps = stop;
    EXPECT_EQ(TrainQuietly(options).steps, stop);
  }
  EXPECT_EQ(StateOf(dir_ / "pieces/checkpoint_00000008.h5"), straight);
}

TEST_F(Trainer, AStopRequestSavesAndTheNextRunGoesOn) {
  int polls = 0;
  const TrainOptions options = Options("run");
  const TrainSummary stopped = Train(options, {}, {}, [&polls] { return ++polls > 3; });
  EXPECT_TRUE(stopped.stopped);
  EXPECT_FALSE(stopped.finished);
  EXPECT_EQ(stopped.steps, 3);
  const TrainSummary rest = TrainQuietly(options);
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(StateOf(rest.checkpoint), StateOf(TrainQuietly(Options("straight")).checkpoint));
}

// Mean of the critic's AU loss over a training's steps; it starts or goes on at step `from`. Reports average
// over the steps since the one before, however many the machine's speed makes them.
double MeanRegression(const TrainOptions& options, std::int64_t from) {
  std::int64_t at = from;
  double sum = 0;
  Train(options,
        [&](const TrainProgress& p) {
          sum += p.terms.at("d_cond") * static_cast<double>(p.step - at);
          at = p.step;
        },
        {}, {});
  return sum / static_cast<double>(options.max_steps - from);
}

TEST_F(Trainer, LearnsAndMovesBothNetworks) {
  TrainOptions options = Options("run");
  options.adam.rate = 1e-3;
  options.max_steps = 4;
  const double before = MeanRegression(options, 0);
  const Checkpoint early = LoadCheckpoint(options.run + "/checkpoint_00000004.h5", true);
  options.max_steps = 60;
  EXPECT_LT(MeanRegression(options, 4), before / 2);
  const Checkpoint late = LoadCheckpoint(options.run + "/checkpoint_00000060.h5", true);
  for (const auto& [name, value] : late.state.generator.entries()) {
    EXPECT_FALSE(torch::equal(value, early.state.generator[name])) << name;
    EXPECT_TRUE(torch::isfinite(value).all().item<bool>()) << name;
  }
  for (const auto& [name, value] : late.state.discriminator.entries()) {
    EXPECT_FALSE(torch::equal(value, early.state.discriminator[name])) << name;
    EXPECT_TRUE(torch::isfinite(value).all().item<bool>()) << name;
  }
}

TEST_F(Trainer, ATruncatedCheckpointCostsNoMoreThanItsSteps) {
  TrainOptions options = Options("run");
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
  EXPECT_EQ(StateOf(summary.checkpoint), StateOf(TrainQuietly(Options("straight")).checkpoint));
}

TEST_F(Trainer, ACheckpointThatCannotBeReadNowIsNotSetAside) {
  TrainOptions options = Options("run");
  options.max_steps = 4;
  TrainQuietly(options);
  const std::string newest = dir_ / "run/checkpoint_00000004.h5";
  fs::rename(newest, dir_ / "sound.h5");
  fs::create_directory(newest);  // cannot be read as a file, whoever runs the test
  options.max_steps = 8;
  const std::string said = Message<std::runtime_error>([&] { TrainQuietly(options); });
  EXPECT_NE(said.find("is a folder"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(newest + ".damaged"));
  fs::remove(newest);
  fs::rename(dir_ / "sound.h5", newest);
  EXPECT_EQ(TrainQuietly(options).steps, 8);
}

TEST_F(Trainer, ASecondTrainingInTheSameNewFolderSaysSo) {
  const TrainOptions options = Options("run");
  TrainOptions other = options;
  other.seed = options.seed + 1;
  // The other begins and ends while this one is on its way.
  bool has_come = false;
  const std::string said = Message<std::invalid_argument>([&] {
    Train(options, {}, {}, [&] {
      if (!has_come) {
        has_come = true;
        TrainQuietly(other);
      }
      return false;
    });
  });
  EXPECT_NE(said.find("another training has put it there meanwhile"), std::string::npos) << said;
  EXPECT_NE(said.find("was trained with seed"), std::string::npos) << said;
}

TEST_F(Trainer, KeepsTheLastCheckpoints) {
  TrainOptions options = Options("run");
  for (const std::int64_t stop : {1, 2, 3, 4}) {
    options.max_steps = stop;
    TrainQuietly(options);
  }
  const std::vector<std::string> kept = FindCheckpoints(options.run);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_THAT(kept.back(), HasSubstr("checkpoint_00000004.h5"));
}

// bfloat16, the averaged generator, the paper's losses and the published order of steps, cut into pieces.
TEST_F(Trainer, EveryVariantResumesExactly) {
  int variant = 0;
  for (const Precision precision : {Precision::kFloat, Precision::kBfloat16}) {
    for (const CriticStep step : {CriticStep::kPublished, CriticStep::kSummed}) {
      TrainOptions options = Options("straight" + std::to_string(variant));
      options.precision = precision;
      options.critic_step = step;
      options.average = 0.9;
      options.weights.form = variant % 2 == 0 ? LossForm::kCode : LossForm::kPaper;
      options.decay_epochs = 99;
      const std::vector<float> straight = StateOf(TrainQuietly(options).checkpoint);
      for (const float w : straight) ASSERT_TRUE(std::isfinite(w));
      options.run = dir_ / ("pieces" + std::to_string(variant++));
      for (const std::int64_t stop : {3, 5, 8}) {
        options.max_steps = stop;
        TrainQuietly(options);
      }
      EXPECT_EQ(StateOf(options.run + "/checkpoint_00000008.h5"), straight);
    }
  }
}

TrainOptions WithPairs(TrainOptions options, const std::string& pairs) {
  options.pairs = {pairs};
  options.photo_share = 0.25;
  options.paired_only_steps = 3;
  options.unsure_label = 0.5F;
  options.average = 0.9;
  return options;
}

TEST_F(Trainer, PairsResumeExactly) {
  tests::WritePairs(dir_ / "pairs");
  int variant = 0;
  for (const Precision precision : {Precision::kFloat, Precision::kBfloat16}) {
    TrainOptions options = WithPairs(Options("straight" + std::to_string(variant)), dir_ / "pairs");
    options.precision = precision;
    const std::vector<float> straight = StateOf(TrainQuietly(options).checkpoint);
    for (const float w : straight) ASSERT_TRUE(std::isfinite(w));
    options.run = dir_ / ("pieces" + std::to_string(variant++));
    for (const std::int64_t stop : {1, 3, 4, 7, 8}) {
      options.max_steps = stop;
      TrainQuietly(options);
    }
    EXPECT_EQ(StateOf(options.run + "/checkpoint_00000008.h5"), straight);
  }
}

// Faces kept as bytes are the same faces to the bit, mirrored ones and partners too: a training may change its mind.
TEST_F(Trainer, FacesKeptWhereTheComputingIsAreTheSame) {
  tests::WritePairs(dir_ / "pairs");
  for (const bool pairs : {false, true}) {
    const std::string name = pairs ? "paired" : "plain";
    const auto with = [&](const std::string& run) {
      return pairs ? WithPairs(Options(run), dir_ / "pairs") : Options(run);
    };
    const std::vector<float> straight = StateOf(TrainQuietly(with("straight-" + name)).checkpoint);
    TrainOptions options = with("kept-" + name);
    for (const char* kept : {"yes", "no", "yes"}) {
      options.data_on_device = kept;
      options.max_steps = options.max_steps == 8 ? 3 : options.max_steps == 3 ? 5 : 7;
      TrainQuietly(options);
    }
    options.max_steps = 8;
    EXPECT_EQ(StateOf(TrainQuietly(options).checkpoint), straight) << name;
  }
  TrainOptions options = Options("other");
  options.data_on_device = "perhaps";
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("auto, yes or no"));
}

TEST_F(Trainer, Tf32IsOfGpus) {
  TrainOptions options = Options("run");
  options.precision = Precision::kTf32;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--precision tf32 is of GPUs"));
}

// Without their weight pairs are faces like all others, to the bit.
TEST_F(Trainer, PairsWithoutWeightAreGanimation) {
  tests::WritePairs(dir_ / "pairs");
  TrainOptions plain = Options("plain"), weightless = Options("weightless");
  plain.shards.push_back(dir_ / "pairs");
  weightless.pairs = {dir_ / "pairs"};
  weightless.weights.paired = 0;
  const std::string a = TrainQuietly(plain).checkpoint, b = TrainQuietly(weightless).checkpoint;
  EXPECT_EQ(StateOf(a), StateOf(b));
  EXPECT_EQ(LoadCheckpoint(a, false).settings, LoadCheckpoint(b, false).settings);
  EXPECT_EQ(LoadCheckpoint(a, false).best_score, LoadCheckpoint(b, false).best_score);
}

// The answer shows at once what GANimation has to find out.
TEST_F(Trainer, AnswersAreLearntAloneAndWithTheCritic) {
  tests::WritePairs(dir_ / "pairs");
  TrainOptions options = WithPairs(Options("run"), dir_ / "pairs");
  options.shards.clear();
  options.adam.rate = 2e-3;
  options.paired_only_steps = 50;
  std::map<std::int64_t, double> l1;
  const auto train = [&] {
    Train(options, [&](const TrainProgress& p) { l1[p.step] = p.terms.at("g_pair_l1"); }, {}, {});
  };
  options.max_steps = 1;
  train();
  const double before = l1.at(1);
  options.max_steps = 49;
  train();
  options.max_steps = 50;
  train();
  EXPECT_LT(l1.at(50), before / 2);
  options.max_steps = 60;
  train();
  EXPECT_LT(l1.at(60), before / 2) << "the critic has not undone it";
  EXPECT_THAT(tests::ReadText(options.run + "/metrics.csv"), HasSubstr("g_pair_l1,g_pair_feature,g_pair_attention"));
}

TEST_F(Trainer, AFlowResumesExactlyAndIsComparedAndChecked) {
  tests::WritePairs(dir_ / "pairs");
  TrainOptions options = WithPairs(Options("straight"), dir_ / "pairs");
  options.network.flow = true;
  const std::vector<float> straight = StateOf(TrainQuietly(options).checkpoint);
  for (const float w : straight) ASSERT_TRUE(std::isfinite(w));
  options.run = dir_ / "pieces";
  for (const std::int64_t stop : {1, 3, 6, 8}) {
    options.max_steps = stop;
    TrainQuietly(options);
  }
  EXPECT_EQ(StateOf(options.run + "/checkpoint_00000008.h5"), straight);
  EXPECT_THAT(tests::ReadText(options.run + "/metrics.csv"), HasSubstr("g_pair_attention,g_pair_flow,g_pair_flow_smooth"));
  options.colour_cast = 0.3F;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("colour_cast"));
  options.run = dir_ / "cast";
  options.max_steps = 8;
  const std::vector<float> in_any_light = StateOf(TrainQuietly(options).checkpoint);
  EXPECT_NE(in_any_light, straight);
  options.run = dir_ / "cast in pieces";
  for (const std::int64_t stop : {4, 8}) {
    options.max_steps = stop;
    options.data_on_device = stop == 4 ? "yes" : "no";
    TrainQuietly(options);
  }
  EXPECT_EQ(StateOf(options.run + "/checkpoint_00000008.h5"), in_any_light);
  options.colour_cast = 0;
  options.run = dir_ / "pieces";
  options.weights.flow = 3;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("lambda_flow"));
  options.weights.flow = -1;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("flow"));
  options.weights.flow = 25;
  options.network.flow = false;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("flow"));
}

TEST_F(Trainer, OptionsOfPairsAreComparedAndChecked) {
  tests::WritePairs(dir_ / "pairs");
  TrainOptions options = WithPairs(Options("run"), dir_ / "pairs");
  options.max_steps = 1;
  TrainQuietly(options);
  options.weights.feature = 3;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("lambda_feature"));
  options.pairs.clear();
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--paired-only-steps needs --pairs"));
  options = WithPairs(Options("other"), dir_ / "pairs");
  options.weights.paired = -1;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("paired"));
  options.weights.paired = 1;
  options.photo_share = 0.99;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--photo-share"));
  // Weights of other AUs.
  tests::WritePairs(dir_ / "few", {.schema = features::AuSchema({4, 12, 25})});
  options = WithPairs(Options("third"), dir_ / "few");
  options.shards.clear();
  options.schema = features::AuSchema({4, 12, 25});
  options.start_from = dir_ / "run";
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("AU"));
}

TEST_F(Trainer, WritesBestSamplesTableAndEvents) {
  TrainOptions options = Options("run");
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

// The largest published size: learns, resumes exactly, edits.
TEST_F(Trainer, TakesFacesOf256Pixels) {
  TrainOptions options = Options("straight");
  options.network.image_size = 256;
  options.network.critic_layers = 8;
  options.adam.rate = 1e-3;
  options.batch = 2;
  options.samples = 0;
  options.max_steps = 2;
  const double before = MeanRegression(options, 0);
  options.max_steps = 16;
  EXPECT_LT(MeanRegression(options, 2), before / 2);
  const std::vector<float> straight = StateOf(options.run + "/checkpoint_00000016.h5");
  options.run = dir_ / "pieces";
  for (const std::int64_t stop : {5, 16}) {
    options.max_steps = stop;
    TrainQuietly(options);
  }
  EXPECT_EQ(StateOf(options.run + "/checkpoint_00000016.h5"), straight);
  const Editor editor(options.run);
  const EditedFace edited = editor.Edit(tests::Texture(256, 256, 3, 5), std::vector<float>(17, 0.5F));
  EXPECT_EQ(edited.face.cols, 256);
  EXPECT_TRUE(cv::checkRange(edited.face));
}

TEST_F(Trainer, TakesAnyAus) {
  const features::AuSchema few({4, 12, 25});
  WriteFaces(dir_ / "few", 12, few);
  TrainOptions options = Options("run");
  options.shards = {dir_ / "few"};
  options.schema = few;
  options.max_steps = 2;
  TrainQuietly(options);
  const Editor editor(options.run);
  EXPECT_EQ(editor.schema().Names(), few.Names());
  EXPECT_NO_THROW(editor.Edit(tests::Texture(32, 32, 3, 5), std::vector<float>(3, 0.5F)));
}

TEST_F(Trainer, RefusesOtherSettingsNamingThem) {
  TrainOptions options = Options("run");
  options.max_steps = 1;
  TrainQuietly(options);
  options.batch = 5;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("batch"));
}

TEST_F(Trainer, NamesTooFewFacesAndMissingAus) {
  TrainOptions options = Options("run");
  options.shards = {dir_ / "two"};
  WriteFaces(dir_ / "two", 2);
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(options); }), HasSubstr("2 faces"));
  options.shards = {dir_ / "others"};
  WriteFaces(dir_ / "others", 12, features::AuSchema({1, 12, 45}));
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(options); }), HasSubstr("AU2"));
}

TEST_F(Trainer, ANumberThatRunsAwayNamesItsTermAndSparesTheCheckpoint) {
  TrainOptions options = Options("run");
  options.weights.au = 1e38;  // overflows at once
  options.adam.rate = 1e30;
  options.max_steps = 50;
  const std::string text = Message<TrainingDiverged>([&] { TrainQuietly(options); });
  EXPECT_FALSE(text.empty());
  EXPECT_THAT(text, testing::ContainsRegex("[dg]_[a-z]+"));
  for (const std::string& path : FindCheckpoints(options.run)) EXPECT_NO_THROW(LoadCheckpoint(path, true));
}

TEST_F(Trainer, SaysThatThereIsNoCuda) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is";
  TrainOptions options = Options("run");
  options.device = "cuda";
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--device cuda"));
}

TEST(TrainOptions, OptionsNameWhatIsWrong) {
  TrainOptions options;
  options.shards = {"x"};
  options.run = "y";
  options.batch = 0;
  EXPECT_THAT(Message<std::invalid_argument>([&] { options.Validate(); }), HasSubstr("batch"));
  options.batch = 1;
  options.network.image_size = 48;
  EXPECT_THAT(Message<std::invalid_argument>([&] { options.Validate(); }), HasSubstr("image_size"));
}

}  // namespace
}  // namespace auforge::gan
