// auforge train-au: labelled faces in, AU model out.
#include <cstdio>
#include <iostream>
#include <memory>

#include "annotator/training.h"
#include "datasets/storage/atomic_file.h"
#include "tools/au_data.h"
#include "tools/au_table.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

struct TrainArguments {
  std::vector<std::string> data;
  std::string output;
  std::string table;
  annotator::TrainOptions options;
  bool no_shape = false, no_gabor = false, hog = false;
  int jobs = 1;
};

int RunTrain(TrainArguments& arguments) {
  features::FeatureSpec spec;
  spec.shape = arguments.no_shape ? features::ShapeKind::kNone : features::ShapeKind::kEmotioNet;
  spec.gabor = !arguments.no_gabor;
  spec.hog = arguments.hog;
  const auto log = [](const std::string& text) { std::cerr << "train-au: " << text << std::endl; };
  const annotator::TrainingData data = LoadTrainingData(arguments.data, spec, arguments.jobs, log);
  arguments.options.provenance = "auforge train-au --learner " + arguments.options.learner + " --seed " +
                                 std::to_string(arguments.options.seed);
  for (const std::string& text : arguments.data) arguments.options.provenance += " --data " + text;
  const annotator::TrainedModel trained = annotator::TrainAuModel(data, arguments.options, log);
  trained.model.Save(arguments.output);
  const std::string table = AuTable(trained.report.test);
  std::cout << table << arguments.output << ": " << trained.report.train_rows << " faces trained on, "
            << trained.report.test_rows << " of other identities judged, " << static_cast<int>(trained.report.seconds)
            << " s\n";
  if (!arguments.table.empty()) datasets::storage::WriteFileAtomically(arguments.table, AuCsv(trained.report.test));
  return kDone;
}

}  // namespace

void AddTrainAu(Cli& cli) {
  auto arguments = std::make_shared<TrainArguments>();
  annotator::TrainOptions& options = arguments->options;
  arguments->jobs = AvailableCores();
  Command command = cli.Add("train-au", "Train an AU model from labelled faces",
                            "auforge train-au --data shards:faces/ -o model.h5\n"
                            "  auforge train-au --data landmarks:face.h5,count=20000 --no-gabor -o model.h5");
  command.Add("--data", arguments->data, "name:path[,option=value]; shards:DIR, synth:DIR, landmarks:FACE.h5,count=N,seed=S")
      .Required();
  command.Add("-o,--output", arguments->output, "the model file").Required();
  command.Add("--table", arguments->table, "also write the held-out figures to this CSV");
  command.Add("--learner", options.learner, "kernel learner").OneOf({"nystrom", "svm"});
  command.Add("--seed", options.seed, "of split and centres");
  command.Add("--centres", options.centres, "nystrom: shared centres").Range(1, 8192);
  command.Add("--svm-rows", options.svm_rows, "svm: training faces at most").Range(50, 20000);
  command.Add("--svm-c", options.svm_c, "svm: C");
  command.Add("--ridge", options.ridge, "nystrom: regularisation");
  command.Add("--gamma-scale", options.gamma_scale, "kernel width, times 1 / median squared distance");
  command.Add("--shape-components", options.shape_components, "principal axes kept").Range(1, 2466);
  command.Add("--gabor-components", options.gabor_components, "principal axes kept").Range(1, 4000);
  command.Flag("--no-shape", arguments->no_shape, "without shape features");
  command.Flag("--no-gabor", arguments->no_gabor, "without Gabor features");
  command.Flag("--hog", arguments->hog, "with HOG features");
  command.Flag("--provisional", options.provisional, "mark the model as provisional");
  command.Add("-j,--jobs", arguments->jobs, "threads that load data").Range(1, 1024);
  command.Run([arguments] { return RunTrain(*arguments); });
}

}  // namespace auforge::tools
