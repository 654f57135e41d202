// auforge train-net: renders and coded photographs in, a net whose answers are features of faces out.
#include <cstdio>
#include <iostream>
#include <memory>
#include <set>

#include "annotator/net_training/train_net.h"
#include "datasets/storage/atomic_file.h"
#include "tools/au/au_data.h"
#include "tools/net/channels.h"
#include "tools/net/net_commands.h"
#include "tools/net/training_run.h"

namespace auforge::tools {
namespace {

struct NetArguments {
  std::vector<std::string> renders, photos;
  std::vector<std::string> unlabelled;
  std::string codes, without, output, blocks = "32,64,128,192", precision = "bf16";
  annotator::NetTrainOptions options;
  bool quiet = false;
};

annotator::CropSet LoadCoded(const NetArguments& a, const features::AuSchema& schema, const annotator::CropLog& log) {
  if (a.codes.empty() != a.photos.empty())
    throw UsageError("--photos and --codes go together: annotated photographs, and what people see in them");
  annotator::CropSet none;
  none.schema = schema;
  if (a.codes.empty()) return none;
  return annotator::LoadPhotos(a.photos, LoadLabelSet(ParseDataSpec(a.codes), log), schema, a.options.crop_size, log);
}

// Photographs without codes, less those whose names --without lists. Of rows without their picture the name is not known:
// passed over, they would let photographs to judge by teach.
annotator::CropSet LoadPlain(const NetArguments& a, const features::AuSchema& schema, const annotator::CropLog& log) {
  if (a.unlabelled.empty() && !a.without.empty()) throw UsageError("--without is of --unlabelled, which is not given");
  annotator::CropSet none;
  none.schema = schema;
  if (a.unlabelled.empty()) return none;
  std::set<std::string> taken;
  if (!a.without.empty()) {
    const datasets::LabelSet judged = LoadLabelSet(ParseDataSpec(a.without), log);
    if (judged.labels_without_image > 0) {
      throw BadInputError("--without " + a.without + ": " + std::to_string(judged.labels_without_image) +
                          " rows without their picture, whose photographs would teach; say where the pictures are with images=DIR, "
                          "or take the rows out");
    }
    for (const datasets::LabelledImage& image : judged.images) taken.insert(datasets::KeyOf(image));
  }
  return annotator::LoadUnlabelledPhotos(a.unlabelled, taken, schema, a.options.crop_size, log);
}

int RunTrainNet(NetArguments& a) {
  a.options.blocks = ParseChannels("--blocks", a.blocks);
  Prepare(a.options, a.precision, a.output);
  const auto log = [](const std::string& text) { std::cerr << "train-net: " << text << std::endl; };
  const features::AuSchema schema = features::CatalogueSchema();
  const annotator::CropSet photos = LoadCoded(a, schema, log);
  const annotator::CropSet unlabelled = LoadPlain(a, schema, log);
  const annotator::CropSet renders = annotator::LoadRenders(a.renders, schema, a.options.crop_size);
  log(std::to_string(renders.size()) + " renders");
  const auto losses = [](const annotator::NetTrainProgress& p) {
    char text[80];
    std::snprintf(text, sizeof(text), ", loss %.4f", p.loss);
    return std::string(text);
  };
  const auto summary = RunTraining<annotator::NetTrainProgress>(
      "train-net", a.options.state, a.quiet, losses,
      [&](const auto& report, const auto& stop) { return annotator::TrainNet(renders, photos, unlabelled, a.options, report, stop); });
  if (!summary.finished) return kDone;
  const std::vector<std::uint8_t> bytes = summary.net.Serialise();
  WriteNet(a.output, bytes);
  double sum = 0;
  for (std::size_t j = 0; j < summary.correlation.size(); ++j) {
    std::printf("AU%-3d r %.3f\n", schema.numbers()[j], summary.correlation[j]);
    sum += summary.correlation[j];
  }
  if (!summary.correlation.empty()) {
    std::printf("mean   r %.3f on %zu renders of people that took no part, by the net's own head\n",
                sum / static_cast<double>(summary.correlation.size()), summary.held_out);
  }
  if (summary.uneven > 0) {
    std::printf("stronger half found in %.1f %% of %llu that differ by a step and more\n",
                100.0 * static_cast<double>(summary.stronger) / static_cast<double>(summary.uneven),
                static_cast<unsigned long long>(summary.uneven));
  }
  std::cout << a.output << ": " << summary.net.embedding_size() << " features, " << summary.net.weight_count()
            << " weights, " << summary.net.multiply_adds() / 1'000'000 << " million multiply-adds a picture, "
            << summary.steps << " steps, " << Duration(summary.seconds) << "\n";
  return kDone;
}

}  // namespace

void AddTrainNet(Cli& cli) {
  auto arguments = std::make_shared<NetArguments>();
  annotator::NetTrainOptions& o = arguments->options;
  o.jobs = AvailableCores();
  Command command = cli.Add(
      "train-net", "Train the net whose answers are learnt features of faces",
      "auforge train-net --renders faces/cg --renders faces/reconstruct -o net.bin\n"
      "  auforge train-net --renders faces/cg --photos annotated/ --codes csv:labels.csv,images=photos/ -o net.bin\n"
      "  auforge train-au --data synth:faces/cg --net net.bin -o model.h5");
  command.Add("--renders", arguments->renders, "shards of synthetic faces, or folders of them").Required();
  command.Add("--photos", arguments->photos, "shards of annotated photographs, or folders of them");
  command.Add("--codes", arguments->codes, "what people see in them: name:path[,option=value], as --data of train-au");
  command.Add("--unlabelled", arguments->unlabelled,
              "shards of annotated photographs that teach without codes: what is said of them must not change with augmentation");
  command.Add("--without", arguments->without, "photographs that --unlabelled leaves out, as --codes: those to judge by");
  AddTrainingFiles(command, "the net", arguments->output, o, ", of a net, or of the net in an AU model");
  command.Add("--passes", o.passes, "over the renders").Range(1e-6, 10000);
  command.Add("--batch", o.batch, "renders in a batch").Range(8, 4096);
  command.Add("--photo-batch", o.photo_batch, "photographs beside them").Range(0, 4096);
  command.Add("--photo-weight", o.photo_weight, "of their losses").Range(0, 100);
  command.Add("--unlabelled-batch", o.unlabelled_batch, "photographs without codes in a batch").Range(0, 4096);
  command.Add("--unlabelled-weight", o.unlabelled_weight, "of what they teach").Range(0, 100);
  command.Add("--crop", o.crop_size, "side of the net's picture, pixels").Range(32, 256);
  command.Add("--stem", o.stem, "channels of the first layer").Range(8, 128);
  command.Add("--blocks", arguments->blocks, "channels of the blocks, each halves the side; the last: features");
  AddTrainingRates(command, o);
  command.Add("--dropout", o.dropout, "of the features").Range(0, 0.999);
  command.Add("--augment", o.augment, "strength of the augmentation; 0: pictures as they are, but for mirroring").Range(0, 1);
  command.Add("--held-out", o.held_out, "share of the people in renders that are only judged").Range(0, 0.5);
  AddTrainingRun(command, o, arguments->precision, arguments->quiet);
  command.Run([arguments] { return RunTrainNet(*arguments); });
}

}  // namespace auforge::tools
