// auforge calibrate: fits a model's thresholds and scales to a user's own pictures, labels, or one person's
// resting face.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "annotator/model_lineage.h"
#include "annotator/recalibrate.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/lineage.h"
#include "tools/au/au_data.h"
#include "tools/au/au_table.h"
#include "tools/au/refit.h"
#include "tools/cli/lineage_option.h"
#include "tools/commands.h"
#include "tools/au/photo_features.h"

namespace auforge::tools {
namespace {

struct CalibrateArguments {
  std::vector<std::string> images, data, shards, neutral;
  std::string model, output, lineage;
  std::string keep = "6,12,25,26";
  annotator::RecalibrateOptions options;
  FaceSearch faces;
  bool json = false, refit = false;
  annotator::ReadoutOptions readout;
  int jobs = 1;
};

annotator::Recalibrated FromRows(const CalibrateArguments& a, const annotator::AuModel& model,
                                 const std::vector<float>& rows) {
  const std::size_t dimension = features::FeatureExtractor(model.info().features).Dimension();
  const std::size_t n = rows.size() / dimension;
  if (n == 0) throw BadInputError("calibrate: no face in the pictures");
  std::cerr << "calibrate: " << n << " faces\n";
  if (!a.neutral.empty()) return annotator::RecalibrateToNeutral(model, rows, n);
  try {
    return annotator::RecalibrateOnUnlabelled(model, rows, n, a.options);
  } catch (const std::invalid_argument& error) {
    throw BadInputError(error.what());
  }
}

// The readout fitted to the labels, with its own table on stderr.
annotator::Recalibrated Refit(const CalibrateArguments& a, const annotator::AuModel& model, const Log& log) {
  annotator::Refitted refitted = RefitToData(model, a.data, a.faces, a.readout, a.jobs, log);
  std::cerr << ReadoutTable(refitted.figures);
  std::vector<annotator::AuShift> shifts;
  for (std::size_t j = 0; j < refitted.figures.size(); ++j) {
    const annotator::ReadoutFigure& f = refitted.figures[j];
    const auto [threshold, gain] = annotator::ScaleOf(refitted.model, j);
    const auto [threshold_before, gain_before] = annotator::ScaleOf(model, j);
    shifts.push_back({f.au, threshold_before, threshold, gain_before, gain, f.share_before, f.refitted ? f.share : f.share_before});
  }
  return {std::move(refitted.model), std::move(shifts)};
}

annotator::TrainingData LoadFor(const annotator::AuModel& model, const std::vector<std::string>& specs,
                                const CalibrateArguments& a, const Log& log) {
  annotator::TrainingData data = LoadTrainingData(specs, model.info().features, a.faces, a.jobs, log);
  annotator::RequireSameLandmarker(data.landmarker, model.info().landmarker, "the AU model");
  return data;
}

annotator::Recalibrated Recalibrate(const CalibrateArguments& a, const annotator::AuModel& model) {
  const auto log = [](const std::string& text) { std::cerr << "calibrate: " << text << std::endl; };
  if (a.refit) return Refit(a, model, log);
  if (!a.data.empty()) {
    const annotator::TrainingData data = LoadFor(model, a.data, a, log);
    NameAusWithoutModel(data, model.info().schema, log);
    return annotator::RecalibrateOnLabels(model, data);
  }
  if (!a.shards.empty()) {
    std::vector<std::string> specs;
    for (const std::string& path : a.shards) specs.push_back("shards:" + path + ",copies=0");
    return FromRows(a, model, LoadFor(model, specs, a, log).features);
  }
  const auto& inputs = a.neutral.empty() ? a.images : a.neutral;
  return FromRows(a, model, ExtractPhotos(inputs, model.info().features, false, a.faces, a.jobs).rows);
}

int RunCalibrate(CalibrateArguments& a) {
  if (a.refit && a.data.empty()) throw UsageError("--refit needs labelled faces: --data csv:mine.csv");
  const int sources = !a.images.empty() + !a.data.empty() + !a.shards.empty() + !a.neutral.empty();
  if (sources != 1) throw UsageError("name one of --images, --shards, --data and --neutral");
  datasets::storage::RequireSeekableFile(a.output, "a model");
  const std::string lineage = datasets::storage::ReadLineageFile(a.lineage);
  a.options.keep = ParseAus("--keep", a.keep);
  try {
    a.options.Validate();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  const annotator::AuModel model =
      annotator::AuModel::Load(a.model.empty() ? annotator::DefaultAuModelPath() : a.model);
  UseLandmarksOf(model, a.faces);
  annotator::Recalibrated result = Recalibrate(a, model);
  const std::string how = "; calibrate" + OptionText("--images", a.images) + OptionText("--data", a.data) +
                          OptionText("--shards", a.shards) + OptionText("--neutral", a.neutral);
  annotator::SaveWithLineage(result.model.WithProvenance(model.info().provenance + how), a.output, lineage);
  if (a.json) {
    nlohmann::json all;
    for (const annotator::AuShift& s : result.shifts) {
      all.push_back({{"au", s.au},
                     {"threshold_before", s.threshold_before},
                     {"threshold_after", s.threshold_after},
                     {"gain_before", s.gain_before},
                     {"gain_after", s.gain_after},
                     {"present_before", s.present_before},
                     {"present_after", s.present_after}});
    }
    std::cout << all.dump() << "\n";
    return kDone;
  }
  std::printf("%-6s %-24s %19s  %17s\n", "AU", "name", "threshold", "present here");
  for (const annotator::AuShift& s : result.shifts) {
    std::printf("AU%-4d %-24s %8.2f -> %7.2f  %5.1f %% -> %5.1f %%\n", s.au,
                std::string(features::AuName(s.au)).c_str(), static_cast<double>(s.threshold_before),
                static_cast<double>(s.threshold_after), 100 * s.present_before, 100 * s.present_after);
  }
  return kDone;
}

}  // namespace

void AddCalibrate(Cli& cli) {
  auto arguments = std::make_shared<CalibrateArguments>();
  arguments->jobs = AvailableCores();
  Command command = cli.Add("calibrate", "Fit a model's thresholds to your own pictures",
                            "auforge calibrate --images crawl/ -o mine.h5\n"
                            "  auforge calibrate --neutral anna_at_rest.jpg -o anna.h5\n"
                            "  auforge calibrate --data disfa:/data/DISFA,fold=1,part=train -o disfa.h5\n"
                            "  auforge calibrate --data csv:mine.csv,images=photos/ --refit -o mine.h5");
  command.Add("--images", arguments->images, "pictures without labels: files, folders, lists, tars");
  command.Add("--shards", arguments->shards, "or annotated shards of them: faces need not be found again");
  command.Add("--data", arguments->data, "or labelled faces, as for train-au");
  command.Add("--neutral", arguments->neutral,
              "or pictures of one person at rest, or frames whose median is at rest");
  command.Add("--model", arguments->model, "AU model; default: the one that comes with auforge");
  command.Add("-o,--output", arguments->output, "the calibrated model").Required();
  command.Add("--k", arguments->options.k, "present from median + k median absolute deviations on")
      .Range(0.5, 20);
  command.Add("--keep", arguments->keep, "AUs that --images and --shards leave alone");
  AddFaceSearch(command, arguments->faces);
  command.Flag("--refit", arguments->refit, "with --data: fit the last layer, too, not thresholds and scales alone");
  command.Add("--readout-lost", arguments->readout.most_lost,
              "with --refit: correlation on renders that an AU may lose to your pictures, 0..1").Range(0, 1);
  AddLineage(command, arguments->lineage);
  command.Flag("--json", arguments->json, "print what changed as JSON");
  command.Add("-j,--jobs", arguments->jobs, "threads").Range(1, 1024);
  command.Run([arguments] { return RunCalibrate(*arguments); });
}

}  // namespace auforge::tools
