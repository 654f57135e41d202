#include "datasets/storage/paths.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace auforge::datasets::storage {

namespace fs = std::filesystem;

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<std::string> FolderEntries(const std::string& folder) {
  std::vector<std::string> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path().string());
  }
  if (error) throw std::runtime_error(folder + ": cannot be listed: " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace auforge::datasets::storage
