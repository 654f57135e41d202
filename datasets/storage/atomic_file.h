// Files that are whole or absent: written under a temporary name, fsync, rename, fsync the folder. Symbolic links
// are followed, and what is no file (a device, a FIFO, /dev/stdout, a shell's >(command)) is written straight:
// renaming onto it would replace the node itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace auforge::datasets::storage {

// Where an output path leads. Throws std::runtime_error for a loop of links and a path that cannot be followed.
struct OutputTarget {
  std::string path;        // the last link's target, there or not
  bool is_stream = false;  // written straight, byte by byte
  int descriptor = -1;     // the stream is this open descriptor of ours
};
OutputTarget FollowOutput(const std::string& path);

// Tries of an output path that come before the work; nothing is left behind. Each throws std::invalid_argument
// naming the path for what only another path mends (a folder that is missing, a folder of that name, a loop of
// links), std::runtime_error for what may pass (no right to write, a read-only or full file system).
void RequireOutputFile(const std::string& path);
// The same of a file that is not written from its first to its last byte: refuses streams, too. kind: "an HDF5
// file".
void RequireSeekableFile(const std::string& path, const std::string& kind);
// How our own entries in other people's folders begin; one that was left behind does not fill an empty folder.
inline constexpr std::string_view kOwnPrefix = ".auforge";
// A folder to put files in: there, or to be made.
void RequireOutputFolder(const std::string& path);
// The same, new or empty.
void RequireNewFolder(const std::string& path);

// Makes the folder and those above it, through symbolic links. Throws std::runtime_error naming it and the reason.
void MakeFolder(const std::string& path);

// One output:  OutputFile file(path);  (file.Write(bytes))*;  file.Commit();
// Without Commit nothing is seen under the name (of a stream: what has been written until then). A file that is
// replaced keeps its permissions and, where we may, its owner. Every function throws std::runtime_error naming
// the path and the system's reason. Belongs to one thread.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  const std::string& path() const;  // as given
  bool is_stream() const;
  void Write(std::string_view bytes);
  void Commit();
  // The same where there is nothing of that name yet; false, and nothing is done, where there is, even if it came in
  // this very moment. Commit may follow.
  bool CommitNew();

 private:
  void Settle();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void WriteFileAtomically(const std::string& path, std::string_view content);

// "PATH.tmp.<job>.<restart>": job is the Slurm job and array task, the Kubernetes pod or the process id, so that
// a requeued task and its orphan never write the same file. A name that would become too long is cut.
std::string TemporaryName(const std::string& path);
std::string ReadFile(const std::string& path);  // throws std::runtime_error naming the file

}  // namespace auforge::datasets::storage
