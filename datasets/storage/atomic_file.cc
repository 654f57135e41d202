#include "datasets/storage/atomic_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "datasets/storage/temporary_files.h"

namespace auforge::datasets::storage {
namespace {

namespace fs = std::filesystem;

// As many links as the kernel follows.
constexpr int kMostLinks = 40;

std::string Reason(int error) {
  // "File too large" makes nobody think of ulimit.
  return std::string(std::strerror(error)) + (error == EFBIG ? " (the shell's ulimit -f)" : "");
}

[[noreturn]] void Fail(const std::string& path, const char* action) {
  throw std::runtime_error(path + ": cannot " + action + ": " + Reason(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool Reset(int fd) {
    Close();
    fd_ = fd;
    return fd_ >= 0;
  }
  int Close() {
    const int fd = std::exchange(fd_, -1);
    return fd >= 0 ? close(fd) : 0;
  }

 private:
  int fd_;
};

std::string ParentOf(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void Sync(const std::string& path, int flags) {
  const Descriptor file(open(path.c_str(), flags | O_CLOEXEC));
  if (file.get() < 0) Fail(path, "open");
  // Some network file systems refuse fsync on folders; the rename is still atomic there.
  if (fsync(file.get()) != 0 && !((flags & O_DIRECTORY) != 0 && errno == EINVAL)) Fail(path, "flush");
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

void WriteAll(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// /proc/PID/fd/N is a link by name only: what it shows need not be a path.
bool IsInProc(const std::string& path) {
  struct statfs file_system{};
  return statfs(ParentOf(path).c_str(), &file_system) == 0 && file_system.f_type == PROC_SUPER_MAGIC;
}

// N of our own /proc/PID/fd/N; -1 for another process.
int OwnDescriptor(const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(ParentOf(path), error);
  const std::string ours = "/proc/" + std::to_string(getpid());
  if (error || (folder != ours + "/fd" && folder.string().rfind(ours + "/task/", 0) != 0)) return -1;
  const std::string name = fs::path(path).filename().string();
  return name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10 ? std::atoi(name.c_str()) : -1;
}

std::string LinkTarget(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t length = readlink(link.c_str(), target, sizeof(target));
  if (length < 0) Fail(link, "be followed");
  const std::string text(target, static_cast<std::size_t>(length));
  return text.starts_with('/') ? text : ParentOf(link) + "/" + text;
}

// A file that something else is mounted on (a container's single file) has no name that could be renamed onto.
bool IsMountPoint(const std::string& path) {
  struct statx status{};
  return statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

std::optional<struct stat> StatusOf(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

void KeepOwnerAndMode(int file, const struct stat& old) {
  // Without the right to give files away they are ours, as those of every editor that saves by renaming.
  [[maybe_unused]] const int ignored = fchown(file, old.st_uid, old.st_gid);
  fchmod(file, old.st_mode & 0777);
}

bool IsUsageFault(int error) {
  return error == ENOENT || error == ENOTDIR || error == EISDIR || error == ELOOP || error == ENAMETOOLONG;
}

[[noreturn]] void Refuse(const std::string& path, const std::string& what, bool is_usage) {
  if (is_usage) throw std::invalid_argument(path + ": " + what);
  throw std::runtime_error(path + ": " + what);
}

// What a new disk or a killed run of ours has put there does not count.
bool IsEmptyFolder(const std::string& path) {
  std::error_code error;
  auto entry = fs::directory_iterator(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != "lost+found" && !name.starts_with(kOwnPrefix)) return false;
  }
  return !error;
}

// Makes and removes a file in the folder.
void TryFolder(const std::string& folder, const std::string& path) {
  const std::string name = TemporaryName(folder + "/" + std::string(kOwnPrefix));
  const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) {
    Refuse(path, "cannot be written there: " + Reason(errno) + "; choose another output", IsUsageFault(errno));
  }
  close(file);
  unlink(name.c_str());
}

// What cannot be followed is the user's to mend.
OutputTarget FollowOrRefuse(const std::string& path) {
  try {
    return FollowOutput(path);
  } catch (const std::runtime_error& error) {
    throw std::invalid_argument(error.what());
  }
}

void RequireStream(const OutputTarget& target, const std::string& path) {
  if (target.descriptor >= 0) {
    const int flags = fcntl(target.descriptor, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) Refuse(path, "is not open for writing", true);
    return;
  }
  const auto status = StatusOf(target.path);
  if (status && S_ISSOCK(status->st_mode)) Refuse(path, "is a socket; name a file, a device or a FIFO", true);
  if (access(target.path.c_str(), W_OK) != 0) Refuse(path, "cannot be written: " + Reason(errno), false);
}

}  // namespace

OutputTarget FollowOutput(const std::string& path) {
  OutputTarget target{path};
  for (int links = 0;; ++links) {
    struct stat status{};
    if (lstat(target.path.c_str(), &status) != 0) {
      if (errno == ENOENT) return target;  // to be made
      throw std::runtime_error(path + ": cannot be followed: " + Reason(errno));
    }
    if (!S_ISLNK(status.st_mode)) {
      target.is_stream = !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
      return target;
    }
    if (IsInProc(target.path)) {
      const int own = OwnDescriptor(target.path);
      if (own >= 0 || StatusOf(target.path)) {
        target.is_stream = true;
        target.descriptor = own;
        return target;
      }
    }
    if (links == kMostLinks) throw std::runtime_error(path + ": is a loop of symbolic links");
    target.path = LinkTarget(target.path);
  }
}

void RequireOutputFile(const std::string& path) {
  if (path.empty()) throw std::invalid_argument("an output has no name; name a file");
  const OutputTarget target = FollowOrRefuse(path);
  if (target.is_stream) return RequireStream(target, path);
  const auto status = StatusOf(target.path);
  if ((status && S_ISDIR(status->st_mode)) || target.path.ends_with('/')) Refuse(path, "is a folder; name a file", true);
  if (status && access(target.path.c_str(), W_OK) != 0) Refuse(path, "cannot be written: " + Reason(errno), false);
  const std::string folder = ParentOf(target.path);
  const auto parent = StatusOf(folder);
  if (!parent) Refuse(path, "its folder " + folder + " cannot be used: " + Reason(errno) + "; make it first", IsUsageFault(errno));
  if (!S_ISDIR(parent->st_mode)) Refuse(path, folder + " is no folder", true);
  if (fs::path(target.path).filename().string().size() > NAME_MAX) Refuse(path, "its name is too long", true);
  if (status && (access(folder.c_str(), W_OK) != 0 || IsMountPoint(target.path))) return;  // written in place
  TryFolder(folder, path);
}

void RequireSeekableFile(const std::string& path, const std::string& kind) {
  RequireOutputFile(path);
  if (FollowOutput(path).is_stream)
    Refuse(path, "is a device or a pipe, where " + kind + " cannot be written; name a file", true);
}

void RequireOutputFolder(const std::string& path) {
  if (path.empty()) throw std::invalid_argument("an output has no name; name a folder");
  // The nearest folder that is there: the others will be made in it.
  fs::path at = FollowOrRefuse(path).path;
  if (!at.has_filename()) at = at.parent_path();
  std::error_code error;
  while (fs::symlink_status(at, error).type() == fs::file_type::not_found && at.has_relative_path()) {
    at = at.parent_path();
  }
  if (at.empty()) at = ".";
  const auto status = StatusOf(at.string());
  if (!status) Refuse(path, "cannot be a folder: " + Reason(errno) + " (" + at.string() + ")", true);
  if (!S_ISDIR(status->st_mode)) Refuse(path, at.string() + " is no folder; name a folder", true);
  if (access(at.c_str(), W_OK | X_OK) != 0)
    Refuse(path, "cannot be written: " + Reason(errno) + "; choose another output folder", false);
  // Of a folder that is to be made the trial is to make one; of /proc it is that alone which says no.
  if (fs::exists(path, error)) return TryFolder(at.string(), path);
  const std::string trial = TemporaryName((at / kOwnPrefix).string());
  if (mkdir(trial.c_str(), 0777) != 0 && errno != EEXIST)
    Refuse(path, "cannot be written: " + Reason(errno) + "; choose another output folder", false);
  rmdir(trial.c_str());
}

void RequireNewFolder(const std::string& path) {
  if (path.empty()) throw std::invalid_argument("an output has no name; name a folder");
  std::error_code error;
  if (fs::exists(path, error) && !IsEmptyFolder(path)) {
    throw std::invalid_argument(path + ": is there already; name a new or empty folder");
  }
  RequireOutputFolder(path);
}

void MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(FollowOutput(path).path, error);
  if (error) throw std::runtime_error(path + ": cannot be made: " + error.message() + "; choose another output folder");
}

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
  const std::string ending = ".tmp." + job + "." + restart;
  const std::size_t name = path.size() - (path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  const std::size_t excess = name + ending.size() > NAME_MAX ? name + ending.size() - NAME_MAX : 0;
  return path.substr(0, path.size() - std::min(excess, name)) + ending;
}

struct OutputFile::Impl {
  std::string path;
  OutputTarget target;
  Descriptor file;
  std::optional<TemporaryFile> temporary;  // none when written straight
};

OutputFile::OutputFile(const std::string& path) : impl_(std::make_unique<Impl>()) {
  Impl& i = *impl_;
  i.path = path;
  i.target = FollowOutput(path);
  const auto open_at = [&i](const std::string& at, int flags) {
    return i.file.Reset(open(at.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
  };
  if (i.target.is_stream) {
    const int ours = i.target.descriptor;
    const bool is_open = ours >= 0 ? i.file.Reset(fcntl(ours, F_DUPFD_CLOEXEC, 3)) : open_at(i.target.path, O_NOCTTY);
    if (!is_open) Fail(path, "be opened for writing");
    return;
  }
  const auto old = StatusOf(i.target.path);
  if (old && S_ISDIR(old->st_mode)) throw std::invalid_argument(path + ": is a folder; name a file");
  if (old && access(i.target.path.c_str(), W_OK) != 0) Fail(path, "write");
  if (!old || !IsMountPoint(i.target.path)) {
    i.temporary.emplace(TemporaryName(i.target.path));
    if (open_at(i.temporary->path(), O_CREAT | O_TRUNC | O_NOFOLLOW)) {
      if (old) KeepOwnerAndMode(i.file.get(), *old);
      return;
    }
    i.temporary->Release();
    i.temporary.reset();
    if (errno != EACCES && errno != EPERM && errno != EROFS) Fail(path, "write");
  }
  // A file that may be written in a folder that may not: in place, or not at all.
  if (!old || !open_at(i.target.path, O_TRUNC)) Fail(path, "write");
}

OutputFile::~OutputFile() = default;
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
const std::string& OutputFile::path() const { return impl_->path; }
bool OutputFile::is_stream() const { return impl_->target.is_stream; }

void OutputFile::Write(std::string_view bytes) { WriteAll(impl_->file.get(), bytes, impl_->path); }

// All that was written is on the disk.
void OutputFile::Settle() {
  Impl& i = *impl_;
  if (i.file.get() < 0) return;
  if (!i.target.is_stream && fsync(i.file.get()) != 0) Fail(i.path, "flush");
  if (i.file.Close() != 0) Fail(i.path, "write");
}

bool OutputFile::CommitNew() {
  Settle();
  Impl& i = *impl_;
  if (!i.temporary) return true;
  if (!RenameToNew(i.temporary->path(), i.target.path)) return false;
  i.temporary->Release();
  Sync(ParentOf(i.target.path), O_RDONLY | O_DIRECTORY);
  return true;
}

void OutputFile::Commit() {
  Settle();
  Impl& i = *impl_;
  if (!i.temporary) return;
  if (std::rename(i.temporary->path().c_str(), i.target.path.c_str()) != 0) Fail(i.path, "rename to it");
  i.temporary->Release();
  Sync(ParentOf(i.target.path), O_RDONLY | O_DIRECTORY);
}

void WriteFileAtomically(const std::string& path, std::string_view content) {
  OutputFile file(path);
  file.Write(content);
  file.Commit();
}

std::string ReadFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) Fail(path, "read");
  // Not through a stream: those take running out of memory for the end of the file.
  std::string text;
  char part[1 << 16];
  while (true) {
    const ssize_t got = read(file.get(), part, sizeof(part));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail(path, "read");
    if (got == 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace auforge::datasets::storage
