#include "tools/synth/synth_generators.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>

#include "datasets/storage/paths.h"
#include "tools/cli/progress.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

// A file that is there but no face model will not become one: bad input.
synthetic::FaceModel LoadFaceModel(const std::string& path) {
  try {
    return synthetic::FaceModel::Load(path);
  } catch (const std::runtime_error& error) {
    if (datasets::storage::Exists(path)) throw BadInputError(error.what());
    throw std::runtime_error(std::string(error.what()) + "; make one with auforge synth import-model");
  }
}

synthetic::PhotoLibrary Collect(const GeneratorArguments& a, const synthetic::PhotoTaker& taker,
                                const std::string& command) {
  if (a.photos.empty()) throw UsageError("--method reconstruct needs photos: --photos FOLDER");
  ProgressLine line(command, a.quiet);
  const auto start = std::chrono::steady_clock::now();
  auto library =
      synthetic::CollectPhotos(a.photos, taker, a.library, [&](std::uint64_t seen, std::uint64_t used) {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        line.Update(seen, 0, seconds, "photos", ", " + std::to_string(used) + " rebuilt");
      });
  line.Finish();
  if (!a.quiet) {
    std::cerr << command << ": photos";
    for (const auto& [what, count] : library.counts) std::cerr << "  " << what << ": " << count;
    std::cerr << "\n";
  }
  return library;
}

}  // namespace

void AddGeneratorOptions(Command& command, GeneratorArguments& a) {
  command.Add("--method", a.method, "reconstruct: from photos; cg: made-up people, no photos")
      .OneOf({"reconstruct", "cg"});
  command.Add("--photos", a.photos, "photos to rebuild faces from: files, folders, lists, tars");
  command.Add("--most-photos", a.library.most, "photos used at most").Range(1, 100000);
  command.Add("--face-model", a.face_model, "from 'auforge synth import-model'");
  command.Add("--size", a.reconstruct.size, "side of the pictures, pixels").Range(64, 1024);
  command.Add("--occluded", a.reconstruct.occluders.rate, "share of faces with something in front")
      .Range(0, 1);
  command
      .Add("--expressions", a.reconstruct.expressions,
           "draw each scene with so many expressions, everything else the same: pairs for 'gan train --pairs'")
      .Range(1, 64);
  command
      .Add("--one-sided", a.reconstruct.one_sided,
           "share of the AUs that one half of the face shows less than the other; single pictures only")
      .Range(0, 1);
  command
      .Add("--degraded", a.degraded,
           "how often cameras and web sites have spoilt the pictures: 1 as annotators meet them, 0 never")
      .Range(0, 1);
  command.Add("--yaw", a.reconstruct.yaw, "standard deviation of the direction, degrees").Range(0, 40);
  command.Add("--turned", a.cg.turned, "cg: share of faces in any direction up to 60 degrees").Range(0, 1);
  command.Add("--gaze", a.cg.gaze, "cg: how far eyes look aside, times people's usual; single pictures only").Range(0, 4);
  command.Flag("-q,--quiet", a.quiet, "no progress");
}

const synthetic::FaceGenerator& LoadedGenerator::generator() const {
  if (cg) return *cg;
  return *reconstruct;
}

namespace {

synthetic::DegradeOptions Scaled(synthetic::DegradeOptions rates, double by) {
  for (float* rate : {&rates.tone, &rates.cast, &rates.grey, &rates.small, &rates.blur, &rates.motion, &rates.noise, &rates.jpeg})
    *rate *= static_cast<float>(by);
  return rates;
}

}  // namespace

LoadedGenerator LoadGenerator(const GeneratorArguments& a, const std::string& command) {
  synthetic::ReconstructOptions reconstruct = a.reconstruct;
  reconstruct.degrade = Scaled(reconstruct.degrade, a.degraded);
  const bool is_cg = a.method == "cg";
  if (is_cg && !a.photos.empty()) {
    throw UsageError("--method cg draws people without photos; leave --photos out");
  }
  LoadedGenerator loaded;
  loaded.model = std::make_unique<synthetic::FaceModel>(LoadFaceModel(a.face_model));
  loaded.renderer = std::make_unique<synthetic::FaceRenderer>(*loaded.model);
  if (is_cg) {
    synthetic::CgOptions options = a.cg;
    options.size = reconstruct.size;
    options.expressions = reconstruct.expressions;
    options.one_sided = reconstruct.one_sided;
    options.texture_side = std::max(384, options.size + options.size / 2);
    options.faces_per_identity = reconstruct.faces_per_identity;
    options.occluders = reconstruct.occluders;
    options.degrade = reconstruct.degrade;
    options.yaw = reconstruct.yaw;
    loaded.cg = std::make_unique<synthetic::CgGenerator>(*loaded.model, *loaded.renderer, options);
  } else {
    const synthetic::PhotoTaker taker(*loaded.model, *loaded.renderer, 384);
    try {
      loaded.reconstruct = std::make_unique<synthetic::ReconstructGenerator>(
          *loaded.model, *loaded.renderer, Collect(a, taker, command).sources, reconstruct);
    } catch (const synthetic::NoUsablePhoto& error) {
      throw BadInputError(error.what());
    }
  }
  return loaded;
}

}  // namespace auforge::tools
