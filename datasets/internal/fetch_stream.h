// The bytes of an address as its command writes them (FetchOptions), read through a pipe: a command that is faster than its
// reader waits. Used by one thread; the command and what it started end with the object, whatever they are doing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/address.h"
#include "datasets/image_source.h"

namespace auforge::datasets {

class FetchStream {
 public:
  // The command is started by the first Read.
  FetchStream(std::string address, FetchOptions options);
  ~FetchStream();
  FetchStream(const FetchStream&) = delete;
  FetchStream& operator=(const FetchStream&) = delete;

  // Bytes put into `buffer`, at least one; 0 at the end. The end is one of a command that ended with status 0: all else
  // (another status, a signal, silence, stop) is 0, too, and Fault says what it was. Throws std::bad_alloc only.
  std::size_t Read(std::span<std::uint8_t> buffer);
  // What went wrong, for people: the address, what became of the command and the last line that it wrote to stderr.
  const std::string& Fault() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All bytes of a picture's address into item.bytes, or its status and message. false where options.stop ended it.
bool FetchPicture(const std::string& address, const FetchOptions& options, std::uint64_t max_bytes, ImageItem& item);

}  // namespace auforge::datasets
