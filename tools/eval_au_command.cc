// auforge eval-au: how well does a model agree with labels?
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "annotator/training.h"
#include "datasets/storage/atomic_file.h"
#include "tools/au_data.h"
#include "tools/au_table.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

struct EvalArguments {
  std::vector<std::string> data;
  std::string model;
  std::string output;
  bool json = false;
  int jobs = 1;
};

int RunEval(const EvalArguments& arguments) {
  const annotator::AuModel model =
      annotator::AuModel::Load(arguments.model.empty() ? annotator::DefaultAuModelPath() : arguments.model);
  const auto log = [](const std::string& text) { std::cerr << "eval-au: " << text << std::endl; };
  const annotator::TrainingData data = LoadTrainingData(arguments.data, model.info().features, arguments.jobs, log);
  const std::vector<annotator::AuFigure> figures = annotator::EvaluateAuModel(model, data);
  if (!arguments.output.empty()) datasets::storage::WriteFileAtomically(arguments.output, AuCsv(figures));
  if (arguments.json) {
    nlohmann::json all;
    for (const annotator::AuFigure& f : figures) {
      all.push_back({{"au", f.au}, {"rows", f.rows}, {"active", f.active}, {"r", f.r}, {"icc", f.icc},
                     {"mae", f.mae}, {"auc", f.auc}, {"f1", f.f1}});
    }
    std::cout << all.dump() << "\n";
  } else {
    std::cout << AuTable(figures);
  }
  return kDone;
}

}  // namespace

void AddEvalAu(Cli& cli) {
  auto arguments = std::make_shared<EvalArguments>();
  arguments->jobs = AvailableCores();
  Command command = cli.Add("eval-au", "Compare a model's AUs with labels",
                            "auforge eval-au --data shards:faces/ --model model.h5 -o table.csv");
  command.Add("--data", arguments->data, "as for train-au").Required();
  command.Add("--model", arguments->model, "AU model; default: the one that comes with auforge");
  command.Add("-o,--output", arguments->output, "also write the figures to this CSV");
  command.Flag("--json", arguments->json, "print the figures as JSON");
  command.Add("-j,--jobs", arguments->jobs, "threads that load data").Range(1, 1024);
  command.Run([arguments] { return RunEval(*arguments); });
}

}  // namespace auforge::tools
