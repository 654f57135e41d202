// Jobs that are handed over: by an engine on a cluster made of child processes, and by the words that Slurm and Kubernetes
// are told.
#include "tools/loop/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Runs scripts at once, one process a task.
class ChildrenAsCluster : public Cluster {
 public:
  struct Log {
    std::vector<Submission> submitted;
    std::vector<std::string> cancelled;
    int lose = 0;  // so many jobs vanish before they begin
  };
  explicit ChildrenAsCluster(Log& log) : log_(log) {}
  void Check() const override {}
  bool KnowsOrder() const override { return true; }
  std::string Submit(const Submission& job) const override {
    log_.submitted.push_back(job);
    const std::string id = std::to_string(log_.submitted.size());
    if (log_.lose > 0) {
      --log_.lose;
      return id;
    }
    for (int task = 0; task < job.tasks; ++task) {
      const std::string command = "SLURM_ARRAY_TASK_ID=" + std::to_string(task) + " bash " + job.script + " >> " + job.log + " 2>&1";
      if (std::system(command.c_str()) == -1) throw std::runtime_error("no shell");
    }
    return id;
  }
  Sight Look(const std::string&) const override { return Sight::kGone; }
  void Cancel(const std::string& id) const override { log_.cancelled.push_back(id); }
  std::string RetryShell() const override { return ""; }

 private:
  Log& log_;
};

class ClusterEngine : public testing::Test {
 protected:
  ClusterEngine() {
    EngineOptions options;
    options.program = AUFORGE_PROGRAM;
    options.poll_seconds = 0.01;
    engine_ = MakeClusterEngine(std::make_unique<ChildrenAsCluster>(log_), options, true, dir_.path().string());
  }
  Job JobOf(const std::string& name, const std::vector<std::string>& arguments, int tasks = 1) const {
    return {name, arguments, dir_ / (name + ".log"), tasks};
  }
  JobEnd Run(const std::vector<Job>& jobs) {
    return engine_->Run(jobs, tickets_, [this] { ++kept_; });
  }
  const tests::TempDir dir_;
  ChildrenAsCluster::Log log_;
  std::map<std::string, std::string> tickets_;
  int kept_ = 0;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ClusterEngine, HandsJobsOverInOrderAndKeepsTheirTickets) {
  EXPECT_EQ(Run({JobOf("annotate", {"--version"}, 3), JobOf("verify", {"--version"})}).code, 0);
  ASSERT_EQ(log_.submitted.size(), 2U);
  EXPECT_EQ(log_.submitted[0].tasks, 3);
  EXPECT_EQ(log_.submitted[0].after, "");
  EXPECT_EQ(log_.submitted[1].after, "1");
  EXPECT_NE(log_.submitted[0].name, log_.submitted[1].name);
  EXPECT_EQ(tickets_["annotate"], "1");
  EXPECT_EQ(kept_, 2);
  EXPECT_THAT(tests::ReadText(dir_ / "annotate.log"), HasSubstr("auforge "));
}

TEST_F(ClusterEngine, AJobThatFailsEndsTheChain) {
  const JobEnd end = Run({JobOf("first", {"no-such-command"}), JobOf("second", {"--version"})});
  EXPECT_EQ(end.code, 2);
  EXPECT_EQ(end.job.name, "first");
  EXPECT_THAT(log_.cancelled, ElementsAre("2"));
}

TEST_F(ClusterEngine, WhatWasHandedOverInAFormerLifeIsWaitedFor) {
  const std::vector<Job> jobs{JobOf("train", {"--version"}), JobOf("candidate", {"--version"})};
  EXPECT_EQ(Run(jobs).code, 0);
  EXPECT_EQ(Run(jobs).code, 0);
  EXPECT_EQ(log_.submitted.size(), 2U) << "nothing is handed over twice";
}

TEST_F(ClusterEngine, ALostJobIsHandedOverAgain) {
  log_.lose = 2;
  EXPECT_EQ(Run({JobOf("train", {"--version"})}).code, 0);
  ASSERT_EQ(log_.submitted.size(), 3U);
  EXPECT_EQ(tickets_["train"], "3 3");
  EXPECT_NE(log_.submitted[0].name, log_.submitted[2].name);
  tickets_.clear();
  log_.lose = 3;
  EXPECT_THROW(Run({JobOf("train", {"--version"})}), std::runtime_error);
}

TEST_F(ClusterEngine, WordsAreHandedOverAsTheyAre) {
  fs::create_directories(dir_ / "it's $HOME");
  EXPECT_EQ(Run({JobOf("verify", {"verify", dir_ / "it's $HOME"})}).code, 1);
  EXPECT_THAT(tests::ReadText(dir_ / "verify.log"), HasSubstr(dir_ / "it's $HOME: no finished shard"));
}

// Programs of these names come first on the PATH; what they are called with is in calls.
class Words : public testing::Test {
 protected:
  Words() {
    path_ = std::getenv("PATH");
    fs::create_directories(dir_ / "bin");
    setenv("PATH", ((dir_ / "bin") + ":" + path_).c_str(), 1);
  }
  ~Words() override { setenv("PATH", path_.c_str(), 1); }
  void Program(const std::string& name, const std::string& script) const {
    tests::WriteText(dir_ / ("bin/" + name), "#!/bin/sh\necho \"" + name + " $*\" >> " + (dir_ / "calls") + "\n" + script + "\n");
    fs::permissions(dir_ / ("bin/" + name), fs::perms::owner_all);
  }
  std::string Calls() const { return fs::exists(dir_ / "calls") ? tests::ReadText(dir_ / "calls") : ""; }
  static std::string Fault(const Cluster& cluster) {
    try {
      cluster.Check();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  const tests::TempDir dir_;
  std::string path_;
};

TEST_F(Words, Slurm) {
  EngineOptions options;
  options.submit_options = {"--partition=long"};
  const auto slurm = MakeSlurm(options);
  Program("sbatch", "echo '42;cluster'");
  Program("squeue", "exit 0");
  EXPECT_EQ(Fault(*slurm), "");
  EXPECT_EQ(slurm->Submit({"n", "s.sh", "l", 8, "41"}), "42");
  EXPECT_THAT(Calls(), HasSubstr("sbatch --parsable --job-name=n --output=l --open-mode=append --requeue --signal=TERM@60 --array=0-7 "
                                 "--dependency=afterok:41 --kill-on-invalid-dep=yes --partition=long s.sh"));
  EXPECT_EQ(slurm->Look("42"), Cluster::Sight::kGone);
  Program("squeue", "echo RUNNING");
  EXPECT_EQ(slurm->Look("42"), Cluster::Sight::kThere);
  Program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; [ $1 = --version ]");
  EXPECT_EQ(slurm->Look("42"), Cluster::Sight::kUnknown);
  EXPECT_THAT(Fault(*slurm), HasSubstr("the controller does not answer: slurm_load_jobs error"));
  Program("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_EQ(slurm->Look("42"), Cluster::Sight::kGone);
  Program("squeue", "exit 0");
  Program("sbatch", "echo 'sbatch: error: invalid partition specified: long' >&2; exit 1");
  EXPECT_THROW(slurm->Submit({"n", "s.sh", "l", 1, ""}), std::runtime_error);
  // A loop that died between sbatch and its record.
  Program("squeue", "echo 77");
  EXPECT_EQ(slurm->Submit({"n", "s.sh", "l", 1, ""}), "77");
}

TEST_F(Words, SlurmThatIsNotThereIsNamed) {
  setenv("PATH", (dir_ / "bin").c_str(), 1);
  EXPECT_THAT(Fault(*MakeSlurm({})), HasSubstr("engine slurm: sbatch cannot be run (sbatch: No such file or directory)"));
  EXPECT_THAT(Fault(*MakeKubernetes({})), HasSubstr("kubectl does not reach a cluster"));
}

TEST_F(Words, Kubernetes) {
  EngineOptions options;
  options.image = "auforge:latest";
  options.volume = "crawl";
  options.mount = "/data";
  options.submit_options = {"--namespace=faces"};
  const auto kubernetes = MakeKubernetes(options);
  Program("kubectl", "exit 0");
  EXPECT_EQ(kubernetes->Submit({"n", dir_ / "s.1.sh", "l", 3, ""}), "n");
  EXPECT_THAT(Calls(), HasSubstr("kubectl --namespace=faces apply -f " + (dir_ / "s.1.json")));
  const auto job = nlohmann::json::parse(tests::ReadText(dir_ / "s.1.json"));
  EXPECT_EQ(job["kind"], "Job");
  EXPECT_EQ(job["spec"]["completions"], 3);
  const auto& container = job["spec"]["template"]["spec"]["containers"][0];
  EXPECT_EQ(container["image"], "auforge:latest");
  EXPECT_EQ(container["command"][3], dir_ / "s.1.sh");
  EXPECT_EQ(container["env"][0]["value"], "3");
  EXPECT_EQ(container["volumeMounts"][0]["mountPath"], "/data");
  EXPECT_EQ(job["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], "crawl");
  EXPECT_EQ(job["spec"]["podFailurePolicy"]["rules"][1]["onPodConditions"][0]["type"], "DisruptionTarget");
  Program("kubectl", R"(echo '{"status": {"active": 1}}')");
  EXPECT_EQ(kubernetes->Look("n"), Cluster::Sight::kThere);
  Program("kubectl", R"(echo '{"status": {"conditions": [{"type": "Complete", "status": "True"}]}}')");
  EXPECT_EQ(kubernetes->Look("n"), Cluster::Sight::kGone);
  Program("kubectl", "echo 'Error from server (NotFound): jobs.batch \"n\" not found' >&2; exit 1");
  EXPECT_EQ(kubernetes->Look("n"), Cluster::Sight::kGone);
  Program("kubectl", "echo 'Unable to connect to the server' >&2; exit 1");
  EXPECT_EQ(kubernetes->Look("n"), Cluster::Sight::kUnknown);
}

}  // namespace
}  // namespace auforge::tools
