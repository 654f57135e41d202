// auforge train-dense: drawn faces and photographs with dense points in, the nets of --dense out.
#include <cstdio>
#include <iostream>
#include <memory>

#include "annotator/net_training/train_dense.h"
#include "datasets/storage/atomic_file.h"
#include "tools/net/channels.h"
#include "tools/net/net_commands.h"
#include "tools/net/training_run.h"

namespace auforge::tools {
namespace {

struct DenseArguments {
  std::vector<std::string> renders, photos;
  std::string output, eye_blocks = "32,48,48", mouth_blocks = "32,48,64", precision = "bf16";
  annotator::DenseTrainOptions options;
  bool quiet = false;
};

// Eyes and mouth with what jitter reaches, at what resolution pictures of crawls have.
constexpr annotator::KeptPicture kKept{1.35F, 200, true};

int RunTrainDense(DenseArguments& a) {
  a.options.eye_blocks = ParseChannels("--eye-blocks", a.eye_blocks);
  a.options.mouth_blocks = ParseChannels("--mouth-blocks", a.mouth_blocks);
  Prepare(a.options, a.precision, a.output);
  const auto log = [](const std::string& text) { std::cerr << "train-dense: " << text << std::endl; };
  const std::vector<annotator::PointFace> renders = annotator::LoadPointFaces(a.renders, log, kKept),
                                          photos = annotator::LoadPointFaces(a.photos, log, kKept);
  const auto losses = [](const annotator::DenseTrainProgress& p) {
    char text[80];
    std::snprintf(text, sizeof(text), ", eyes %.4f, mouths %.4f", p.eye, p.mouth);
    return std::string(text);
  };
  const auto summary = RunTraining<annotator::DenseTrainProgress>(
      "train-dense", a.options.state, a.quiet, losses,
      [&](const auto& report, const auto& stop) { return annotator::TrainDense(renders, photos, a.options, report, stop); });
  if (!summary.finished) return kDone;
  const annotator::DenseLandmarker nets = annotator::DenseLandmarker::FromWeights(summary.nets);
  WriteNet(a.output, nets.Serialise());
  std::cout << a.output << ": " << nets.digest() << ", " << nets.weight_count() << " weights, "
            << nets.multiply_adds() / 1'000'000 << " million multiply-adds a face, " << summary.steps << " steps, "
            << Duration(summary.seconds) << "\n";
  return kDone;
}

}  // namespace

void AddTrainDense(Cli& cli) {
  auto arguments = std::make_shared<DenseArguments>();
  annotator::DenseTrainOptions& o = arguments->options;
  o.jobs = AvailableCores();
  Command command = cli.Add(
      "train-dense", "Train the nets of annotate --dense",
      "auforge synth faces --method cg --count 2000 --gaze 2.2 --size 256 -o shards/ --images renders/\n"
      "  auforge train-dense --renders renders/ --photos photos/ -o dense.net");
  command.Add("--renders", arguments->renders, "folders of 'synth faces --images': points_NNNNN.csv and dense_NNNNN.csv").Required();
  command.Add("--photos", arguments->photos, "folders of photographs with such tables (docs/landmarks.md)");
  AddTrainingFiles(command, "the nets", arguments->output, o);
  command.Add("--steps", o.steps, "batches").Range(1, 1e8);
  command.Add("--batch", o.batch, "eyes in a batch; three mouths to four of them").Range(8, 4096);
  command.Add("--photo-share", o.photo_share, "photographs among the eyes").Range(0, 1);
  command.Add("--shut-share", o.shut_share, "shut eyes among the drawn ones").Range(0, 1);
  command.Add("--eye-crop", o.eye_crop, "side of the eye net's picture, pixels").Range(32, 128);
  command.Add("--eye-stem", o.eye_stem, "channels of its first layer").Range(8, 128);
  command.Add("--eye-blocks", arguments->eye_blocks, "channels of its blocks; all but the last two halve the side");
  command.Add("--mouth-crop", o.mouth_crop, "side of the mouth net's picture, pixels").Range(32, 128);
  command.Add("--mouth-stem", o.mouth_stem, "channels of its first layer").Range(8, 128);
  command.Add("--mouth-blocks", arguments->mouth_blocks, "channels of its blocks; all but the last halve the side");
  AddTrainingRates(command, o);
  AddTrainingRun(command, o, arguments->precision, arguments->quiet);
  command.Run([arguments] { return RunTrainDense(*arguments); });
}

}  // namespace auforge::tools
