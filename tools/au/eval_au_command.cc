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
#include "tools/au/model_judge.h"
#include "tools/commands.h"
#include "tools/cli/progress.h"

namespace auforge::tools {
namespace {

struct EvalArguments {
  std::vector<std::string> data;
  std::string model, than, promote;
  std::vector<std::string> apart_from, better;
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
      MeasureCoherence(model, arguments.photos, arguments.faces, arguments.jobs, [&](std::uint64_t done) {
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

// What goes with --than, and is tried before the work.
void CheckComparison(const EvalArguments& arguments) {
  if (arguments.than.empty() && (!arguments.better.empty() || !arguments.promote.empty()))
    throw UsageError("--better and --promote compare with the model that --than names");
  if (arguments.data.empty() && !arguments.apart_from.empty()) throw UsageError("--apart-from goes with --data");
  if (arguments.than.empty()) return;
  if (arguments.model.empty() || arguments.data.empty() || arguments.emotions)
    throw UsageError("--than needs --model and --data, and goes without --emotions");
  for (const std::string& text : arguments.better) ParseAuCondition(text);
  if (!arguments.promote.empty()) datasets::storage::RequireSeekableFile(arguments.promote, "a model");
}

// What the rule of --better is unless it is given.
const std::vector<std::string> kBetter{"auc >= old + 0.002", "f1 >= old - 0.01"};

nlohmann::json ToJson(const Verdict& verdict, const Figures& fresh, const Figures& old, bool is_promoted) {
  nlohmann::json conditions = nlohmann::json::array();
  for (const CheckedCondition& c : verdict.conditions)
    conditions.push_back({{"condition", c.text}, {"holds", c.holds}, {"value", c.value}, {"bound", c.bound}});
  return {{"better", verdict.is_better}, {"promoted", is_promoted}, {"reasons", verdict.reasons},
          {"conditions", conditions},    {"model", fresh},          {"than", old}};
}

void PrintComparison(const std::vector<annotator::AuFigure>& fresh, const std::vector<annotator::AuFigure>& old,
                     const std::vector<int>& means) {
  std::printf("%-6s %7s  %16s  %16s  %16s\n", "AU", "faces", "AUC", "F1", "r");
  const auto line = [](const std::string& name, const annotator::AuFigure& before, const annotator::AuFigure& after) {
    std::printf("%-6s %7zu", name.c_str(), static_cast<std::size_t>(after.rows));
    for (const auto& [a, b] : {std::pair{before.auc, after.auc}, {before.f1, after.f1}, {before.r, after.r}})
      std::printf("  %6.3f -> %6.3f", a, b);
    std::printf("\n");
  };
  for (const annotator::AuFigure& f : fresh) {
    const auto before = FiguresOf(old, {f.au});
    if (f.rows > 0 && !before.empty()) line("AU" + std::to_string(f.au), before.front(), f);
  }
  const auto mean = [&means](const std::vector<annotator::AuFigure>& figures) {
    return annotator::MeanFigure(means.empty() ? figures : FiguresOf(figures, means));
  };
  line("mean", mean(old), mean(fresh));
}

// --than: whether --model is better than another on the same faces; what --promote names becomes it then, by one rename.
int RunComparison(const EvalArguments& arguments, const std::vector<int>& means, const annotator::AuModel& model,
                  const annotator::TrainingData& data, const Log& log) {
  BetterRule rule;
  for (const std::string& text : arguments.better.empty() ? kBetter : arguments.better)
    rule.all.push_back(ParseAuCondition(text));
  const annotator::AuModel than = annotator::AuModel::Load(arguments.than);
  annotator::RequireSameLandmarker(data.landmarker, than.info().landmarker, arguments.than);
  const auto fresh = annotator::EvaluateAuModel(model, data);
  const bool same_features = than.info().features == model.info().features;
  const auto old = annotator::EvaluateAuModel(
      than, same_features ? data : LoadTrainingData(arguments.data, than.info().features, arguments.faces, arguments.jobs, {}));
  NameWhatHasNoMean(fresh, means, log);
  const Figures fresh_named = FiguresByName(fresh, means), old_named = FiguresByName(old, means);
  const Verdict verdict = Judge(rule, fresh_named, old_named);
  const bool promotes = verdict.is_better && !arguments.promote.empty();
  if (promotes) datasets::storage::WriteFileAtomically(arguments.promote, datasets::storage::ReadFile(arguments.model));
  if (!arguments.output.empty()) datasets::storage::WriteFileAtomically(arguments.output, AuCsv(fresh, means));
  if (arguments.json) {
    std::cout << ToJson(verdict, fresh_named, old_named, promotes).dump() << "\n";
    return kDone;
  }
  PrintComparison(fresh, old, means);
  std::cout << (verdict.is_better ? "better" : "not better") << " than " << arguments.than
            << (promotes ? "; promoted to " + arguments.promote : "") << "\n";
  for (const std::string& reason : verdict.reasons) std::cout << "  " << reason << "\n";
  return kDone;
}

int RunEval(EvalArguments& arguments) {
  const std::vector<int> means = ParseAus("--aus", arguments.aus);
  if (arguments.data.empty() == arguments.photos.empty())
    throw UsageError("name either --data or --coherence");
  CheckComparison(arguments);
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
  if (!arguments.apart_from.empty()) RequireApart(arguments.data, arguments.apart_from, arguments.jobs);
  if (!arguments.than.empty()) return RunComparison(arguments, means, model, data, log);
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
                            "  auforge eval-au --coherence photos/ --extremes extremes.png\n"
                            "  auforge eval-au --data csv:coded.csv,part=judge --model new.h5 --than old.h5 --promote old.h5");
  command.Add("--data", arguments->data, "labelled faces, as for train-au");
  command.Add("--coherence", arguments->photos,
              "photos without labels: compares every face with itself mirrored, at JPEG 50 and halved");
  command.Add("--extremes", arguments->extremes,
              "with --coherence: a picture of the ten highest and lowest faces of each AU");
  command.Add("--model", arguments->model, "AU model; default: the one that comes with auforge");
  command.Add(
      "-o,--output", arguments->output,
      "also write the figures to this CSV; with --coherence each face's intensities before and after");
  command.Add("--than", arguments->than, "with --data: another AU model; says which of the two is better on these faces");
  command.Add("--better", arguments->better,
              "with --than: a condition, all of which must hold for --model to be better, as 'auc >= old + 0.002' and 'f1 >= "
              "old - 0.01' (the default); figures are auc, f1, best_f1, r, icc and mae, of one AU 'AU12.auc'");
  command.Add("--promote", arguments->promote, "with --than: if it is better, this file becomes a copy of --model, by one rename");
  command.Add("--apart-from", arguments->apart_from,
              "labelled faces, as --data, that were learnt from: a picture in both is refused");
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
