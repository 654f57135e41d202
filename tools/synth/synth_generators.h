// What `auforge synth faces` and `auforge synth sheet` have in common: the options of a method, and its
// generator.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "datasets/synthetic/cg_generator.h"
#include "datasets/synthetic/photo_library.h"
#include "datasets/synthetic/reconstruct_generator.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

struct GeneratorArguments {
  std::string method = "reconstruct";
  std::string face_model = "face.h5";
  std::vector<std::string> photos;
  datasets::synthetic::PhotoLibraryOptions library;
  datasets::synthetic::ReconstructOptions reconstruct;
  datasets::synthetic::CgOptions cg;  // size, identities, occluders, degrade, yaw: as for reconstruct
  double degraded = 1;  // multiplies every rate of reconstruct.degrade, 0..1
  bool quiet = false;
};

// Registers --method, --photos, --face-model, --size and so on. arguments must outlive parsing.
void AddGeneratorOptions(Command& command, GeneratorArguments& arguments);

// A generator and what it refers to. One of cg and reconstruct is set.
struct LoadedGenerator {
  std::unique_ptr<datasets::synthetic::FaceModel> model;
  std::unique_ptr<datasets::synthetic::FaceRenderer> renderer;
  std::unique_ptr<datasets::synthetic::CgGenerator> cg;
  std::unique_ptr<datasets::synthetic::ReconstructGenerator> reconstruct;

  const datasets::synthetic::FaceGenerator& generator() const;
};

// Loads the face model and the photos. command: for progress and messages. Throws UsageError, BadInputError.
LoadedGenerator LoadGenerator(const GeneratorArguments& arguments, const std::string& command);

}  // namespace auforge::tools
