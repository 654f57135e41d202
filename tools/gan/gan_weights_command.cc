// auforge gan export-weights, import-weights: weights by the published parameter names.
#include <iostream>
#include <memory>
#include <sstream>

#include "datasets/storage/atomic_file.h"
#include "gan/editor.h"
#include "gan/weights.h"
#include "tools/gan/au_request.h"
#include "tools/gan/gan_commands.h"

namespace auforge::tools {
namespace {

struct WeightsArguments {
  std::string from, to, aus;
  int image_size = 0;
  bool half = false;
};

int RunExport(const WeightsArguments& a) {
  datasets::storage::RequireSeekableFile(a.to, "weights");
  gan::ExportWeights(a.from.empty() ? gan::DefaultGeneratorPath() : a.from, a.to, a.half);
  std::cout << a.to << ": "
            << (a.half ? "the generator in 16-bit floats" : "weights by their published names") << "\n";
  return kDone;
}

int RunImport(const WeightsArguments& a) {
  datasets::storage::RequireOutputFolder(a.to);
  gan::ImportOptions options;
  if (a.image_size > 0) options.image_size = a.image_size;
  if (!a.aus.empty()) options.schema = ParseAuList(a.aus);
  std::cout << gan::ImportWeights(a.from, a.to, options) << ": ready for auforge gan train, sheet and edit\n";
  return kDone;
}

}  // namespace

void AddGanWeights(Cli& cli) {
  auto out = std::make_shared<WeightsArguments>();
  Command exporting =
      cli.Add("export-weights", "Write a generator's (and critic's) weights by their published names",
              "auforge gan export-weights run/ -o weights.h5\n"
              "  python3 tools/gan/gan_weights.py to-pytorch weights.h5 --generator G.pth --discriminator D.pth");
  exporting.Positional("CHECKPOINT", out->from, "a run's folder or a checkpoint; default: the generator that comes with the program");
  exporting.Add("-o,--output", out->to, "HDF5 file to write").Required();
  exporting.Flag("--half", out->half, "the generator alone, in 16-bit floats: to give away and to edit with");
  exporting.Run([out] { return RunExport(*out); });

  auto in = std::make_shared<WeightsArguments>();
  Command importing = cli.Add("import-weights", "Make a run of weights by their published names",
                              "python3 tools/gan/gan_weights.py from-pytorch --generator G.pth weights.h5\n"
                              "  auforge gan import-weights weights.h5 -o run/");
  importing.Positional("WEIGHTS", in->from, "HDF5 file with /generator (and /discriminator)").Required();
  importing.Add("-o,--output", in->to, "the run's folder to make").Required();
  importing.Add("--image-size", in->image_size, "side of the faces, where the file does not tell it; 0: 128")
      .Range(0, 512);
  importing.Add("--aus", in->aus, "what the conditions mean, in order, where the file does not tell it; default: the published 17");
  importing.Run([in] { return RunImport(*in); });
}

}  // namespace auforge::tools
