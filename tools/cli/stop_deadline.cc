#include "tools/cli/stop_deadline.h"

#include <cstdlib>

#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

// A signal handler cannot wake a thread through a condition variable, so the thread looks.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

StopDeadline::StopDeadline(std::chrono::milliseconds grace, std::function<void()> clean_up)
    : grace_(grace), clean_up_(std::move(clean_up)), thread_([this] { Watch(); }) {}

StopDeadline::~StopDeadline() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool StopDeadline::DoneWithin(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return done_; });
}

void StopDeadline::Watch() {
  while (StopSignal() == 0) {
    if (DoneWithin(kLook)) return;
  }
  if (DoneWithin(grace_)) return;
  clean_up_();
  std::_Exit(128 + StopSignal());
}

}  // namespace auforge::tools
