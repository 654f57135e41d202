#include "datasets/folder_walk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

namespace auforge::datasets {
namespace {

using FolderId = std::pair<dev_t, ino_t>;

FolderId Id(const struct stat& status) { return {status.st_dev, status.st_ino}; }

bool IsServiceFolder(const char* name) {
  return std::strcmp(name, "@eaDir") == 0 || std::strcmp(name, "__MACOSX") == 0 || std::strcmp(name, ".AppleDouble") == 0;
}

class Walker {
 public:
  explicit Walker(FolderWalk& walk) : walk_(walk) {}

  void Walk(const std::string& folder) {
    RememberAncestors(folder);
    struct stat status {};
    if (stat(folder.c_str(), &status) != 0) return AddFolder(folder, errno);
    entered_.insert(Id(status));
    folders_.push_back(folder);
    // Folders by their own names first; only then what links lead to.
    while (!folders_.empty() || !links_.empty()) {
      if (folders_.empty()) {
        std::sort(links_.begin(), links_.end(), std::greater<>());
        const std::string link = std::move(links_.back());
        links_.pop_back();
        Follow(link);
        continue;
      }
      const std::string next = std::move(folders_.back());
      folders_.pop_back();
      List(next);
    }
    std::sort(walk_.files.begin(), walk_.files.end(), [](const WalkedFile& a, const WalkedFile& b) { return a.path < b.path; });
  }

 private:
  void Add(const std::string& path, int error) { walk_.files.push_back({path, error}); }
  void AddFolder(const std::string& path, int error) { walk_.files.push_back({path, error, true}); }

  void RememberAncestors(const std::string& folder) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(folder.c_str(), nullptr), &std::free);
    if (!real) return;
    std::string path = real.get();
    struct stat status {};
    while (path.size() > 1) {
      path.resize(std::max<std::size_t>(path.rfind('/'), 1));
      if (stat(path.c_str(), &status) == 0) ancestors_.insert(Id(status));
    }
  }

  void List(const std::string& folder) {
    const auto close = [](DIR* stream) { closedir(stream); };
    const std::unique_ptr<DIR, decltype(close)> entries(opendir(folder.c_str()), close);
    if (!entries) return AddFolder(folder, errno);
    walk_.folders.push_back(folder);
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(entries.get());
      if (entry == nullptr) break;
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) Take(folder, *entry);
    }
    if (errno != 0) AddFolder(folder, errno);
  }

  void Take(const std::string& folder, const dirent& entry) {
    const std::string path = (folder.ends_with('/') ? folder : folder + "/") + entry.d_name;
    if (entry.d_type == DT_REG) return Add(path, 0);
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return Add(path, errno);
    const bool is_link = S_ISLNK(status.st_mode);
    if (is_link && stat(path.c_str(), &status) != 0) return Add(path, errno);
    if (S_ISREG(status.st_mode)) return Add(path, 0);
    if (!S_ISDIR(status.st_mode)) {
      ++walk_.special_files;
    } else if (IsServiceFolder(entry.d_name)) {
      ++walk_.service_folders;
    } else if (is_link) {
      links_.push_back(path);
    } else if (entered_.insert(Id(status)).second) {
      folders_.push_back(path);
    }
  }

  void Follow(const std::string& link) {
    struct stat status {};
    if (stat(link.c_str(), &status) != 0) return Add(link, errno);
    if (ancestors_.contains(Id(status))) {
      ++walk_.links_up;
    } else if (entered_.insert(Id(status)).second) {
      folders_.push_back(link);
    }
  }

  FolderWalk& walk_;
  std::set<FolderId> entered_, ancestors_;
  std::vector<std::string> folders_, links_;  // to be listed
};

}  // namespace

FolderWalk WalkFolder(const std::string& folder) {
  FolderWalk walk;
  Walker(walk).Walk(folder);
  return walk;
}

}  // namespace auforge::datasets
