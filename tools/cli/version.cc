#include "tools/cli/version.h"

#include "auforge_commit.h"

namespace auforge::tools {
namespace {

#ifdef AUFORGE_ARCH
constexpr const char* kArch = AUFORGE_ARCH;
#else
constexpr const char* kArch = "the compiler's default processor";
#endif

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // begins with its name
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

std::string Version() { return AUFORGE_VERSION; }

std::string VersionText(const std::string& program) {
  std::string text = program + " " + Version() + "\nbuilt by " + kCompiler + " for " + kArch + ", commit " + AUFORGE_COMMIT +
                     "\nwith " AUFORGE_LIBRARIES;
  if (program == "auforge-gan") text += ", LibTorch " AUFORGE_TORCH;
  return text;
}

}  // namespace auforge::tools
