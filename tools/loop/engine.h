// Who runs the commands of a round: this machine, or a cluster to which they are handed over.
#pragma once

#include <functional>
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
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Throws std::runtime_error saying what is missing when jobs cannot be handed over.
  virtual void Check() const = 0;
  // Runs the job to its end and returns its exit status (of several tasks the worst). ticket: what `keep` was told in an
  // earlier life of the loop, or empty; an engine that finds the job there goes on waiting for it. keep: called when
  // the job has been handed over; what it is told must be on the disk when it returns. A stop signal ends the job cleanly,
  // or leaves it to the cluster; the status is then 128 + the signal.
  virtual int Run(const Job& job, const std::string& ticket, const std::function<void(const std::string&)>& keep) = 0;
};

// quiet: what commands say goes to their logs alone, else to stderr, too.
std::unique_ptr<Engine> MakeLocalEngine(bool quiet);
std::unique_ptr<Engine> MakeEngine(const LoopPlan& plan, bool quiet);

// The program itself, as a child is to start it.
std::string ThisProgram();

}  // namespace auforge::tools
