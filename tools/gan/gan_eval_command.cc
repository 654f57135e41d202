// auforge gan eval: do the edits carry the AUs asked for, stay where they should, and leave the rest alone?
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "annotator/metrics.h"
#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "features/au_partition.h"
#include "tools/gan/au_request.h"
#include "tools/gan/expression_editor.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/gan_eval_judge.h"
#include "tools/gan/gan_faces.h"
#include "tools/gan/gan_metrics.h"
#include "tools/gan/gan_sheet.h"
#include "tools/gan/judged_writer.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

struct GanEvalArguments {
  std::string source, sheet, json_file;
  EditorChoice editor;
  GanFaceOptions faces{.count = 60};
  JudgeArguments judge;
  JudgedWriterOptions pictures;
  int values = 4, sheet_faces = 6, dimensions = 32;
  bool json = false, quiet = false;
};

// Figures of one AU.
struct AuFigures {
  std::vector<float> asked, measured;          // of the sweeps, 0..5
  std::vector<float> asked_any, measured_any;  // of whole expressions borrowed from other faces, 0..5
  double rise = 0;                             // measured at 1 less measured at 0, mean over faces
  double inside = 0, region = 0;               // shares of the change and of the picture, 0..1
  double moved = 0, changed = 0;               // outside the region: inter-ocular distances, grey values
};

class Evaluation {
 public:
  Evaluation(const GanEvalArguments& arguments, const ExpressionEditor& editor)
      : arguments_(arguments),
        editor_(editor),
        finder_(60, 128),
        set_(LoadGanFaces(arguments.source, arguments.faces, 128)),
        figures_(editor.schema().size()) {}

  void Run() {
    ProgressLine line("gan eval", arguments_.quiet);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < set_.faces.size(); ++i) {
      if (StopSignal() != 0) break;
      Sweep(set_.faces[i]);
      Borrow(i);
      line.Update(i + 1, set_.faces.size(),
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), "faces");
    }
    line.Finish();
  }

  nlohmann::ordered_json Report() const;

 private:
  std::vector<float> Own(const GanFace& face) const {
    return Condition(editor_.schema(), set_.schema, face.intensity, {});
  }
  // crop: the face's, or one that it was edited into, which shows `shown` and has its landmarks there.
  cv::Mat Edit(const cv::Mat& crop, const features::Landmarks68& landmarks, const std::vector<float>& shown,
               const std::vector<float>& condition) const {
    return editor_.EditCrop(crop, landmarks, shown, condition).face;
  }
  void Sweep(const GanFace& face);
  void Place(const GanFace& face, const cv::Mat& after, const FaceFinder::Measurement& measured,
             std::size_t au);
  void Borrow(std::size_t face);

  const GanEvalArguments& arguments_;
  const ExpressionEditor& editor_;
  FaceFinder finder_;
  GanFaces set_;
  std::vector<AuFigures> figures_;
  std::vector<std::vector<float>> real_rows_, edited_rows_;
  double cycle_ = 0;
  int done_ = 0;
};

// Every AU alone from 0 to 1, the others as they are.
void Evaluation::Sweep(const GanFace& face) {
  const std::vector<float> own = Own(face);
  for (std::size_t j = 0; j < figures_.size(); ++j) {
    const auto column = finder_.schema().Find(editor_.schema().numbers()[j]);
    if (!column) continue;
    AuFigures& f = figures_[j];
    for (int v = 0; v < arguments_.values; ++v) {
      std::vector<float> condition = own;
      condition[j] = static_cast<float>(v) / static_cast<float>(arguments_.values - 1);
      const cv::Mat after = Edit(face.crop, face.landmarks, own, condition);
      const FaceFinder::Measurement measured = finder_.Measure(after, face.box);
      f.asked.push_back(5 * condition[j]);
      f.measured.push_back(measured.aus.intensity[*column]);
      if (v == 0) f.rise -= static_cast<double>(f.measured.back());
      if (v == arguments_.values - 1) {
        f.rise += static_cast<double>(f.measured.back());
        Place(face, after, measured, j);
      }
    }
  }
  ++done_;
}

void Evaluation::Place(const GanFace& face, const cv::Mat& after, const FaceFinder::Measurement& measured,
                       std::size_t au) {
  const cv::Mat mask = features::AuRegionMask(editor_.schema().numbers()[au], face.landmarks, face.crop.cols,
                                              face.crop.rows, true);
  AuFigures& f = figures_[au];
  f.inside += features::ShareOfChangeInside(face.crop, after, mask);
  f.region += static_cast<double>(cv::countNonZero(mask)) / static_cast<double>(mask.total());
  f.moved += MovedOutside(finder_.Measure(face.crop, face.box).landmarks, measured.landmarks, mask);
  f.changed += ChangedOutside(face.crop, after, mask);
}

// The whole expression of another face, as in training; and back again.
void Evaluation::Borrow(std::size_t i) {
  const GanFace& face = set_.faces[i];
  // A stride that meets every face once and is no neighbour, who may be the same person.
  const GanFace& other = set_.faces[(i + set_.faces.size() / 2 + 1) % set_.faces.size()];
  const std::vector<float> wanted = Own(other);
  const std::vector<float> own = Own(face);
  const cv::Mat after = Edit(face.crop, face.landmarks, own, wanted);
  const FaceFinder::Measurement measured = finder_.Measure(after, face.box);
  for (std::size_t j = 0; j < figures_.size(); ++j) {
    if (const auto column = finder_.schema().Find(editor_.schema().numbers()[j])) {
      figures_[j].asked_any.push_back(5 * wanted[j]);
      figures_[j].measured_any.push_back(measured.aus.intensity[*column]);
    }
  }
  cv::Mat difference;
  cv::absdiff(face.crop, Edit(after, measured.landmarks, wanted, own), difference);
  const cv::Scalar mean = cv::mean(difference);
  cycle_ += (mean[0] + mean[1] + mean[2]) / 3;
  real_rows_.push_back(finder_.Measure(face.crop, face.box).features);
  edited_rows_.push_back(measured.features);
}

cv::Mat Rows(const std::vector<std::vector<float>>& rows, std::size_t first, std::size_t step) {
  cv::Mat all;
  for (std::size_t i = first; i < rows.size(); i += step) all.push_back(cv::Mat(rows[i]).reshape(1, 1));
  return all;
}

nlohmann::ordered_json Evaluation::Report() const {
  nlohmann::ordered_json report{
      {"checkpoint", editor_.Name()}, {"faces", done_}, {"values", arguments_.values}};
  const double n = std::max(1, done_);
  for (std::size_t j = 0; j < figures_.size(); ++j) {
    const AuFigures& f = figures_[j];
    if (f.asked.empty()) continue;
    report["aus"][editor_.schema().Names()[j]] = {
        {"correlation", annotator::PearsonR(f.measured, f.asked)},
        {"mae", annotator::MeanAbsoluteError(f.measured, f.asked)},
        {"rise", f.rise / n},
        {"correlation_whole_expression", annotator::PearsonR(f.measured_any, f.asked_any)},
        {"change_inside_region", f.inside / n},
        {"region_share_of_picture", f.region / n},
        {"landmarks_moved_outside", f.moved / n},
        {"grey_changed_outside", f.changed / n}};
  }
  report["cycle_error_grey"] = cycle_ / n;
  // Half of the faces against the other half says how far apart equal clouds of this size are.
  const int dimensions = std::min<int>(arguments_.dimensions, static_cast<int>(real_rows_.size()) / 2 - 1);
  if (dimensions >= 2) {
    report["frechet"] = {
        {"features", "shape and Gabor features of the AU model, standardised, first principal components"},
        {"dimensions", dimensions},
        {"edited_to_real", FrechetDistance(Rows(real_rows_, 0, 1), Rows(edited_rows_, 0, 1), dimensions)},
        {"half_to_half_of_real",
         FrechetDistance(Rows(real_rows_, 0, 2), Rows(real_rows_, 1, 2), dimensions)}};
  }
  return report;
}

void Print(const nlohmann::ordered_json& report) {
  std::printf("%s: %d faces, each AU asked alone from 0 to 1 in %d steps, measured by the annotator (0..5)\n",
              report["checkpoint"].get<std::string>().c_str(), report["faces"].get<int>(),
              report["values"].get<int>());
  std::printf("AU        r     MAE    rise  r whole  inside  region  landmarks  grey outside\n");
  if (report.contains("aus")) {
    for (const auto& [name, au] : report["aus"].items()) {
      std::printf("%-6s %6.2f  %5.2f  %6.2f  %6.2f   %4.0f %%   %4.0f %%  %8.4f  %8.2f\n", name.c_str(),
                  au["correlation"].get<double>(), au["mae"].get<double>(), au["rise"].get<double>(),
                  au["correlation_whole_expression"].get<double>(),
                  100 * au["change_inside_region"].get<double>(),
                  100 * au["region_share_of_picture"].get<double>(),
                  au["landmarks_moved_outside"].get<double>(), au["grey_changed_outside"].get<double>());
    }
  }
  std::printf("there and back again: %.2f grey values from the start\n",
              report["cycle_error_grey"].get<double>());
  if (report.contains("frechet")) {
    const auto& f = report["frechet"];
    std::printf(
        "Frechet distance of edited to real faces %.1f; of one half of the real ones to the other %.1f (%d "
        "components of %s)\n",
        f["edited_to_real"].get<double>(), f["half_to_half_of_real"].get<double>(),
        f["dimensions"].get<int>(), "the AU model's shape and Gabor features");
  }
  std::fflush(stdout);
}

int RunWrite(const GanEvalArguments& arguments) {
  JudgedWriterOptions options = arguments.pictures;
  options.photos = arguments.source;
  options.count = arguments.faces.count;
  options.quiet = arguments.quiet;
  if (datasets::storage::IsFile(options.photos)) throw UsageError("--write-pictures: " + options.photos + " is no folder of photos");
  return WriteJudgedPictures(options, *MakeExpressionEditor(arguments.editor));
}

int RunJudgeOf(const GanEvalArguments& arguments) {
  JudgeArguments judge = arguments.judge;
  judge.pictures = arguments.source;
  judge.json_file = arguments.json_file;
  judge.json = arguments.json;
  judge.quiet = arguments.quiet;
  return RunJudge(judge);
}

int RunGanEval(const GanEvalArguments& arguments) {
  InstallStopSignals();
  const bool writes = !arguments.pictures.output.empty(), judges = !arguments.judge.judge.empty();
  if (writes && judges) throw UsageError("--write-pictures and --judge: one after the other; the points are measured between them");
  if (judges) return RunJudgeOf(arguments);
  if (arguments.source.empty()) throw UsageError("SOURCE is needed: a shard, a folder of shards, or photos for --write-pictures");
  if (writes) return RunWrite(arguments);
  if (!arguments.sheet.empty()) datasets::RequirePictureFile(arguments.sheet);
  if (!arguments.json_file.empty()) datasets::storage::RequireOutputFile(arguments.json_file);
  const std::unique_ptr<ExpressionEditor> chosen = MakeExpressionEditor(arguments.editor);
  const ExpressionEditor& editor = *chosen;
  Evaluation evaluation(arguments, editor);
  evaluation.Run();
  const nlohmann::ordered_json report = evaluation.Report();
  if (!arguments.json_file.empty())
    datasets::storage::WriteFileAtomically(arguments.json_file, report.dump(2) + "\n");
  if (arguments.json) {
    std::cout << report.dump(2) << "\n";
  } else {
    Print(report);
  }
  if (!arguments.sheet.empty()) {
    GanFaceOptions few = arguments.faces;
    few.count = arguments.sheet_faces;
    WriteAuSheet(arguments.sheet, editor, LoadGanFaces(arguments.source, few, 128), editor.schema().Names(),
                 1);
  }
  return kDone;
}

}  // namespace

void AddGanEval(Cli& cli) {
  auto arguments = std::make_shared<GanEvalArguments>();
  Command command =
      cli.Add("eval", "Measure a generator: AUs asked for against AUs found, place, identity, realism",
              "auforge gan eval shards/ --checkpoint run/ -o sheet.png\n"
              "  auforge gan eval shards/ --json        of the generator that comes with the program\n"
              "  auforge gan eval photos/ --write-pictures edits/\n"
              "  auforge gan eval edits/ --judge mesh:points.h5        points by tools/gan/mesh_points.py");
  command
      .Positional("SOURCE", arguments->source,
                  "a shard or a folder of shards, best of faces it was not trained on; with --write-pictures a folder of "
                  "photos; with --judge the folder of pictures, which may be left out for mesh");
  AddEditorOptions(command, arguments->editor);
  command.Add("-o,--output", arguments->sheet, "sheet to write (.png, .jpg, …): faces by AUs");
  command.Add("--write-pictures", arguments->pictures.output,
              "write the photos' faces with each AU at 0, at 1 and back into this folder, for --judge");
  command.Add("--aus", arguments->pictures.aus, "AUs of --write-pictures, AU1,AU12; default: those whose movement the judge knows");
  command.Add("--judge", arguments->judge.judge,
              "judge pictures of edits that any program wrote: mesh:POINTS.h5, by points that another program measured, or "
              "annotator, by our own AUs (docs/judging-edits.md)");
  command.Add("--renderer", arguments->judge.renderer, "CSV of the renderer's movements; default: the one that comes with the program");
  command.Add("--movements", arguments->judge.movements, "write the movements found as such a CSV");
  command.Add("--embedding", arguments->judge.embedding, "dlib_face_recognition_resnet_model_v1.dat, for how far faces lose identity");
  command.Add("--faces", arguments->faces.count, "faces, or photos, to edit").Range(1, 100'000);
  command.Add("--min-quality", arguments->faces.min_quality, "leave out faces of lower quality").Range(0, 1);
  command.Add("--max-yaw", arguments->faces.max_yaw, "leave out faces turned further, degrees").Range(0, 90);
  command.Add("--values", arguments->values, "steps of each AU from 0 to 1").Range(2, 101);
  command.Add("--sheet-faces", arguments->sheet_faces, "rows of the sheet").Range(1, 200);
  command.Add("--components", arguments->dimensions, "principal components of the Frechet distance")
      .Range(2, 512);
  command.Add("--json-file", arguments->json_file, "also write the figures here");
  command.Flag("--json", arguments->json, "figures as JSON on stdout");
  command.Flag("-q,--quiet", arguments->quiet, "no progress");
  command.Run([arguments] { return RunGanEval(*arguments); });
}

}  // namespace auforge::tools
