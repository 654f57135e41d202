// A tar, member after member, under watch: nothing is unpacked to disk, sizes are looked at first, and what unpacks to a
// hundred times its size is given up. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/internal/fetch_stream.h"

struct archive;

namespace auforge::datasets {

struct TarMemberInfo {
  std::string name;
  std::uint64_t size = 0;   // as the header says, which may be a lie
  bool is_file = false;
  bool is_special = false;  // a pipe, a device
  std::string link;         // of a hard or symbolic link: the name it leads to, as a member's name; else empty
};

class TarStream {
 public:
  // Opens with the first Next.
  explicit TarStream(std::string path);
  // The archive at an address. It is whole only where its end is marked and its command ended well; else kBroken.
  TarStream(std::string address, FetchOptions fetch);
  ~TarStream();
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  enum class Step { kMember, kEnd, kBroken };
  Step Next(TarMemberInfo& member);
  // Appends up to `most` bytes of the member's data to `bytes`; less at its end. false when the archive is broken.
  bool Read(std::size_t most, std::vector<std::uint8_t>& bytes);
  // Passes over what is left of the member's data. false when the archive is broken.
  bool Skip();
  // Of a broken one: what is wrong, for people; of a fetched one with its address.
  std::string Fault() const;

 private:
  // The library could not go on: false when because of the archive; throws std::bad_alloc for want of memory, which says
  // nothing about it.
  bool GiveUp() const;
  bool IsBomb();
  bool Open();
  Step Broken();
  // At the end of a fetched one: false where it was cut off between two members.
  bool IsWholeFetch();
  std::string Reason() const;

  std::string path_;
  struct Fetched;
  std::unique_ptr<Fetched> fetched_;  // before the archive, which reads from it
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  bool opened_ = false;
  bool is_bomb_ = false;
  bool is_cut_ = false;
};

}  // namespace auforge::datasets
