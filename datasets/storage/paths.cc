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

bool IsThere(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none) throw std::runtime_error(path + ": cannot be looked at: " + error.message());
  return status.type() != fs::file_type::not_found;
}

void RequireThere(const std::string& path, const std::string& otherwise) {
  if (!IsThere(path)) throw std::runtime_error(path + ": " + otherwise);
}

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::uint64_t FileSize(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) throw std::runtime_error(path + ": cannot be read: " + error.message());
  return size;
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
