#include "datasets/storage/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace auforge::datasets::storage {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& path, const char* action) {
  throw std::runtime_error(path + ": cannot " + action + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void Sync(const std::string& path, int flags) {
  const Descriptor file(path, flags);
  if (file.get() < 0) Fail(path, "open");
  // Some network file systems refuse fsync on folders; the rename is still atomic there.
  if (fsync(file.get()) != 0 && !((flags & O_DIRECTORY) != 0 && errno == EINVAL)) Fail(path, "flush");
}

void SyncFolderOf(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  Sync(parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
}

// False where there is something of that name. File systems differ in which of the first two ways they know; the last,
// for those that know neither, leaves a moment in which another process may come between.
bool RenameToNew(const std::string& temporary, const std::string& path) {
  if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (link(temporary.c_str(), path.c_str()) == 0) {
    unlink(temporary.c_str());
    return true;
  }
  if (errno == EEXIST || access(path.c_str(), F_OK) == 0) return false;
  if (std::rename(temporary.c_str(), path.c_str()) != 0) Fail(path, "rename to it");
  return true;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string TemporaryName(const std::string& path) {
  std::string job = Environment("SLURM_JOB_ID");
  if (!job.empty()) {
    const std::string task = Environment("SLURM_ARRAY_TASK_ID");
    if (!task.empty()) job += "_" + task;
  } else {
    job = Environment("JOB_COMPLETION_INDEX").empty() ? "" : Environment("HOSTNAME");
  }
  // The process id as well: two runs by hand on one machine share the rest.
  job += (job.empty() ? "" : "_") + std::to_string(getpid());
  std::string restart = Environment("SLURM_RESTART_COUNT");
  if (restart.empty()) restart = "0";
  return path + ".tmp." + job + "." + restart;
}

void CommitFile(const std::string& temporary, const std::string& path) {
  Sync(temporary, O_RDONLY);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) Fail(path, "rename to it");
  SyncFolderOf(path);
}

bool CommitNewFile(const std::string& temporary, const std::string& path) {
  Sync(temporary, O_RDONLY);
  if (!RenameToNew(temporary, path)) return false;
  SyncFolderOf(path);
  return true;
}

void WriteFileAtomically(const std::string& path, std::string_view content) {
  const std::string temporary = TemporaryName(path);
  try {
    {
      const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
      if (file.get() < 0) Fail(path, "write");
      while (!content.empty()) {
        const ssize_t written = write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) Fail(path, "write");
        content.remove_prefix(static_cast<std::size_t>(written));
      }
    }
    CommitFile(temporary, path);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path, "read");
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) Fail(path, "read");
  return std::move(text).str();
}

}  // namespace auforge::datasets::storage
