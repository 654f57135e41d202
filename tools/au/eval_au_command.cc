// auforge eval-au: how well does a model agree with labels?
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "annotator/training.h"
#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "tools/au/au_data.h"
#include "tools/au/au_table.h"
#include "tools/au/coherence.h"
#include "tools/au/emotion_fit.h"
#include "tools/commands.h"
#include "tools/cli/progress.h"

namespace auforge::tools {
namespace {

struct EvalArguments {
  std::vector<std::string> data;
  std::string model;
  std::string output;
  std::vector<std::string> photos;
  std::string extremes;
  std::string aus;
  FaceSearch faces;
  bool emotions = false;
  bool json = false;
  int jobs = 1;
};

nlohmann::json ToJson(const CoherenceReport& report, const features::AuSchema& schema) {
  nlohmann::json all{{"images", report.images},
                     {"faces", report.faces.size()},
                     {"contradictions", report.contradictions},
                     {"quality_tells", report.quality_tells},
                     {"quality_partial", report.quality_partial}};
  for (std::size_t j = 0; j < schema.size(); ++j)
    all["present"]["AU" + std::to_string(schema.numbers()[j])] = report.present[j];
  for (const CoherenceFigure& f : report.changes) {
    all["changes"][f.name] = {{"faces", f.faces},
                              {"presence_changes", f.presence_changes},
                              {"mean_r", f.mean_correlation}};
  }
  return all;
}

int RunCoherence(const EvalArguments& arguments, const annotator::AuModel& model) {
  ProgressLine line("eval-au");
  const auto start = std::chrono::steady_clock::now();
  const CoherenceReport report =
      MeasureCoherence(model, arguments.photos, arguments.faces.landmarks, arguments.jobs, [&](std::uint64_t done) {
        line.Update(done, 0, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                    "photos");
      });
  line.Finish();
  const features::AuSchema& schema = model.info().schema;
  if (!arguments.extremes.empty()) datasets::WritePicture(arguments.extremes, DrawExtremes(report, schema));
  if (!arguments.output.empty())
    datasets::storage::WriteFileAtomically(arguments.output, DetailsCsv(report, schema));
  if (arguments.json) {
    std::cout << ToJson(report, schema).dump() << "\n";
    return kDone;
  }
  std::printf("%llu photos, %llu with a face, %zu faces\npresence contradicts intensity: %.2f %%\n",
              static_cast<unsigned long long>(report.images),
              static_cast<unsigned long long>(report.photos_with_faces), report.faces.size(),
              100 * report.contradictions);
  std::printf("%-12s %6s  %16s  %9s\n", "change", "faces", "presence changes", "mean r");
  for (const CoherenceFigure& f : report.changes) {
    std::printf("%-12s %6llu  %14.1f %%  %9.3f\n", f.name.c_str(), static_cast<unsigned long long>(f.faces),
                100 * f.presence_changes, f.mean_correlation);
  }
  std::printf(
      "quality against the change of a face's intensities: Spearman %.2f (%.2f with its mean intensity taken "
      "out)\n",
      report.quality_tells, report.quality_partial);
  std::printf("present:");
  for (std::size_t j = 0; j < schema.size(); ++j)
    std::printf("  AU%d %.1f %%", schema.numbers()[j], 100 * report.present[j]);
  std::printf("\n");
  return kDone;
}

nlohmann::json ToJson(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means) {
  const auto entry = [](const annotator::AuFigure& f) -> nlohmann::json {
    return {{"au", f.au},   {"rows", f.rows}, {"active", f.active}, {"claimed", f.claimed}, {"r", f.r},
            {"icc", f.icc}, {"mae", f.mae},   {"auc", f.auc},       {"f1", f.f1},           {"best_f1", f.best_f1}};
  };
  nlohmann::json all = nlohmann::json::array();
  for (const annotator::AuFigure& f : figures) all.push_back(entry(f));
  if (means.empty()) return all;
  nlohmann::json mean = entry(annotator::MeanFigure(FiguresOf(figures, means)));
  mean["au"] = "mean";
  mean["aus"] = means;
  all.push_back(std::move(mean));
  return all;
}

// AUs of --aus that their mean lacks.
void NameWhatHasNoMean(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means,
                       const Log& log) {
  for (const int au : means) {
    const auto chosen = FiguresOf(figures, {au});
    const std::string name = "AU" + std::to_string(au) + ": is not in the mean: ";
    if (chosen.empty() || chosen.front().rows == 0) {
      log(name + "no labels that the model has answers to");
    } else if (std::isnan(chosen.front().auc)) {
      log(name + (chosen.front().active == 0 ? "none" : "all") + " of " + std::to_string(chosen.front().rows) +
          " faces have it");
    }
  }
}

int RunEval(EvalArguments& arguments) {
  const std::vector<int> means = ParseAus("--aus", arguments.aus);
  if (arguments.data.empty() == arguments.photos.empty())
    throw UsageError("name either --data or --coherence");
  if (!arguments.output.empty()) datasets::storage::RequireOutputFile(arguments.output);
  if (!arguments.extremes.empty()) datasets::RequirePictureFile(arguments.extremes);
  const annotator::AuModel model =
      annotator::AuModel::Load(arguments.model.empty() ? annotator::DefaultAuModelPath() : arguments.model);
  UseLandmarksOf(model, arguments.faces);
  if (!arguments.photos.empty()) return RunCoherence(arguments, model);
  const auto log = [](const std::string& text) { std::cerr << "eval-au: " << text << std::endl; };
  const annotator::TrainingData data =
      LoadTrainingData(arguments.data, model.info().features, arguments.faces, arguments.jobs, log);
  annotator::RequireSameLandmarker(data.landmarker, model.info().landmarker, "the AU model");
  NameAusWithoutModel(data, model.info().schema, log);
  if (arguments.emotions) {
    std::cout << EmotionText(FitEmotions(model, data));
    return kDone;
  }
  const std::vector<annotator::AuFigure> figures = annotator::EvaluateAuModel(model, data);
  NameWhatHasNoMean(figures, means, log);
  if (!arguments.output.empty())
    datasets::storage::WriteFileAtomically(arguments.output, AuCsv(figures, means));
  if (arguments.json) {
    std::cout << ToJson(figures, means).dump() << "\n";
  } else {
    std::cout << AuTable(figures, means) << SidesTable(annotator::EvaluateSides(model, data))
              << QualityText(annotator::EvaluateQuality(model, data))
              << HiddenText(figures);
  }
  return kDone;
}

}  // namespace

void AddEvalAu(Cli& cli) {
  auto arguments = std::make_shared<EvalArguments>();
  arguments->jobs = AvailableCores();
  Command command = cli.Add("eval-au", "Compare a model's AUs with labels",
                            "auforge eval-au --data shards:faces/ --model model.h5 -o table.csv\n"
                            "  auforge eval-au --data csv:labels.csv,images=tars/,scale=3,part=judge --aus 1,2,4\n"
                            "  auforge eval-au --coherence photos/ --extremes extremes.png");
  command.Add("--data", arguments->data, "labelled faces, as for train-au");
  command.Add("--coherence", arguments->photos,
              "photos without labels: compares every face with itself mirrored, at JPEG 50 and halved");
  command.Add("--extremes", arguments->extremes,
              "with --coherence: a picture of the ten highest and lowest faces of each AU");
  command.Add("--model", arguments->model, "AU model; default: the one that comes with auforge");
  command.Add(
      "-o,--output", arguments->output,
      "also write the figures to this CSV; with --coherence each face's intensities before and after");
  AddFaceSearch(command, arguments->faces);
  command.Add("--aus", arguments->aus, "the AUs of the last line's means: 1,2,4; default: all that have both classes");
  command.Flag("--emotions", arguments->emotions,
               "instead, with --data: what each AU's estimates are worth as evidence for emotions, and the nearest "
               "emotions by labels and by estimates");
  command.Flag("--json", arguments->json, "print the figures as JSON");
  command.Add("-j,--jobs", arguments->jobs, "threads that load data").Range(1, 1024);
  command.Run([arguments] { return RunEval(*arguments); });
}

}  // namespace auforge::tools
