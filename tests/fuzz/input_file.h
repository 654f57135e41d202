// Gives a fuzz input a file name, for readers that take one: a file in memory, filled anew each time.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace auforge::fuzz {

class InputFile {
 public:
  InputFile() : path_(Folder() + "/auforge-fuzz-" + std::to_string(getpid())) {}
  ~InputFile() { unlink(path_.c_str()); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // A new file each time: HDF5 remembers files by their inode.
  const std::string& Fill(const std::uint8_t* data, std::size_t size) {
    unlink(path_.c_str());
    const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
    close(file);
    return path_;
  }

 private:
  static std::string Folder() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm"
                                                     : std::filesystem::temp_directory_path().string();
  }

  std::string path_;
};

}  // namespace auforge::fuzz
