// Weights handed on: to another run, to and from a file.
#include "gan/weights.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <opencv2/core.hpp>

#include "datasets/storage/hdf5_file.h"
#include "gan/editor.h"
#include "gan/internal/checkpoint.h"
#include "tests/gan/small_training.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class StartFrom : public SmallTraining {};
class Weights : public SmallTraining {};

// Weights alone: what was learnt goes on, the optimisers start again.
TEST_F(StartFrom, TakesTheWeightsOfAnotherRun) {
  const Checkpoint first = LoadCheckpoint(TrainQuietly(Options("first")).checkpoint, true);
  TrainOptions options = Options("second");
  options.start_from = dir_ / "first";
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
  fs::rename(dir_ / "first", dir_ / "elsewhere");
  const std::vector<float> resumed = StateOf(TrainQuietly(options).checkpoint);
  options.run = dir_ / "straight";
  options.start_from = dir_ / "elsewhere";
  EXPECT_EQ(StateOf(TrainQuietly(options).checkpoint), resumed);
}

// What is given away is a generator alone: it has no fixed size, and its critic is new.
TEST_F(StartFrom, TakesAGeneratorAloneAtAnotherSize) {
  TrainQuietly(Options("first"));
  ExportWeights(dir_ / "first", dir_ / "half.h5", true);
  TrainOptions options = Options("second");
  options.start_from = dir_ / "half.h5";
  options.network.image_size = 64;
  std::vector<std::string> warnings;
  const TrainSummary summary = Train(
      options, {}, [&](const std::string& text) { warnings.push_back(text); }, [] { return true; });
  EXPECT_THAT(warnings, testing::Contains(HasSubstr("no critic")));
  const Checkpoint half = LoadCheckpoint(dir_ / "half.h5", false);
  const Checkpoint second = LoadCheckpoint(summary.checkpoint, true);
  for (const auto& [name, value] : half.state.generator.entries())
    EXPECT_TRUE(torch::equal(second.state.generator[name], value)) << name;
}

// A flow may come to a generator that has none, and does not go again unsaid.
TEST_F(StartFrom, AGeneratorMayGainAFlow) {
  const Checkpoint first = LoadCheckpoint(TrainQuietly(Options("first")).checkpoint, true);
  TrainOptions options = Options("second");
  options.start_from = dir_ / "first";
  options.network.flow = true;
  const TrainSummary at_once = Train(options, {}, {}, [] { return true; });
  const Checkpoint second = LoadCheckpoint(at_once.checkpoint, true);
  EXPECT_TRUE(second.network.flow);
  for (const auto& [name, value] : first.state.generator.entries())
    EXPECT_TRUE(torch::equal(second.state.generator[name], value)) << name;
  EXPECT_EQ(second.state.generator["flow_reg.0.weight"].abs().max().item<float>(), 0);
  options.max_steps = 8;
  TrainQuietly(options);
  TrainOptions without = Options("third");
  without.start_from = dir_ / "second";
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(without); }), HasSubstr("--flow"));
}

TEST_F(Weights, AFlowGoesAlong) {
  TrainOptions options = Options("run");
  options.network.flow = true;
  TrainQuietly(options);
  const cv::Mat crop = tests::Texture(32, 32, 3, 5);
  const std::vector<float> aus(17, 0.7F);
  const EditedFace before = Editor(options.run).Edit(crop, aus);
  ASSERT_EQ(before.flow.type(), CV_32FC2);
  ASSERT_EQ(before.moved.size(), before.face.size());
  EXPECT_GT(cv::norm(before.flow, cv::NORM_INF), 0);
  ExportWeights(options.run, dir_ / "weights.h5", false);
  ImportWeights(dir_ / "weights.h5", dir_ / "imported", {});
  EXPECT_EQ(cv::norm(Editor(dir_ / "imported").Edit(crop, aus).face, before.face, cv::NORM_INF), 0);
  ExportWeights(options.run, dir_ / "half.h5", true);
  EXPECT_LT(cv::norm(Editor(dir_ / "half.h5").Edit(crop, aus).flow, before.flow, cv::NORM_INF), 1e-3);
  EXPECT_TRUE(Editor(TrainQuietly(Options("published")).checkpoint).Edit(crop, aus).flow.empty());
}

TEST_F(StartFrom, RefusesOtherNetworksSayingWhich) {
  TrainQuietly(Options("first"));
  TrainOptions options = Options("second");
  options.start_from = dir_ / "nothing.h5";
  EXPECT_THAT(Message<std::runtime_error>([&] { TrainQuietly(options); }), HasSubstr("nothing.h5"));
  options.start_from = dir_ / "first";
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

TEST_F(Weights, HalfPrecisionEditsNearlyTheSameAndIsSmall) {
  TrainOptions options = Options("run");
  options.average = 0.5;
  const std::string checkpoint = TrainQuietly(options).checkpoint;
  ExportWeights(options.run, dir_ / "half.h5", true);
  EXPECT_LT(fs::file_size(dir_ / "half.h5"), fs::file_size(checkpoint) / 4);
  const Editor full(options.run), half(dir_ / "half.h5");
  const cv::Mat crop = tests::Texture(32, 32, 3, 5);
  const std::vector<float> aus(17, 0.7F);
  cv::Mat difference;
  cv::absdiff(full.Edit(crop, aus).face, half.Edit(crop, aus).face, difference);
  double most = 0;
  cv::minMaxLoc(difference.reshape(1), nullptr, &most);
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 0.01);
  EXPECT_THAT(Message<std::runtime_error>([&] { LoadCheckpoint(dir_ / "half.h5", true); }),
              HasSubstr("half.h5"));
}

// A file without lineage has no attribute of that name: it is what it was before there was any.
TEST_F(Weights, LineageStaysWithTheTrainingAndWhatIsGivenAway) {
  const auto lineage = [](const std::string& path) {
    const datasets::storage::Hdf5Reader file(path);
    return file.HasAttribute("/", "lineage") ? file.ReadString("/", "lineage") : "none";
  };
  TrainOptions options = Options("run");
  options.max_steps = 1;
  EXPECT_EQ(lineage(TrainQuietly(options).checkpoint), "none");
  options.lineage = R"({"data":[],"plan":"p","round":1})";
  options.max_steps = 2;
  EXPECT_EQ(lineage(TrainQuietly(options).checkpoint), options.lineage);
  const std::string said = options.lineage;
  options.lineage.clear();
  options.max_steps = 3;
  EXPECT_EQ(lineage(TrainQuietly(options).checkpoint), said) << "going on";
  for (const bool half : {false, true}) {
    ExportWeights(options.run, dir_ / "weights.h5", half);
    EXPECT_EQ(lineage(dir_ / "weights.h5"), said);
  }
  // What is trained on from them is made of something else.
  EXPECT_EQ(lineage(ImportWeights(dir_ / "weights.h5", dir_ / "imported", {})), "none");
  options.start_from = dir_ / "weights.h5";
  options.run = dir_ / "next";
  EXPECT_EQ(lineage(TrainQuietly(options).checkpoint), "none");
}

TEST_F(Weights, ExportedAndImportedAreTheSameAndTrainOn) {
  TrainOptions options = Options("run");
  const Checkpoint before = LoadCheckpoint(TrainQuietly(options).checkpoint, true);
  ExportWeights(options.run, dir_ / "weights.h5", false);
  const std::string path = ImportWeights(dir_ / "weights.h5", dir_ / "other", {});
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
  options.run = dir_ / "other";
  options.batch = 3;  // other settings are free after an import, other networks are not
  options.max_steps = 2;
  EXPECT_EQ(TrainQuietly(options).steps, 2);
  EXPECT_THAT(Message<std::runtime_error>([&] { ImportWeights(dir_ / "weights.h5", dir_ / "other", {}); }),
              HasSubstr("other"));
  ImportWeights(dir_ / "weights.h5", dir_ / "third", {});
  options.run = dir_ / "third";
  options.network.conv_dim = 8;
  EXPECT_THAT(Message<std::invalid_argument>([&] { TrainQuietly(options); }), HasSubstr("--conv-dim 4"));
  tests::WriteText(dir_ / "text.h5", "no HDF5");
  EXPECT_THAT(Message<std::runtime_error>([&] { ImportWeights(dir_ / "text.h5", dir_ / "fourth", {}); }),
              HasSubstr("text.h5"));
}

}  // namespace
}  // namespace auforge::gan
