// Files that come into a folder, by inotify.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>

#include "datasets/content_kind.h"
#include "datasets/folder_walk.h"
#include "datasets/input_identity.h"
#include "datasets/internal/file_reader.h"
#include "datasets/live_source.h"
#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGlance{100};  // between two looks at `stop`
constexpr std::size_t kMostTaken = 4 << 20;        // bytes of images handed over at once; one may be more
// A file whose writers cannot be asked for counts as finished when it has not changed for so long.
constexpr std::time_t kQuietSeconds = 2;

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

bool IsUnfinishedName(std::string_view path) {
  const std::string_view name = BaseName(path);
  if (name.starts_with('.') || name.ends_with('~')) return true;
  return std::ranges::any_of(
      std::array<std::string_view, 5>{".part", ".tmp", ".partial", ".crdownload", ".filepart"},
      [name](std::string_view ending) { return name.ends_with(ending); });
}

// What a folder's listing would take for a picture.
bool IsPicture(const std::string& path) {
  if (NamePromisesArchive(path)) return false;
  if (NamePromisesPicture(path)) return true;
  int error = 0;
  const ContentKind kind = TellFile(path, error);
  return error == 0 && IsPictureFile(path, kind);
}

enum class Writers { kNone, kSome, kUnknown };

// The kernel grants a read lease on a file only while nobody has it open for writing.
Writers WritersOf(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) return Writers::kUnknown;
  // Whoever opens the file while the lease stands has us signalled: by one that does nothing.
  if (fcntl(file.number(), F_SETSIG, SIGURG) != 0) return Writers::kUnknown;
  if (fcntl(file.number(), F_SETLEASE, F_RDLCK) == 0) {
    fcntl(file.number(), F_SETLEASE, F_UNLCK);
    return Writers::kNone;
  }
  return errno == EAGAIN ? Writers::kSome : Writers::kUnknown;
}

class FolderWatcher : public LiveSource {
 public:
  FolderWatcher(const std::string& folder, std::uint64_t max_bytes, KnownFiles known)
      : folder_(folder),
        max_bytes_(max_bytes),
        known_(std::move(known)),
        events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (events_.number() < 0) {
      throw std::runtime_error(folder + ": cannot be watched: " + std::strerror(errno) +
                               (errno == EMFILE ? " (raise fs.inotify.max_user_instances)" : ""));
    }
    while (folder_.size() > 1 && folder_.ends_with('/')) folder_.pop_back();
    struct stat status {};
    if (stat(folder_.c_str(), &status) != 0) throw std::runtime_error(folder + ": " + std::strerror(errno));
    if (!S_ISDIR(status.st_mode)) throw std::runtime_error(folder + ": is no folder; only folders are watched");
    Scan(folder_);
    if (watched_.empty()) throw std::runtime_error(folder + ": cannot be listed");
  }

  bool Take(std::vector<ImageItem>& items, const LiveWait& wait) override {
    const std::size_t before = items.size();
    std::size_t bytes = 0;
    for (;;) {
      ReadEvents(0);
      LookAgain();
      while (!arrived_.empty() && items.size() - before < wait.most && bytes < kMostTaken) {
        ImageItem item;
        const std::string path = std::move(arrived_.front());
        arrived_.pop_front();
        if (!ReadArrival(path, item)) {
          if (wait.stop && wait.stop()) return true;  // many files that have their rows
          continue;
        }
        bytes += item.bytes.size();
        items.push_back(std::move(item));
      }
      if (items.size() > before) return true;
      if (!fault_.empty()) return false;
      if (wait.stop && wait.stop()) return true;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(wait.until - Clock::now());
      if (left.count() <= 0) return true;
      ReadEvents(static_cast<int>(std::min(left, kGlance).count()));
    }
  }

  std::string Fault() const override { return fault_; }

 private:
  std::string Key(const std::string& path) const {
    return path.substr(folder_.size() + (folder_.ends_with('/') ? 0 : 1));
  }

  // Everything below a folder: watched first, then listed, so that nothing comes in between unseen.
  void Scan(const std::string& folder) {
    while (WatchAll(WalkFolder(folder).folders)) continue;
    PictureFolder found = ListPictures(folder);
    while (WatchAll(found.folders)) found = ListPictures(folder);
    for (const PictureFile& picture : found.pictures) {
      if (picture.error == 0) Consider(picture.path);
    }
  }

  // Whether there were any that are not watched yet.
  bool WatchAll(const std::vector<std::string>& folders) {
    bool any = false;
    for (const std::string& path : folders) {
      if (watched_.contains(path)) continue;
      const int watch = inotify_add_watch(events_.number(), path.c_str(), kEvents);
      if (watch < 0) {
        if (errno == ENOSPC) {
          throw std::runtime_error(path + ": there are too many folders to watch; raise fs.inotify.max_user_watches");
        }
        continue;  // gone again, or not to be read
      }
      // A folder that two links lead to is one watch, and keeps its first name.
      watched_.insert(path);
      any = true;
      folder_of_.emplace(watch, path);
    }
    return any;
  }

  void Forget(const std::string& folder) {
    for (auto watch = folder_of_.begin(); watch != folder_of_.end();) {
      const bool is_below = watch->second == folder || watch->second.starts_with(folder + "/");
      if (!is_below) {
        ++watch;
        continue;
      }
      inotify_rm_watch(events_.number(), watch->first);
      watched_.erase(watch->second);
      watch = folder_of_.erase(watch);
    }
  }

  // Takes the events that are there, or waits for one.
  void ReadEvents(int milliseconds) {
    pollfd wait{events_.number(), POLLIN, 0};
    if (poll(&wait, 1, milliseconds) <= 0) return;
    alignas(inotify_event) std::array<char, 64 << 10> block;
    for (;;) {
      const ssize_t got = read(events_.number(), block.data(), block.size());
      if (got <= 0) return;
      for (const char* at = block.data(); at < block.data() + got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        at += sizeof(inotify_event) + event->len;
        Handle(*event, event->len > 0 ? at - event->len : "");
      }
    }
  }

  void Handle(const inotify_event& event, const char* name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return Scan(folder_);
    const auto found = folder_of_.find(event.wd);
    if (found == folder_of_.end()) return;
    const std::string folder = found->second;
    if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
      if (folder == folder_) fault_ = folder_ + ": has been removed or renamed; there is nothing to watch any more";
      if ((event.mask & IN_MOVE_SELF) == 0 || folder == folder_) Forget(folder);
      return;
    }
    if ((event.mask & IN_IGNORED) != 0 || *name == '\0') return;
    const std::string path = (folder.ends_with('/') ? folder : folder + "/") + name;
    if ((event.mask & IN_ISDIR) != 0) {
      if ((event.mask & IN_MOVED_FROM) != 0) return Forget(path);
      return Scan(path);
    }
    if ((event.mask & IN_MOVED_FROM) != 0) return;
    struct stat status {};
    const bool is_folder_link =
        (event.mask & IN_CREATE) != 0 && stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    if (is_folder_link) return Scan(path);
    Consider(path);
  }

  // Queues a file that is finished. One that is written to is looked at again.
  void Consider(const std::string& path) {
    struct stat status {};
    if (IsUnfinishedName(path) || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return;
    switch (WritersOf(path)) {
      case Writers::kSome:
        // Its close brings an event; but the one of a close comes a moment before the writer is gone.
        uncertain_.insert(path);
        return;
      case Writers::kUnknown:
        if (const std::time_t age = std::time(nullptr) - status.st_mtime; age >= 0 && age < kQuietSeconds) {
          uncertain_.insert(path);
          return;
        }
        [[fallthrough]];
      case Writers::kNone:
        arrived_.push_back(path);
    }
  }

  void LookAgain() {
    std::set<std::string> paths;
    paths.swap(uncertain_);
    for (const std::string& path : paths) Consider(path);
  }

  // False for what needs no row: no picture, gone again, or done before.
  bool ReadArrival(const std::string& path, ImageItem& item) {
    std::string key = Key(path);
    const std::string state = FileStateDigest({path});
    if (known_.HasState(key, state) || !IsPicture(path)) return false;
    const FileEntry entry{path, key, 0, true};
    FileReader(&entry, &entry + 1, max_bytes_).Next(item);
    if (item.status == Outcome::kUnreadable && access(path.c_str(), F_OK) != 0) return false;
    // Rewritten while it was read: what was read may be part of either.
    if (FileStateDigest({path}) != state || WritersOf(path) == Writers::kSome) {
      uncertain_.insert(path);
      return false;
    }
    if (!known_.Enter(key, state, item.status == Outcome::kOk ? storage::Sha256(item.bytes) : std::array<std::uint8_t, 32>{})) return false;
    item.key = key;
    item.file_state = state;
    return true;
  }

  std::string folder_;
  std::uint64_t max_bytes_;
  KnownFiles known_;
  Descriptor events_;
  std::map<int, std::string> folder_of_;  // by watch
  std::set<std::string> watched_;         // the folders that need no further look
  std::deque<std::string> arrived_;       // finished files, in the order in which they came
  std::set<std::string> uncertain_;       // that have writers, or just changed and do not tell
  std::string fault_;
};

}  // namespace

std::unique_ptr<LiveSource> WatchFolder(const std::string& folder, std::uint64_t max_bytes, KnownFiles known) {
  return std::make_unique<FolderWatcher>(folder, max_bytes, std::move(known));
}

}  // namespace auforge::datasets
