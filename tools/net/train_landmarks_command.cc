// auforge train-landmarks: renders with exact points and photographs with a teacher's in, a landmarker out.
#include <cstdio>
#include <iostream>
#include <memory>

#include "annotator/net_training/train_landmarks.h"
#include "datasets/storage/atomic_file.h"
#include "tools/net/channels.h"
#include "tools/net/net_commands.h"
#include "tools/net/training_run.h"

namespace auforge::tools {
namespace {

struct LandmarkArguments {
  std::vector<std::string> renders, photos;
  std::string output, first_blocks = "24,48,96", second_blocks = "32,48,96,160", precision = "bf16";
  annotator::LandmarkTrainOptions options;
  bool quiet = false;
};

int RunTrainLandmarks(LandmarkArguments& a) {
  a.options.first_blocks = ParseChannels("--first-blocks", a.first_blocks);
  a.options.second_blocks = ParseChannels("--blocks", a.second_blocks);
  Prepare(a.options, a.precision, a.output);
  const auto log = [](const std::string& text) { std::cerr << "train-landmarks: " << text << std::endl; };
  const std::vector<annotator::PointFace> renders = annotator::LoadPointFaces(a.renders, log),
                                          photos = annotator::LoadPointFaces(a.photos, log);
  const auto losses = [](const annotator::LandmarkTrainProgress& p) {
    char text[80];
    std::snprintf(text, sizeof(text), ", first look %.4f, second %.4f", p.first, p.second);
    return std::string(text);
  };
  const auto summary = RunTraining<annotator::LandmarkTrainProgress>(
      "train-landmarks", a.options.state, a.quiet, losses,
      [&](const auto& report, const auto& stop) { return annotator::TrainLandmarks(renders, photos, a.options, report, stop); });
  if (!summary.finished) return kDone;
  const annotator::NetLandmarker landmarker = annotator::NetLandmarker::FromWeights(summary.nets);
  const std::vector<std::uint8_t> bytes = landmarker.Serialise();
  WriteNet(a.output, bytes);
  std::cout << a.output << ": auforge-" << landmarker.digest() << ", " << landmarker.weight_count() << " weights, "
            << landmarker.multiply_adds() / 1'000'000 << " million multiply-adds a face, " << summary.steps << " steps, "
            << Duration(summary.seconds) << "\n";
  return kDone;
}

}  // namespace

void AddTrainLandmarks(Cli& cli) {
  auto arguments = std::make_shared<LandmarkArguments>();
  annotator::LandmarkTrainOptions& o = arguments->options;
  o.jobs = AvailableCores();
  Command command = cli.Add(
      "train-landmarks", "Train the landmarker of --landmarks auforge",
      "auforge synth faces --method cg --count 8000 --turned 0.4 --size 192 -o shards/ --images renders/\n"
      "  auforge train-landmarks --renders renders/ -o landmarks.net\n"
      "  auforge eval-landmarks --data held/ --landmarks landmarks.net");
  command.Add("--renders", arguments->renders,
              "folders of 'synth faces --images', tables of points, or shards of synthetic faces").Required();
  command.Add("--photos", arguments->photos, "tables of points of photographs, or folders of them (docs/landmarks.md)");
  AddTrainingFiles(command, "the landmarker", arguments->output, o);
  command.Add("--passes", o.passes, "over the renders").Range(1e-6, 10000);
  command.Add("--batch", o.batch, "renders in a batch").Range(8, 4096);
  command.Add("--photo-batch", o.photo_batch, "photographs beside them").Range(0, 4096);
  command.Add("--photo-weight", o.photo_weight, "of their losses").Range(0, 100);
  command.Add("--first-crop", o.first_crop, "side of the first net's picture, pixels").Range(32, 128);
  command.Add("--first-stem", o.first_stem, "channels of its first layer").Range(8, 128);
  command.Add("--first-blocks", arguments->first_blocks, "channels of its blocks, each halves the side");
  command.Add("--crop", o.second_crop, "side of the second net's picture, pixels").Range(32, 256);
  command.Add("--stem", o.second_stem, "channels of its first layer").Range(8, 128);
  command.Add("--blocks", arguments->second_blocks, "channels of its blocks, each halves the side");
  AddTrainingRates(command, o);
  AddTrainingRun(command, o, arguments->precision, arguments->quiet);
  command.Run([arguments] { return RunTrainLandmarks(*arguments); });
}

}  // namespace auforge::tools
