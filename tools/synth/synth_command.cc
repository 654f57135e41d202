// auforge synth: faces that never were, with exact AUs.
#include <algorithm>
#include <iostream>
#include <memory>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "datasets/synthetic/face_model.h"
#include "tools/commands.h"
#include "tools/cli/progress.h"
#include "tools/synth/synth_commands.h"

namespace auforge::tools {
namespace {

struct ImportArguments {
  std::string folder;
  std::string output;
  int identities = 100;
};

int RunImport(const ImportArguments& arguments) {
  datasets::storage::RequireSeekableFile(arguments.output, "a face model");
  const auto start = std::chrono::steady_clock::now();
  ProgressLine line("synth import-model");
  auto model = datasets::synthetic::FaceModel::ImportObjFolder(
      arguments.folder, [&](std::size_t done, std::size_t total) {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        line.Update(done, total, seconds, "files");
      });
  line.Finish();
  // They stand in the order of their variance: the first say most.
  model.identities.resize(std::min(model.identities.size(), static_cast<std::size_t>(arguments.identities)));
  model.Save(arguments.output);
  std::cout << arguments.output << ": " << model.VertexCount() << " vertices, " << model.identities.size()
            << " identities, " << model.expressions.size() << " expressions, "
            << datasets::storage::FileSize(arguments.output) / 1024 << " KB\n";
  return kDone;
}

}  // namespace

void AddSynth(Cli& cli) {
  Command synth = cli.Add("synth", "Make labelled faces by computer graphics",
                          "auforge synth import-model FaceXModel/ -o face.h5");
  auto import = std::make_shared<ImportArguments>();
  Command command =
      synth.Sub("import-model", "Read the ICT-FaceKit model (github.com/ICT-VGL/ICT-FaceKit, MIT licence)",
                "auforge synth import-model ICT-FaceKit/FaceXModel -o face.h5\n"
                "  auforge synth import-model ICT-FaceKit/FaceXModel --identities 25 -o small.h5");
  command.Positional("DIR", import->folder, "the FaceXModel folder as published").Required();
  command.Add("-o,--output", import->output, "the compact model file").Required();
  command.Add("--identities", import->identities, "shapes of people to keep; gan edit is content with 25").Range(1, 1000);
  command.Run([import] { return RunImport(*import); });
  AddSynthFaces(synth);
  AddSynthSheet(synth);
  AddSynthStats(synth);
}

}  // namespace auforge::tools
