#include "datasets/storage/temporary_files.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstring>

namespace auforge::datasets::storage {
namespace {

// A name is read by the handler only while its slot is full, so a slot is never freed and needs no allocation.
struct Slot {
  enum State : int { kFree, kTaken, kFull };
  std::atomic<int> state{kFree};
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<int>::is_always_lock_free);

std::array<Slot, 64> slots;

int Enter(const std::string& path) {
  if (path.size() >= PATH_MAX) return -1;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    int expected = Slot::kFree;
    if (!slots[i].state.compare_exchange_strong(expected, Slot::kTaken)) continue;
    std::memcpy(slots[i].path.data(), path.c_str(), path.size() + 1);
    slots[i].state = Slot::kFull;
    return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

TemporaryFile::TemporaryFile(std::string path) : path_(std::move(path)), slot_(Enter(path_)) {}

TemporaryFile::~TemporaryFile() {
  if (owned_) unlink(path_.c_str());
  Release();
}

void TemporaryFile::Release() {
  if (owned_ && slot_ >= 0) slots[static_cast<std::size_t>(slot_)].state = Slot::kFree;
  owned_ = false;
}

void RemoveTemporaryFiles() noexcept {
  for (const Slot& slot : slots) {
    if (slot.state == Slot::kFull) unlink(slot.path.data());
  }
}

}  // namespace auforge::datasets::storage
