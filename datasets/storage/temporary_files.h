// The names of files that are being written, where a signal handler finds them: a program that a signal ends
// leaves none behind. Process-wide, since a signal handler can reach nothing else. Thread-safe.
#pragma once

#include <string>

namespace auforge::datasets::storage {

// Entered as long as the object lives; the destructor removes the file unless Release was called. More files at
// once than the table holds, or a longer name, are merely not removed by RemoveTemporaryFiles.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }
  void Release();  // it has got its name, or was never made

 private:
  std::string path_;
  int slot_;
  bool owned_ = true;
};

// Async-signal-safe: removes the files of all TemporaryFile objects that there are.
void RemoveTemporaryFiles() noexcept;

}  // namespace auforge::datasets::storage
