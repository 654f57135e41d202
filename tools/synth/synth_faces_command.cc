// auforge synth faces: labelled faces by the thousand.
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "datasets/synthetic/face_factory.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/synth/synth_commands.h"
#include "tools/synth/synth_generators.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

struct FacesArguments {
  synthetic::FactoryOptions options;
  GeneratorArguments generator;
};

int RunFaces(const FacesArguments& a) {
  InstallStopSignals();
  datasets::storage::RequireOutputFolder(a.options.output);
  if (!a.options.images.empty()) datasets::storage::RequireOutputFolder(a.options.images);
  GeneratorArguments generator = a.generator;
  generator.library.landmarks = a.options.landmarks;
  const LoadedGenerator loaded = LoadGenerator(generator, "synth faces");
  ProgressLine line("synth faces", a.generator.quiet);
  synthetic::FactorySummary summary;
  try {
    summary = synthetic::MakeFaces(
        loaded.generator(), a.options,
        [&line](const synthetic::FactoryProgress& p) {
          line.Update(p.pictures, p.expected, p.seconds, "pictures",
                      ", " + std::to_string(p.faces) + " faces");
        },
        [] { return StopSignal() != 0; });
  } catch (const synthetic::FactoryMismatch& error) {
    throw BadInputError(error.what());
  }
  line.Finish();
  std::cout << summary.pictures << " pictures, " << summary.faces << " faces found in "
            << Duration(summary.seconds) << "; " << summary.shards_written << " shards written, "
            << summary.shards_skipped << " were there\n";
  return kDone;
}

}  // namespace

void AddSynthFaces(Command& synth) {
  auto a = std::make_shared<FacesArguments>();
  a->options.jobs = AvailableCores();
  Command command =
      synth.Sub("faces", "Make labelled faces; write shards",
                "auforge synth faces -o renders/ --count 20000 --photos portraits/ --face-model face.h5\n"
                "  auforge synth faces -o renders-cg/ --count 4000 --method cg --face-model face.h5\n"
                "  auforge synth faces -o pairs/ --count 1000 --expressions 4 --photos portraits/ --face-model face.h5");
  command.Add("-o,--output", a->options.output, "folder for the shards; run again to go on").Required();
  command.Add("--count", a->options.count, "pictures; with --expressions scenes, each of so many pictures").Range(1, 1e9);
  AddGeneratorOptions(command, a->generator);
  command
      .Add("--faces-per-identity", a->generator.reconstruct.faces_per_identity,
           "scenes with each made-up person")
      .Range(1, 1000000);
  command.Add("--seed", a->options.seed, "another seed, other faces");
  command.Add("--shard-size", a->options.shard_size, "pictures (scenes) a shard").Range(1, 1e7);
  command.Add("--crop-size", a->options.crop.size, "side of the stored crops, pixels").Range(16, 2048);
  command.Add("--images", a->options.images, "folder for plain JPEGs with labels_NNNNN.csv, points_NNNNN.csv and dense_NNNNN.csv");
  command.Add("--landmarks", a->options.landmarks, "what finds the points of photos and in shards: auforge, dlib[:FILE] or FILE; default auforge");
  command.Add("--index", a->options.index, "do shards i with i mod processes = index").Range(0, 1e9);
  command.Add("--processes", a->options.processes, "number of processes that share the work").Range(1, 1e9);
  command.Add("-j,--jobs", a->options.jobs, "threads").Range(1, 1024);
  command.Run([a] { return RunFaces(*a); });
}

}  // namespace auforge::tools
