#include "tests/users/users_files.h"

#include <cstdlib>
#include <filesystem>

#include "tests/support/tar_file.h"
#include "tests/support/test_data.h"

namespace auforge::tests {

namespace fs = std::filesystem;

#ifdef AUFORGE_GAN_PROGRAM
constexpr const char* kGan = AUFORGE_GAN_PROGRAM;
#else
constexpr const char* kGan = "";
#endif

bool HasGan() { return *kGan != '\0'; }

ProgramOutcome InShell(const std::string& script) {
  setenv("AUFORGE", AUFORGE_PROGRAM, 1);
  setenv("GAN", kGan, 1);
  setenv("MODEL", SourcePath("annotator/models/default.h5").c_str(), 1);
  std::string quoted;
  for (const char c : script) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return RunCommand("bash -c '" + quoted + "'");
}

void WriteWordNet(const std::string& folder) {
  fs::create_directories(folder);
  WriteText(folder + "/data.noun", "00000000 12 n 02 fear 0 fear_of_x 0 000 | a, \"an example\"  \n");
  WriteText(folder + "/index.noun", "\nfear n 1 0 1 1 00000000  \n");
}

std::string PhotoWithFaces() { return SourcePath("docs/images/cg-people.jpg"); }

std::string LeftoversIn(const std::string& folder) {
  std::string names;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder, error); !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find(".tmp") != std::string::npos) names += name + " ";
  }
  return names;
}

}  // namespace auforge::tests
