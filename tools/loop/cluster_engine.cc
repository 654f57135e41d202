// Jobs on a cluster: handed over as scripts, waited for by the files in which they leave their exit status.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/paths.h"
#include "features/number.h"
#include "tools/cli/cli.h"
#include "tools/cli/signals.h"
#include "tools/loop/cluster.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
namespace storage = datasets::storage;

// How often a job that was lost, without a word of how it ended, is handed over.
constexpr int kAttempts = 3;
// A job that is gone from the queue may have left files that this machine does not see yet.
constexpr int kLooksAfterTheEnd = 3;
constexpr std::chrono::milliseconds kLookAtSignals{100};

std::string Quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

class ClusterEngine : public Engine {
 public:
  ClusterEngine(std::unique_ptr<Cluster> cluster, const EngineOptions& options, bool quiet, std::string folder)
      : cluster_(std::move(cluster)), options_(options), quiet_(quiet), folder_(std::move(folder)) {}

  void Check() const override { cluster_->Check(); }

  JobEnd Run(const std::vector<Job>& jobs, std::map<std::string, std::string>& tickets, const std::function<void()>& keep) override {
    std::string before;
    for (const Job& job : jobs) {
      if (!cluster_->KnowsOrder() && !before.empty()) break;
      before = HandOver(job, before, tickets, keep);
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!tickets.contains(jobs[i].name)) HandOver(jobs[i], "", tickets, keep);
      const int code = WaitFor(jobs[i], tickets, keep);
      if (StopSignal() != 0) {
        std::cerr << "jobs of the cluster go on: " << tickets[jobs[i].name] << "\n";
        return {128 + StopSignal(), jobs[i]};
      }
      if (code == 0) continue;
      for (std::size_t later = i + 1; later < jobs.size(); ++later) {
        if (tickets.contains(jobs[later].name)) cluster_->Cancel(tickets[jobs[later].name]);
      }
      return {code, jobs[i]};
    }
    return {};
  }

 private:
  // Beside the log, with the number of the attempt.
  static std::string Base(const Job& job, int attempt) {
    const fs::path log(job.log);
    return (log.parent_path() / (log.stem().string() + "." + std::to_string(attempt))).string();
  }
  static std::string StatusFile(const Job& job, int attempt, int task) { return Base(job, attempt) + ".status." + std::to_string(task); }

  // "ID" or, of later attempts, "ID attempt".
  static std::pair<std::string, int> Parts(const std::string& ticket) {
    const std::size_t space = ticket.find(' ');
    if (space == std::string::npos) return {ticket, 1};
    return {ticket.substr(0, space), static_cast<int>(features::ParseCount(ticket.substr(space + 1), 1000).value_or(1))};
  }

  std::string HandOver(const Job& job, const std::string& after, std::map<std::string, std::string>& tickets,
                       const std::function<void()>& keep, int attempt = 1) const {
    if (const auto found = tickets.find(job.name); found != tickets.end() && attempt == 1) return Parts(found->second).first;
    const std::string base = Base(job, attempt);
    for (int task = 0; task < job.tasks; ++task) {
      std::error_code error;
      fs::remove(StatusFile(job, attempt, task), error);
    }
    storage::WriteFileAtomically(base + ".sh", Script(job, attempt));
    // The path of the log is this round's alone.
    const std::string name = "auforge-" + job.name + "-" + storage::Sha256Hex(base).substr(0, 10);
    const std::string id = cluster_->Submit({name, base + ".sh", job.log, job.tasks, after});
    tickets[job.name] = id + (attempt > 1 ? " " + std::to_string(attempt) : "");
    keep();
    if (!quiet_) std::cerr << job.name << ": job " << id << "\n";
    return id;
  }

  std::string Script(const Job& job, int attempt) const {
    std::string command = Quoted(options_.program.empty() ? ThisProgram() : options_.program);
    for (const std::string& argument : job.arguments) command += " " + Quoted(argument);
    if (!job.output.empty()) command += " > " + Quoted(job.output);
    return "#!/bin/bash\n# " + job.name +
           " of auforge loop. Leaves its exit status in a file, which the loop waits for.\n"
           "cd " + Quoted(folder_) + " || exit 1\n"
           "task=${SLURM_ARRAY_TASK_ID:-${JOB_COMPLETION_INDEX:-0}}\n"
           "left=" + Quoted(Base(job, attempt)) + ".status.$task\n" +
           command + " &\nchild=$!\ntrap 'kill -TERM \"$child\"' TERM\nwait \"$child\"\nstatus=$?\n"
           "# wait returns early when the trap ran: ask again for the program's own status.\n"
           "if kill -0 \"$child\" 2>/dev/null; then wait \"$child\"; status=$?; fi\n"
           "case $status in\n  0|2|3) ;;\n  *)\n" + cluster_->RetryShell() + "  ;;\nesac\n"
           "echo \"$status\" > \"$left.tmp.$$\" && mv \"$left.tmp.$$\" \"$left\"\nexit \"$status\"\n";
  }

  // The worst of the tasks' statuses once all are there, or one is that no retry will mend.
  static std::optional<int> Status(const Job& job, int attempt) {
    int worst = 0;
    bool is_complete = true;
    for (int task = 0; task < job.tasks; ++task) {
      const std::string path = StatusFile(job, attempt, task);
      if (!storage::Exists(path)) {
        is_complete = false;
        continue;
      }
      std::string text = storage::ReadFile(path);
      while (text.ends_with('\n')) text.pop_back();
      const int status = static_cast<int>(features::ParseCount(text, 255).value_or(kFailed));
      if (status == kUsage || status == kBadInput) return status;
      if (status != kDone) worst = status;
    }
    return is_complete ? std::optional(worst) : std::nullopt;
  }

  int WaitFor(const Job& job, std::map<std::string, std::string>& tickets, const std::function<void()>& keep) const {
    int looks = 0;
    bool is_told = false;
    for (;;) {
      const auto [id, attempt] = Parts(tickets[job.name]);
      if (const auto status = Status(job, attempt)) return *status;
      const Cluster::Sight sight = cluster_->Look(id);
      if (sight == Cluster::Sight::kUnknown && !is_told) {
        std::cerr << job.name << ": the cluster does not answer; waiting\n";
        is_told = true;
      }
      looks = sight == Cluster::Sight::kGone ? looks + 1 : 0;
      if (looks > kLooksAfterTheEnd) {
        if (const auto status = Status(job, attempt)) return *status;
        if (attempt >= kAttempts)
          throw std::runtime_error(job.name + ": job " + id + " is gone and has left no exit status, " + std::to_string(kAttempts) + " times; " + job.log);
        std::cerr << job.name << ": job " << id << " is gone without an exit status; it is handed over again\n";
        HandOver(job, "", tickets, keep, attempt + 1);
        looks = 0;
      }
      if (!Sleep()) return 128 + StopSignal();
    }
  }

  // False when a signal came.
  bool Sleep() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(options_.poll_seconds);
    while (std::chrono::steady_clock::now() < until) {
      if (StopSignal() != 0) return false;
      std::this_thread::sleep_for(kLookAtSignals);
    }
    return StopSignal() == 0;
  }

  std::unique_ptr<Cluster> cluster_;
  EngineOptions options_;
  bool quiet_;
  std::string folder_;
};

}  // namespace

std::unique_ptr<Engine> MakeClusterEngine(std::unique_ptr<Cluster> cluster, const EngineOptions& options, bool quiet,
                                          const std::string& folder) {
  return std::make_unique<ClusterEngine>(std::move(cluster), options, quiet, folder);
}

std::unique_ptr<Engine> MakeEngine(const LoopPlan& plan, bool quiet) {
  if (plan.engine.kind == "local") return MakeLocalEngine(quiet, plan.folder);
  auto cluster = plan.engine.kind == "slurm" ? MakeSlurm(plan.engine) : MakeKubernetes(plan.engine);
  return MakeClusterEngine(std::move(cluster), plan.engine, quiet, plan.folder);
}

}  // namespace auforge::tools
