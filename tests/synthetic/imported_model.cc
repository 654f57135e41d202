#include "tests/synthetic/imported_model.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::datasets::synthetic {
namespace {

std::unique_ptr<FaceModel> Import() {
  const auto archive = tests::DataPath("ict-facekit/ict-facekit.tar.xz");
  if (!archive) return nullptr;
  const tests::TempDir dir;
  const std::string command = "tar -xJf '" + *archive + "' -C '" + dir.path().string() + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(*archive + ": cannot be unpacked");
  return std::make_unique<FaceModel>(FaceModel::ImportObjFolder((dir / "FaceXModel"), {}));
}

}  // namespace

const FaceModel* ImportedModel() {
  static const std::unique_ptr<FaceModel> model = Import();
  return model.get();
}

const FaceRenderer& ImportedRenderer() {
  static const FaceRenderer renderer(*ImportedModel());
  return renderer;
}

Camera CameraAt(features::HeadPose pose) {
  Camera camera;
  camera.view_from_model = RotationOf(pose);
  camera.translation = {0, 0, -80};
  camera.focal = 800;
  camera.centre = {160, 160};
  return camera;
}

}  // namespace auforge::datasets::synthetic
