#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "warp/face_warper.h"

namespace auforge::warp {

std::string DefaultFaceModelPath() {
  if (const char* configured = std::getenv("AUFORGE_FACE_MODEL"); configured != nullptr && *configured != '\0') return configured;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed = self.parent_path().parent_path() / "share/auforge/face.h5";
  if (!error && std::filesystem::exists(installed)) return installed.string();
  return AUFORGE_DEFAULT_FACE_MODEL;
}

}  // namespace auforge::warp
