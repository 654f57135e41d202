#include <cstdlib>
#include <string>

#include "datasets/storage/installed.h"
#include "gan/warp/face_warper.h"

namespace auforge::warp {

std::string DefaultFaceModelPath() {
  if (const char* configured = std::getenv("AUFORGE_FACE_MODEL"); configured != nullptr && *configured != '\0') return configured;
  const std::string installed = datasets::storage::InstalledFile("face.h5");
  return installed.empty() ? AUFORGE_DEFAULT_FACE_MODEL : installed;
}

}  // namespace auforge::warp
