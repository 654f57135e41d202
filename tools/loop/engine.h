// Who runs the commands of a round: this machine, or a cluster to which they are handed over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/loop/plan.h"

namespace auforge::tools {

struct Job {
  std::string name;                    // "annotate": for logs and queues
  std::vector<std::string> arguments;  // of auforge: {"annotate", "in.tar", "-o", "out"}
  std::string log;                     // file; what the command says is added to it
  int tasks = 1;                       // processes that share the work by --index and --count
  std::string output = {};             // file that gets the stdout of its one task; empty: the log
};

// The first job that did not end well, or nothing.
struct JobEnd {
  int code = 0;  // its exit status, of several tasks the worst
  Job job = {};
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Throws std::runtime_error saying what is missing when jobs cannot be handed over.
  virtual void Check() const = 0;
  // Runs the jobs one after another, each only where the one before it ended well, and waits for the last. A cluster is
  // given all of them at once, so that they go on without the loop. tickets: by name of job, what a former life of the loop
  // has kept of those that were handed over; keep: called when one has been, must have put the tickets on the disk when it
  // returns. A stop signal ends local jobs cleanly and leaves those of a cluster to it; StopSignal tells.
  virtual JobEnd Run(const std::vector<Job>& jobs, std::map<std::string, std::string>& tickets, const std::function<void()>& keep) = 0;
};

// quiet: what commands say goes to their logs alone, else to stderr, too. folder: where they run.
std::unique_ptr<Engine> MakeLocalEngine(bool quiet, const std::string& folder);
std::unique_ptr<Engine> MakeEngine(const LoopPlan& plan, bool quiet);

// The program itself, as a child is to start it.
std::string ThisProgram();

}  // namespace auforge::tools
