#include "datasets/storage/installed.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace auforge::datasets::storage {
namespace {

namespace fs = std::filesystem;

// The file that the code of this function was mapped from.
std::string MappedFrom() {
  const auto here = reinterpret_cast<std::uintptr_t>(&MappedFrom);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2 || here < begin || here >= end) continue;
    const std::size_t path = line.find('/');
    return path == std::string::npos ? "" : line.substr(path);
  }
  return "";
}

std::string IfThere(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) ? path.string() : "";
}

}  // namespace

std::string ProgramPath() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error && !program.filename().string().starts_with("ld-linux")) return program.string();
  return MappedFrom();
}

std::string ProgramBeside(const std::string& name) {
  const fs::path folder = fs::path(ProgramPath()).parent_path();
  if (folder.empty()) return "";
  if (folder.parent_path().filename() == "libexec") return IfThere(folder.parent_path().parent_path() / "bin" / name);
  return IfThere(folder / name);
}

std::string InstalledFile(const std::string& name) {
  const fs::path folder = fs::path(ProgramPath()).parent_path();
  if (!folder.empty()) {
    const fs::path up = folder.parent_path();
    const std::string installed = IfThere((up.filename() == "libexec" ? up.parent_path() : up) / "share/auforge" / name);
    if (!installed.empty()) return installed;
  }
  const fs::path loaded = MappedFrom();
  return loaded.empty() ? "" : IfThere(loaded.parent_path() / "models" / name);
}

}  // namespace auforge::datasets::storage
