// auforge gan pairs: photographs and their edits by --method warp, which teach a generator.
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/gan/au_request.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/loaded_warper.h"
#include "tools/gan/photo_pairs.h"

namespace auforge::tools {
namespace {

struct GanPairsArguments {
  PhotoPairsOptions options;
  std::string aus, face_model;
  bool quiet = false;
};

int RunGanPairs(const GanPairsArguments& a) {
  InstallStopSignals();
  datasets::storage::RequireOutputFolder(a.options.output);
  const std::string path = a.face_model.empty() ? warp::DefaultFaceModelPath() : a.face_model;
  PhotoPairsOptions options = a.options;
  if (!a.aus.empty()) options.aus = ParseAuList(a.aus);
  for (const int au : options.aus.numbers()) {
    if (!features::CatalogueSchema().Find(au)) throw UsageError("--aus: AU" + std::to_string(au) + " cannot be edited");
  }
  const LoadedWarper warper(path);
  ProgressLine line("gan pairs", a.quiet);
  const PhotoPairsSummary summary = WritePhotoPairs(
      options, warper.get(), datasets::storage::Sha256Hex(datasets::storage::ReadFile(path)),
      [&line](std::uint64_t done, std::uint64_t expected, double seconds) { line.Update(done, expected, seconds, "faces"); },
      [] { return StopSignal() != 0; });
  line.Finish();
  std::cout << a.options.output << ": " << summary.pictures << " pictures of " << summary.faces << " faces in "
            << Duration(summary.seconds) << "; " << summary.left_out << " faces left out (quality, turned), " << summary.shards_written << " shards written, "
            << summary.shards_skipped << " were there\n";
  if (summary.stopped) std::cout << "stopped; run the same command to go on\n";
  return kDone;
}

}  // namespace

void AddGanPairs(Cli& cli) {
  auto a = std::make_shared<GanPairsArguments>();
  a->options.jobs = AvailableCores();
  Command command = cli.Add("pairs", "Pairs to train on: photographs, and what --method warp makes of them",
                            "auforge annotate photos/ -o shards/ --crop-size 256\n"
                            "  auforge gan pairs shards/ -o pairs/\n"
                            "  auforge gan train --pairs pairs/ -o run/ --paired-only-steps 20000");
  command.Positional("DIR", a->options.shards, "shards of annotated photographs, or folders of them").Required();
  command.Add("-o,--output", a->options.output, "folder for the shards, of 10,000 pictures each at most; run again to go on").Required();
  command.Add("--image-size", a->options.image_size, "side of the pictures, pixels: gan train's").Range(16, 1024);
  command.Add("--aus", a->aus, "that edits set, e.g. AU1,AU2,AU12: gan train's; default: the published 17");
  command.Add("--expressions", a->options.expressions, "pictures a scene, the photograph the first").Range(2, 64);
  command.Add("--scenes", a->options.scenes, "of each face, each with other edits").Range(1, 1000);
  command.Add("--one-sided", a->options.one_sided,
              "share of the AUs that rise on one half of the face less than on the other: for train-net").Range(0, 1);
  command.Add("--min-quality", a->options.min_quality, "leave out faces of lower quality").Range(0, 1);
  command.Add("--max-yaw", a->options.max_yaw, "leave out faces that are turned further, degrees").Range(0, 90);
  command.Add("--face-model", a->face_model, "from 'auforge synth import-model'; default: where tools/fetch-face-model.sh puts it");
  command.Add("--seed", a->options.seed, "another seed, other edits");
  command.Add("-j,--jobs", a->options.jobs, "threads").Range(1, 1024);
  command.Flag("-q,--quiet", a->quiet, "no progress");
  command.Run([a] { return RunGanPairs(*a); });
}

}  // namespace auforge::tools
