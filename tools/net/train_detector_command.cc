// auforge train-detector: faces whose points are known and pictures without faces in, a detector out.
#include <cstdio>
#include <iostream>
#include <memory>

#include "annotator/net_detector.h"
#include "annotator/net_training/detector_scene.h"
#include "annotator/net_training/train_detector.h"
#include "datasets/storage/atomic_file.h"
#include "tools/net/net_commands.h"
#include "tools/net/training_run.h"

namespace auforge::tools {
namespace {

struct DetectorArguments {
  std::vector<std::string> renders, photos, backgrounds;
  std::string output, precision = "bf16";
  annotator::DetectorTrainOptions options;
  bool quiet = false;
};

int RunTrainDetector(DetectorArguments& a) {
  Prepare(a.options, a.precision, a.output);
  const auto log = [](const std::string& text) { std::cerr << "train-detector: " << text << std::endl; };
  const annotator::KeptPicture kept{.boxes = 3.6F, .box = 84};
  const std::vector<annotator::PointFace> renders = annotator::LoadPointFaces(a.renders, log, kept),
                                          photos = annotator::LoadPointFaces(a.photos, log, kept);
  const std::vector<cv::Mat> backgrounds = annotator::LoadBackgrounds(a.backgrounds, log);
  const auto losses = [](const annotator::DetectorTrainProgress& p) {
    char text[80];
    std::snprintf(text, sizeof(text), ", score %.4f, box %.4f, points %.4f", p.score, p.box, p.points);
    return std::string(text);
  };
  const auto summary = RunTraining<annotator::DetectorTrainProgress>(
      "train-detector", a.options.state, a.quiet, losses,
      [&](const auto& report, const auto& stop) { return annotator::TrainDetector(renders, photos, backgrounds, a.options, report, stop); });
  const features::GridNet net = features::GridNet::FromWeights(summary.net);
  if (!summary.finished) return kDone;
  const std::vector<std::uint8_t> bytes = annotator::DetectorBytes(net);
  WriteNet(a.output, bytes);
  std::cout << a.output << ": " << net.weight_count() << " weights, " << net.multiply_adds(320, 240) / 1'000'000
            << " million multiply-adds for 320 x 240 pixels, " << summary.steps << " steps, " << Duration(summary.seconds) << "\n";
  return kDone;
}

}  // namespace

void AddTrainDetector(Cli& cli) {
  auto arguments = std::make_shared<DetectorArguments>();
  annotator::DetectorTrainOptions& o = arguments->options;
  o.jobs = AvailableCores();
  Command command = cli.Add(
      "train-detector", "Train the face detector of --detector auforge",
      "auforge synth faces --method cg --count 2000 --turned 0.5 --yaw 30 --size 224 -o shards/ --images renders/\n"
      "  auforge train-detector --renders renders/ --photos photos-points/ --backgrounds landscapes/ -o detector.net");
  command.Add("--renders", arguments->renders,
              "folders of 'synth faces --images', tables of points, or shards of synthetic faces").Required();
  command.Add("--photos", arguments->photos, "tables of points of photographs, or folders of them (docs/landmarks.md)");
  command.Add("--backgrounds", arguments->backgrounds, "pictures without faces: files, folders, lists, tars").Required();
  AddTrainingFiles(command, "the detector", arguments->output, o);
  command.Add("--steps", o.steps, "of training").Range(1, 100'000'000);
  command.Add("--batch", o.batch, "scenes in a batch").Range(4, 4096);
  command.Add("--side", o.side, "of a scene, pixels").Range(64, 512);
  command.Add("--empty-share", o.empty_share, "of scenes without faces").Range(0, 0.9);
  command.Add("--photo-share", o.photo_share, "of pasted faces, where there are photographs").Range(0, 1);
  AddTrainingRates(command, o);
  AddTrainingRun(command, o, arguments->precision, arguments->quiet, "threads; with more than one, scenes are made beside the steps");
  command.Run([arguments] { return RunTrainDetector(*arguments); });
}

}  // namespace auforge::tools
