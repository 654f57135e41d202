// Adds the processor time of a scope to a sum of seconds. Processor time, not wall time: it says what a stage costs
// even on a machine that others use too.
#pragma once

#include <ctime>

namespace auforge::pipeline {

// Begins and ends on one thread.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds), start_(Now()) {}
  ~Stopwatch() { seconds_ += Now() - start_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  // Processor time of the calling thread, seconds.
  static double Now() {
    std::timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

 private:
  double& seconds_;
  double start_;
};

}  // namespace auforge::pipeline
