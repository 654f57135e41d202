// Groups of processes that work for us, where a signal handler finds them: a program that a signal ends leaves none
// behind. Process-wide, since a signal handler can reach nothing else. Thread-safe.
#pragma once

#include <sys/types.h>

namespace auforge::datasets::storage {

// Entered as long as the object lives. More groups at once than the table holds are merely not ended by EndChildGroups.
class ChildGroup {
 public:
  // leader: the first process of the group, which bears its number.
  explicit ChildGroup(pid_t leader);
  ~ChildGroup();
  ChildGroup(const ChildGroup&) = delete;
  ChildGroup& operator=(const ChildGroup&) = delete;

 private:
  int slot_;
};

// Async-signal-safe: SIGKILL to all groups that there are.
void EndChildGroups() noexcept;

}  // namespace auforge::datasets::storage
