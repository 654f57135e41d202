// Child processes for the tests of scale: started, killed, waited for, measured.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace auforge::tests {

struct ProcessEnd {
  int code = -1;  // exit status; -1 when a signal ended it
  int signal = 0;
  long peak_kilobytes = 0;  // resident
  double seconds = 0;       // wall time since Start
  double cpu_seconds = 0;
};

// Stdout and stderr go to the file `log` (appended). The process is killed when the object goes.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::string& log);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const;
  bool IsRunning();  // reaps it when it has ended
  // Waits at most that long and kills it then (end.signal = SIGKILL).
  ProcessEnd Wait(double seconds = 600);

 private:
  bool Reap(int flags);

  pid_t pid_ = -1;
  double start_ = 0;
  bool ended_ = false;
  ProcessEnd end_;
};

ProcessEnd RunProcess(const std::vector<std::string>& arguments, const std::string& log);

}  // namespace auforge::tests
