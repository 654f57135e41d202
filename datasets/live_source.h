// Images that come as time goes by: into a folder that is watched, or through a pipe. ImageSource is for what is there
// already. A source is used by one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "datasets/shard.h"

namespace auforge::datasets {

struct LiveWait {
  std::size_t most = 16;                             // images, >= 1
  std::chrono::steady_clock::time_point until;       // for the first one
  std::function<bool()> stop;                        // asked several times a second; true ends the wait
};

class LiveSource {
 public:
  virtual ~LiveSource() = default;
  // Appends the images that are there, in the order in which they came, and waits for the first of them only. Fewer
  // than `most` where they are large. False: no more will ever come.
  virtual bool Take(std::vector<ImageItem>& items, const LiveWait& wait) = 0;
  // After Take said false: why, where that is a failure; else empty.
  virtual std::string Fault() const { return {}; }
};

// Which versions of which files have a row already, told by key, by the state of the file (FileStateDigest) and by the
// bytes. About 150 bytes of memory a version.
class KnownFiles {
 public:
  KnownFiles();
  KnownFiles(KnownFiles&&) noexcept;
  KnownFiles& operator=(KnownFiles&&) noexcept;
  ~KnownFiles();
  // The rows of a shard whose files carry their state (/samples/file_state).
  void Learn(const ShardReader& shard);
  bool HasState(const std::string& key, const std::string& state) const;
  // False where these bytes of this file have a row already. Else `key` becomes the row's key: itself for the file's
  // first version, then key#2, key#3, …
  bool Enter(std::string& key, const std::string& state, const std::array<std::uint8_t, 32>& sha256);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Pictures of a folder and the folders in it: those that are there, sorted by key, and then those that come, each once
// it is finished: closed by its writer, moved or linked there. A file that is written again is one more image where its
// bytes are others. Left alone: what IsPictureFile refuses, archives, empty files, and names of files that are not
// finished (.photo.jpg, photo.jpg.part, .tmp, .partial, .crdownload, .filepart, photo.jpg~).
// A caption is read where it is there before its picture. Changes that other machines make on a network file system are
// not seen until the next start. Throws std::runtime_error when the folder cannot be watched.
std::unique_ptr<LiveSource> WatchFolder(const std::string& folder, std::uint64_t max_bytes, KnownFiles known);

// Requests from a file descriptor, which stays open; any mixture of
//   a path:   its bytes, then a line break (or a zero byte); a carriage return before the line break is not part of it
//   an image: its length in bytes as 8 bytes, the most significant first, then its encoded bytes
// The first byte tells which: lengths below 2^56 begin with a zero, paths do not. The key of a path is the path, that of
// an image the number of the request, counted from 0. Every request is one item, whatever is wrong with it.
std::unique_ptr<LiveSource> ReadRequests(int descriptor, std::uint64_t max_bytes);

}  // namespace auforge::datasets
