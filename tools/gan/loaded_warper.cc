#include "tools/gan/loaded_warper.h"

#include <stdexcept>

#include "datasets/storage/paths.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

datasets::synthetic::FaceModel LoadModel(const std::string& path) {
  if (!datasets::storage::Exists(path)) {
    throw std::runtime_error(path + ": there is no face model; tools/fetch-face-model.sh gets it, and auforge synth import-model "
                             "makes one of ICT-FaceKit");
  }
  return datasets::synthetic::FaceModel::Load(path);
}

warp::FaceWarper MakeWarper(const std::string& path, const datasets::synthetic::FaceModel& model) {
  try {
    return warp::FaceWarper(model);
  } catch (const std::invalid_argument& fault) {
    throw BadInputError(path + ": " + fault.what());
  }
}

}  // namespace

LoadedWarper::LoadedWarper(const std::string& path) : model_(LoadModel(path)), warper_(MakeWarper(path, model_)) {}

}  // namespace auforge::tools
