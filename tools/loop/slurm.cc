#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "tools/loop/child_process.h"
#include "tools/loop/cluster.h"

namespace auforge::tools {
namespace {

std::string FirstLine(std::string text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

class Slurm : public Cluster {
 public:
  explicit Slurm(const EngineOptions& options) : options_(options) {}

  void Check() const override {
    for (const char* program : {"sbatch", "squeue"}) {
      const Answer version = Ask({program, "--version"});
      if (version.code != 0) throw std::runtime_error(std::string("engine slurm: ") + program + " cannot be run (" + FirstLine(version.err) + ")");
    }
    const Answer queue = Ask({"squeue", "-h", "-o", "%A"});
    if (queue.code != 0) throw std::runtime_error("engine slurm: the controller does not answer: " + FirstLine(queue.err));
  }

  bool KnowsOrder() const override { return true; }

  std::string Submit(const Submission& job) const override {
    const Answer there = Ask({"squeue", "-h", "-o", "%F", "-n", job.name});
    if (const std::string id = FirstLine(there.out); there.code == 0 && IsId(id)) return id;
    std::vector<std::string> command{"sbatch", "--parsable", "--job-name=" + job.name, "--output=" + job.log, "--open-mode=append",
                                     "--requeue", "--signal=TERM@60"};
    if (job.tasks > 1) command.push_back("--array=0-" + std::to_string(job.tasks - 1));
    if (!job.after.empty()) command.insert(command.end(), {"--dependency=afterok:" + job.after, "--kill-on-invalid-dep=yes"});
    command.insert(command.end(), options_.submit_options.begin(), options_.submit_options.end());
    command.push_back(job.script);
    const Answer answer = Ask(command);
    // "ID" or "ID;cluster".
    const std::string id = FirstLine(answer.out).substr(0, FirstLine(answer.out).find(';'));
    if (answer.code != 0 || !IsId(id)) throw std::runtime_error("sbatch refuses " + job.script + ": " + FirstLine(answer.err));
    return id;
  }

  Sight Look(const std::string& id) const override {
    const Answer answer = Ask({"squeue", "-h", "-j", id, "-o", "%T"});
    if (answer.code == 0) return FirstLine(answer.out).empty() ? Sight::kGone : Sight::kThere;
    return answer.err.find("Invalid job id") != std::string::npos ? Sight::kGone : Sight::kUnknown;
  }

  void Cancel(const std::string& id) const override { Ask({"scancel", id}); }

  std::string RetryShell() const override {
    return "    if (( ${SLURM_RESTART_COUNT:-0} < 5 )); then\n"
           "      echo \"ended with $status: requeued\"\n"
           "      job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}\n"
           "      scontrol requeue \"${job:-$SLURM_JOB_ID}\" && sleep 60 && exit \"$status\"\n"
           "    fi\n";
  }

 private:
  static bool IsId(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  EngineOptions options_;
};

}  // namespace

std::unique_ptr<Cluster> MakeSlurm(const EngineOptions& options) { return std::make_unique<Slurm>(options); }

}  // namespace auforge::tools
