#include "datasets/storage/child_groups.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace auforge::datasets::storage {
namespace {

static_assert(std::atomic<pid_t>::is_always_lock_free);
std::array<std::atomic<pid_t>, 64> leaders{};  // 0: free

}  // namespace

ChildGroup::ChildGroup(pid_t leader) : slot_(-1) {
  for (std::size_t i = 0; i < leaders.size() && slot_ < 0; ++i) {
    pid_t expected = 0;
    if (leaders[i].compare_exchange_strong(expected, leader)) slot_ = static_cast<int>(i);
  }
}

ChildGroup::~ChildGroup() {
  if (slot_ >= 0) leaders[static_cast<std::size_t>(slot_)] = 0;
}

void EndChildGroups() noexcept {
  for (const std::atomic<pid_t>& leader : leaders) {
    const pid_t group = leader;
    if (group > 0) kill(-group, SIGKILL);
  }
}

}  // namespace auforge::datasets::storage
