// auforge synth faces: labelled faces by the thousand.
#include <algorithm>
#include <iostream>
#include <memory>

#include "datasets/synthetic/cg_generator.h"
#include "datasets/synthetic/face_factory.h"
#include "datasets/synthetic/photo_library.h"
#include "datasets/synthetic/reconstruct_generator.h"
#include "tools/progress.h"
#include "tools/signals.h"
#include "tools/synth_commands.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

struct FacesArguments {
  synthetic::FactoryOptions options;
  std::string method = "reconstruct";
  std::string face_model = "face.h5";
  std::vector<std::string> photos;
  synthetic::PhotoLibraryOptions library;
  synthetic::ReconstructOptions reconstruct;
  synthetic::CgOptions cg;
  bool quiet = false;
};

synthetic::PhotoLibrary Collect(const FacesArguments& a, const synthetic::PhotoTaker& taker) {
  if (a.photos.empty()) throw UsageError("--method reconstruct needs photos: --photos FOLDER");
  ProgressLine line("synth faces", a.quiet);
  const auto start = std::chrono::steady_clock::now();
  auto library = synthetic::CollectPhotos(a.photos, taker, a.library, [&](std::uint64_t seen, std::uint64_t used) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    line.Update(seen, 0, seconds, "photos", ", " + std::to_string(used) + " rebuilt");
  });
  line.Finish();
  if (!a.quiet) {
    std::cerr << "synth faces: photos";
    for (const auto& [what, count] : library.counts) std::cerr << "  " << what << ": " << count;
    std::cerr << "\n";
  }
  return library;
}

// What both methods have in common is set once, on the options of "reconstruct".
std::unique_ptr<synthetic::FaceGenerator> MakeGenerator(const FacesArguments& a, const synthetic::FaceModel& model,
                                                        const synthetic::FaceRenderer& renderer) {
  if (a.method == "cg") {
    if (!a.photos.empty()) throw UsageError("--method cg draws people without photos; leave --photos out");
    synthetic::CgOptions options = a.cg;
    options.size = a.reconstruct.size;
    options.texture_side = std::max(384, options.size + options.size / 2);
    options.faces_per_identity = a.reconstruct.faces_per_identity;
    options.occluders = a.reconstruct.occluders;
    options.yaw = a.reconstruct.yaw;
    return std::make_unique<synthetic::CgGenerator>(model, renderer, options);
  }
  const synthetic::PhotoTaker taker(model, renderer, 384);
  return std::make_unique<synthetic::ReconstructGenerator>(model, renderer, Collect(a, taker).sources, a.reconstruct);
}

int RunFaces(const FacesArguments& a) {
  InstallStopSignals();
  const synthetic::FaceModel model = synthetic::FaceModel::Load(a.face_model);
  const synthetic::FaceRenderer renderer(model);
  const std::unique_ptr<synthetic::FaceGenerator> made = MakeGenerator(a, model, renderer);
  const synthetic::FaceGenerator& generator = *made;
  ProgressLine line("synth faces", a.quiet);
  synthetic::FactorySummary summary;
  try {
    summary = synthetic::MakeFaces(
        generator, a.options,
        [&line](const synthetic::FactoryProgress& p) {
          line.Update(p.pictures, p.expected, p.seconds, "pictures", ", " + std::to_string(p.faces) + " faces");
        },
        [] { return StopSignal() != 0; });
  } catch (const synthetic::FactoryMismatch& error) {
    throw BadInputError(error.what());
  }
  line.Finish();
  std::cout << summary.pictures << " pictures, " << summary.faces << " faces found in " << Duration(summary.seconds) << "; "
            << summary.shards_written << " shards written, " << summary.shards_skipped << " were there\n";
  return kDone;
}

}  // namespace

void AddSynthFaces(Command& synth) {
  auto a = std::make_shared<FacesArguments>();
  a->options.jobs = AvailableCores();
  Command command = synth.Sub("faces", "Make labelled faces; write shards",
                              "auforge synth faces -o renders/ --count 20000 --photos portraits/ --face-model face.h5");
  command.Add("-o,--output", a->options.output, "folder for the shards; run again to go on").Required();
  command.Add("--count", a->options.count, "pictures").Range(1, 1e9);
  command.Add("--method", a->method, "photos rebuilt, or made-up people").OneOf({"reconstruct", "cg"});
  command.Add("--photos", a->photos, "photos to rebuild faces from: files, folders, lists, tars");
  command.Add("--most-photos", a->library.most, "photos used at most").Range(1, 100000);
  command.Add("--face-model", a->face_model, "from 'auforge synth import-model'");
  command.Add("--size", a->reconstruct.size, "side of the pictures, pixels").Range(64, 1024);
  command.Add("--faces-per-identity", a->reconstruct.faces_per_identity, "pictures of each made-up person").Range(1, 1000000);
  command.Add("--occluded", a->reconstruct.occluders.rate, "share of faces with something in front").Range(0, 1);
  command.Add("--yaw", a->reconstruct.yaw, "standard deviation of the direction, degrees").Range(0, 40);
  command.Add("--turned", a->cg.turned, "cg: share of faces in any direction up to 60 degrees").Range(0, 1);
  command.Add("--seed", a->options.seed, "another seed, other faces");
  command.Add("--shard-size", a->options.shard_size, "pictures a shard").Range(1, 1e7);
  command.Add("--images", a->options.images, "folder for plain JPEGs with labels_NNNNN.csv");
  command.Add("--index", a->options.index, "do shards i with i mod processes = index");
  command.Add("--processes", a->options.processes, "number of processes that share the work");
  command.Add("-j,--jobs", a->options.jobs, "threads").Range(1, 1024);
  command.Flag("-q,--quiet", a->quiet, "no progress");
  command.Run([a] { return RunFaces(*a); });
}

}  // namespace auforge::tools
