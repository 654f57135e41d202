// auforge train-au: labelled faces in, AU model out.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "annotator/learnt_net_file.h"
#include "annotator/model_lineage.h"
#include "annotator/training.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/lineage.h"
#include "datasets/storage/paths.h"
#include "tools/au/au_compare.h"
#include "tools/au/au_data.h"
#include "tools/au/au_table.h"
#include "tools/cli/lineage_option.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

struct TrainArguments {
  std::vector<std::string> data;
  std::vector<std::string> unlabelled, photos, held_out;
  std::string output;
  std::string compare, ablation;
  std::string table;
  std::string net, halves_of, lineage;
  annotator::TrainOptions options;
  bool no_shape = false, no_gabor = false, no_hog = false, no_local = false, no_mirror = false;
  std::string gabor = "compact";
  FaceSearch faces;
  int jobs = 1;
};

// A file that is there but no net will not become one: bad input.
std::shared_ptr<const features::LearntNet> LoadNet(const std::string& path) {
  try {
    return annotator::LoadLearntNet(path);
  } catch (const std::runtime_error& error) {
    if (datasets::storage::Exists(path)) throw BadInputError(error.what());
    throw;
  }
}

// Halves for a model that is there; nothing else of it changes.
int RunHalves(TrainArguments& arguments, const std::string& lineage) {
  const auto log = [](const std::string& text) { std::cerr << "train-au: " << text << std::endl; };
  const annotator::AuModel model = annotator::AuModel::Load(arguments.halves_of);
  annotator::TrainingData data = LoadTrainingData(arguments.data, model.info().features, arguments.faces,
                                                  arguments.jobs, log, arguments.held_out);
  DropConstantAus(data, log);
  annotator::RequireSameLandmarker(data.landmarker, model.info().landmarker, arguments.halves_of);
  const annotator::WithHalves learnt = annotator::LearnHalves(model, data, arguments.options, log);
  std::string provenance = model.info().provenance + "; auforge train-au --halves-of it --seed " +
                           std::to_string(arguments.options.seed);
  for (const std::string& text : arguments.data) provenance += " --data " + text;
  for (const std::string& text : arguments.held_out) provenance += " --held-out " + text;
  annotator::SaveWithLineage(learnt.model.WithProvenance(provenance), arguments.output, lineage);
  std::cout << SidesTable(learnt.test) << arguments.output << ": the model of " << arguments.halves_of
            << " with halves of the face\n";
  return kDone;
}

int RunTrain(TrainArguments& arguments) {
  datasets::storage::RequireSeekableFile(arguments.output, "a model");
  for (const std::string* table : {&arguments.table, &arguments.compare, &arguments.ablation}) {
    if (!table->empty()) datasets::storage::RequireOutputFile(*table);
  }
  const std::string lineage = datasets::storage::ReadLineageFile(arguments.lineage);
  if (!arguments.halves_of.empty()) return RunHalves(arguments, lineage);
  features::FeatureSpec spec;
  spec.shape = arguments.no_shape ? features::ShapeKind::kNone : features::ShapeKind::kEmotioNet;
  spec.gabor = !arguments.no_gabor;
  spec.hog = !arguments.no_hog;
  if (!arguments.net.empty()) spec.net = LoadNet(arguments.net);
  if (arguments.gabor == "emotionet") spec.gabor_options = features::GaborOptions::EmotioNet();
  if (arguments.gabor == "emotionet-full") spec.gabor_options = features::GaborOptions::EmotioNetFull(8);
  spec.Validate();
  arguments.options.jobs = arguments.jobs;
  arguments.options.local_heads = !arguments.no_local;
  arguments.options.mirror_average = !arguments.no_mirror;
  const auto log = [](const std::string& text) { std::cerr << "train-au: " << text << std::endl; };
  annotator::TrainingData data = LoadTrainingData(arguments.data, spec, arguments.faces, arguments.jobs, log, arguments.held_out);
  DropConstantAus(data, log);
  if (!arguments.unlabelled.empty()) LoadUnlabelled(arguments.unlabelled, arguments.faces, arguments.jobs, data, log);
  arguments.options.provenance = "auforge train-au --learner " + arguments.options.learner + " --seed " +
                                 std::to_string(arguments.options.seed);
  if (spec.net != nullptr) arguments.options.provenance += " --net " + arguments.net;
  for (const std::string& text : arguments.data) arguments.options.provenance += " --data " + text;
  for (const std::string& text : arguments.unlabelled)
    arguments.options.provenance += " --unlabelled " + text;
  for (const std::string& text : arguments.held_out) arguments.options.provenance += " --held-out " + text;
  for (const std::string& text : arguments.photos) arguments.options.provenance += " --photos " + text;
  if (!arguments.compare.empty() || !arguments.ablation.empty()) {
    const bool learners = !arguments.compare.empty();
    const std::string parent = std::filesystem::path(arguments.output).parent_path().string();
    const auto ways = learners ? CompareLearners(data, arguments.options, parent, log)
                               : Ablate(data, arguments.options, log);
    const std::string ways_table = WaysTable(ways);
    datasets::storage::WriteFileAtomically(learners ? arguments.compare : arguments.ablation, ways_table);
    std::cout << ways_table;
    return kDone;
  }
  std::optional<annotator::TrainingData> photos;
  if (!arguments.photos.empty()) {
    FaceSearch faces = arguments.faces;
    UseLandmarksOf(data, faces);
    photos = LoadTrainingData(arguments.photos, data.spec, faces, arguments.jobs, log);
    MeetLandmarker(data, photos->landmarker, "--photos");
    NameAusWithoutModel(*photos, data.schema, log);
  }
  const annotator::TrainedModel trained =
      annotator::TrainAuModel(data, arguments.options, log, photos ? &*photos : nullptr);
  annotator::SaveWithLineage(trained.model, arguments.output, lineage);
  const std::string table = AuTable(trained.report.test);
  std::cout << table << arguments.output << ": " << trained.report.train_rows << " faces trained on, "
            << trained.report.test_rows << " of other identities judged, "
            << static_cast<int>(trained.report.seconds) << " s\n";
  std::cout << SidesTable(trained.report.sides) << QualityText(trained.report.quality) << HiddenText(trained.report.test)
            << ReadoutTable(trained.report.readout);
  std::cout << "correlation on the validation identities by what is looked at:\n"
            << HeadsTable(trained.report.heads, trained.model.info());
  if (!arguments.table.empty())
    datasets::storage::WriteFileAtomically(arguments.table, AuCsv(trained.report.test));
  return kDone;
}

}  // namespace

void AddTrainAu(Cli& cli) {
  auto arguments = std::make_shared<TrainArguments>();
  annotator::TrainOptions& options = arguments->options;
  arguments->jobs = AvailableCores();
  Command command =
      cli.Add("train-au", "Train an AU model from labelled faces",
              "auforge train-au --data shards:faces/ -o model.h5\n"
              "  auforge train-au --data landmarks:face.h5,count=20000 --no-gabor --no-hog -o model.h5");
  command.Add("--data", arguments->data, "name:path[,option=value]; names: " + DataSourcesHelp()).Required();
  command.Add("--unlabelled", arguments->unlabelled,
              "real photos whose answers must not change with mirroring, JPEG and size");
  command.Add("--photos", arguments->photos,
              "labelled photographs, as --data: they teach the last layer, thresholds and scales, nothing before them");
  command.Add("--held-out", arguments->held_out,
              "faces that calibrate and judge, as --data, instead of a part of --data: people whom a net has not seen either");
  command.Add("--net-share", options.net_share,
              "of the net's own opinion on AUs that --photos teach, 0..1").Range(0, 1);
  command.Add("--readout-lost", options.readout.most_lost,
              "correlation on renders that an AU may lose to --photos, 0..1").Range(0, 1);
  command.Add("-o,--output", arguments->output, "the model file").Required();
  command.Add("--table", arguments->table, "also write the held-out figures to this CSV");
  command.Add("--compare", arguments->compare,
              "instead: train all three learners beside -o and write their table here (Markdown)");
  command.Add("--ablation", arguments->ablation,
              "instead: train with one thing changed at a time and write the table here");
  command.Add("--learner", options.learner, "kernel learner").OneOf({"nystrom", "svm", "ksda"});
  command.Add("--seed", options.seed, "of split and centres");
  command.Add("--centres", options.centres, "nystrom: shared centres").Range(1, 8192);
  command.Add("--svm-rows", options.svm_rows, "svm: training faces at most").Range(50, 20000);
  command.Add("--svm-c", options.svm_c, "svm: C").Range(1e-9, 1e9);
  command.Add("--ksda-rows", options.ksda_rows, "ksda: training faces at most").Range(50, 8000);
  command.Flag(
      "--ksda-nearest", options.ksda_nearest,
      "ksda: the nearest subclass mean decides, as published, not a regression on the discriminants");
  command.Add("--train-rows", options.train_rows, "training faces at most, for every learner; 0: all").Range(0, 1e9);
  command.Add("--consistency", options.consistency,
              "nystrom: weight of --unlabelled photos giving one answer").Range(0, 1e6);
  command.Add("--prevalence", options.prevalence,
              "nystrom: weight of AUs not being commoner in them than in training").Range(0, 1e6);
  command.Add("--photo-share", options.photo_share,
              "nystrom: mean intensity of AUs in them by that in training, 0..1; smiles are exempt")
      .Range(0, 1);
  command.Add("--photo-spread", options.photo_spread,
              "present from median + this many median absolute deviations of them on, at least; 0: as on labels")
      .Range(0, 20);
  command.Add("--ridge", options.ridge, "nystrom: regularisation").Range(1e-12, 1e6);
  command.Add("--gamma-scale", options.gamma_scale, "kernel width, times 1 / median squared distance").Range(1e-6, 1e6);
  command.Add("--halves-of", arguments->halves_of,
              "instead: add the halves of the face to this model, which stays as it is otherwise");
  command.Add("--side-components", options.side_components,
              "of the halves of the face: principal axes of each kind of feature; 0: halves are not learnt")
      .Range(0, 2000);
  command.Add("--side-centres", options.side_centres, "of the halves: kernel centres; 0: linear").Range(0, 8192);
  command.Add("--shape-components", options.shape_components, "principal axes kept").Range(1, 2466);
  command.Add("--gabor-components", options.gabor_components, "principal axes kept").Range(1, 4000);
  command.Add("--learnt-components", options.learnt_components, "principal axes kept").Range(1, 4000);
  command.Add("--net", arguments->net, "learnt features too: a net file, which the model takes in");
  command.Flag("--no-shape", arguments->no_shape, "without shape features");
  command.Flag("--no-gabor", arguments->no_gabor, "without Gabor features");
  command.Flag("--no-hog", arguments->no_hog, "without HOG features");
  command.Flag("--no-local", arguments->no_local, "whole face only: no heads for its upper and lower part");
  command.Flag("--no-mirror-average", arguments->no_mirror,
               "features as they are, not averaged with the mirrored face");
  command
      .Add("--gabor", arguments->gabor,
           "compact set, EmotioNet's 5,280, or all that EmotioNet chooses from (8 orientations)")
      .OneOf({"compact", "emotionet", "emotionet-full"});
  AddFaceSearch(command, arguments->faces);
  AddLineage(command, arguments->lineage);
  command.Flag("--provisional", options.provisional, "mark the model as provisional");
  command.Add("-j,--jobs", arguments->jobs, "threads that load data").Range(1, 1024);
  command.Run([arguments] { return RunTrain(*arguments); });
}

}  // namespace auforge::tools
