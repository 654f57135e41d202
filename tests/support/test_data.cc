#include "tests/support/test_data.h"

#include <cstdlib>
#include <filesystem>

namespace auforge::tests {
namespace fs = std::filesystem;

std::string SourcePath(const std::string& relative) { return (fs::path(AUFORGE_SOURCE_DIR) / relative).string(); }

std::optional<std::string> DataPath(const std::string& relative) {
  const char* configured = std::getenv("AUFORGE_DATA");
  const fs::path root = configured != nullptr ? fs::path(configured) : fs::path(AUFORGE_SOURCE_DIR) / "../shared/data";
  const fs::path path = root / relative;
  if (!fs::exists(path)) return std::nullopt;
  return fs::canonical(path).string();
}

}  // namespace auforge::tests
