// Commands whose unfinished work is dropped anyway need not wait for it: some time after SIGINT or SIGTERM
// the program ends, however slow the machine is. Only for work that may be killed at any moment without harm.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace auforge::tools {

class StopDeadline {
 public:
  // From the stop signal on (InstallStopSignals comes first), work has `grace` to end by itself. After that,
  // clean_up is called from a thread of its own, beside whatever still runs, and the program exits with 128 +
  // signal.
  StopDeadline(std::chrono::milliseconds grace, std::function<void()> clean_up);
  // Work has ended. Does not return when the grace is over and clean_up has begun.
  ~StopDeadline();
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;

 private:
  void Watch();
  bool DoneWithin(std::chrono::milliseconds time);

  std::chrono::milliseconds grace_;
  std::function<void()> clean_up_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::jthread thread_;
};

}  // namespace auforge::tools
