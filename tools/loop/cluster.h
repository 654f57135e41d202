// A cluster as the loop sees it: jobs are handed over as scripts that leave their exit status in files, on a file system that
// this machine shares with the nodes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/loop/engine.h"

namespace auforge::tools {

class Cluster {
 public:
  enum class Sight { kThere, kGone, kUnknown };  // kUnknown: nobody answers at the moment

  virtual ~Cluster() = default;
  // Throws std::runtime_error saying what does not answer.
  virtual void Check() const = 0;
  // Whether jobs can be told to wait for one another; else they are handed over one at a time.
  virtual bool KnowsOrder() const = 0;
  struct Submission {
    std::string name;    // unique for round, job and attempt
    std::string script;  // path
    std::string log;
    int tasks = 1;
    std::string after;   // id of the job that must end well before; empty: none
  };
  // The job's id. One of this name that is there already, which a loop that died has handed over, is that job.
  virtual std::string Submit(const Submission& job) const = 0;
  virtual Sight Look(const std::string& id) const = 0;
  virtual void Cancel(const std::string& id) const = 0;
  // What a script does with a task that failed for a reason that may pass, in shell; $status is its exit status. It may end
  // the script without leaving the status, and the task begins again.
  virtual std::string RetryShell() const = 0;
};

std::unique_ptr<Cluster> MakeSlurm(const EngineOptions& options);
std::unique_ptr<Cluster> MakeKubernetes(const EngineOptions& options);
std::unique_ptr<Engine> MakeClusterEngine(std::unique_ptr<Cluster> cluster, const EngineOptions& options, bool quiet,
                                          const std::string& folder);

}  // namespace auforge::tools
