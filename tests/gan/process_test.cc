// gan train as users run it: killed, in several processes, on a full disk; and weights to PyTorch and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>
#include <tuple>

#include "datasets/storage/hdf5_file.h"
#include "tests/gan/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using datasets::storage::Hdf5Reader;
using testing::HasSubstr;

// Runs `sh -c command` in a process group of its own.
pid_t Start(const std::string& command) {
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

int Wait(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int RunCommand(const std::string& command) { return Wait(Start(command)); }

class Processes : public ::testing::Test {
 protected:
  Processes() {
    tests::WriteFaces(dir_ / "shards", 16);
    tests::WritePairs(dir_ / "pairs");
  }
  // Pairs and photographs, half and half, after three steps by the answers alone.
  std::string Pairs() const {
    return "--pairs " + (dir_ / "pairs") + " --photo-share 0.5 --paired-only-steps 3 --unsure-label 0.5 ";
  }

  // A network that a step of takes milliseconds. Output goes to RUN.log.
  std::string Train(const std::string& run, const std::string& more) const {
    return std::string("exec " AUFORGE_GAN_PROGRAM " train ") + (dir_ / "shards") + " -o " + (dir_ / run) +
           " --image-size 32 --conv-dim 4 --critic-layers 3 --blocks 1 --batch 4 --critic-steps 2 --epochs "
           "1000 "
           "--decay-epochs 0 --samples 0 -j 1 -q " +
           more + " >>" + (dir_ / (run + ".log")) + " 2>&1";
  }
  std::string Log(const std::string& run) const { return tests::ReadText(dir_ / (run + ".log")); }
  std::string CheckpointPath(const std::string& run, int step) const {
    char name[40];
    std::snprintf(name, sizeof(name), "/checkpoint_%08d.h5", step);
    return (dir_ / run) + name;
  }

  // Largest difference of any weight; with_moments: of optimisers' moments, too.
  static double Difference(const std::string& a, const std::string& b, bool with_moments) {
    const Hdf5Reader one(a), other(b);
    std::vector<std::string> groups{"/generator", "/discriminator"};
    if (with_moments) groups.insert(groups.end(), {"/generator_adam/mean", "/discriminator_adam/square"});
    double most = 0;
    std::size_t count = 0;
    for (const std::string& group : groups) {
      EXPECT_EQ(one.List(group), other.List(group));
      for (const std::string& name : one.List(group)) {
        const auto x = one.Read<float>(group + "/" + name).values,
                   y = other.Read<float>(group + "/" + name).values;
        EXPECT_EQ(x.size(), y.size());
        for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
          most = std::max(most, static_cast<double>(std::abs(x[i] - y[i])));
          ++count;
        }
      }
    }
    EXPECT_GT(count, 1000U);
    return most;
  }

  // The same command alone and as two processes: the runs "one…" and "two…".
  void TrainAloneAndInTwo(const std::string& tag, const std::string& more, int port) {
    ASSERT_EQ(RunCommand(Train("one" + tag, more)), 0) << Log("one" + tag);
    const std::string meet = "WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(port) + " ";
    const pid_t first = Start("export RANK=0 " + meet + "; " + Train("two" + tag, more));
    const pid_t second = Start("export RANK=1 " + meet + "; " + Train("two" + tag, more));
    EXPECT_EQ(Wait(first), 0) << Log("two" + tag);
    EXPECT_EQ(Wait(second), 0) << Log("two" + tag);
  }

  // Kills a training of 3,000 steps 20 times.
  void KillTwentyTimes(const std::string& more) {
    const std::string steps = more + " --max-steps 3000", often = steps + " --save-minutes 0.0003";
    ASSERT_EQ(RunCommand(Train("straight", steps)), 0) << Log("straight");
    std::mt19937 random(5);
    int kills = 0;
    for (int attempt = 0; attempt < 200 && kills < 20; ++attempt) {
      const pid_t child = Start(Train("killed", often));
      std::this_thread::sleep_for(std::chrono::milliseconds(400 + random() % 900));
      if (kill(child, SIGKILL) == 0 && Wait(child) == 128 + SIGKILL) ++kills;
      if (fs::exists(CheckpointPath("killed", 3000))) break;
    }
    RecordProperty("kills", kills);
    ASSERT_EQ(RunCommand(Train("killed", often)), 0) << Log("killed");
    EXPECT_GE(kills, 20);
    EXPECT_EQ(Difference(CheckpointPath("straight", 3000), CheckpointPath("killed", 3000), true), 0);
  }
  tests::TempDir dir_;
};

TEST_F(Processes, KilledTwentyTimesEndsAtTheSameWeights) { KillTwentyTimes(""); }

TEST_F(Processes, KilledTwentyTimesWithPairsEndsAtTheSameWeights) { KillTwentyTimes(Pairs()); }

// Adam moves a weight by up to the rate a step whatever its gradient's size: where that is rounding noise
// (what the norm takes out again of the AUs' planes), sums in another order part by as much: 6 critic steps
// of 1e-4 here. A ReLU at its kink may then fall to the other side, which changes gradients at once, so that
// moments are compared where no such step has been taken, below.
TEST_F(Processes, TwoWithHalfTheBatchAreOneWithTheWhole) {
  int port = 20000 + getpid() % 20000;
  for (const std::string seed : {"1", "6", "8"}) {
    TrainAloneAndInTwo(seed, "--max-steps 6 --seed " + seed, port++);
    EXPECT_LE(Difference(CheckpointPath("one" + seed, 6), CheckpointPath("two" + seed, 6), false), 6e-4);
  }
  TrainAloneAndInTwo("p", "--max-steps 6 --critic-step published --published-scaling", port++);
  EXPECT_LE(Difference(CheckpointPath("onep", 6), CheckpointPath("twop", 6), false), 6e-4);
  TrainAloneAndInTwo("pairs", Pairs() + "--max-steps 6", port);
  EXPECT_LE(Difference(CheckpointPath("onepairs", 6), CheckpointPath("twopairs", 6), false), 6e-4);
}

// Adam's means after the first step are half the gradients. The generator's first is behind the critic's
// second.
TEST_F(Processes, TwoProcessesAverageTheirGradients) {
  int port = 20100 + getpid() % 20000;
  for (const auto& [steps, group] :
       {std::pair{1, "/discriminator_adam/mean/"}, {2, "/generator_adam/mean/"}}) {
    const std::string tag = std::to_string(steps);
    TrainAloneAndInTwo(tag, "--max-steps " + tag, port++);
    const Hdf5Reader one(CheckpointPath("one" + tag, steps)), two(CheckpointPath("two" + tag, steps));
    for (const std::string& name : one.List(group)) {
      const auto x = one.Read<float>(group + name).values;
      const auto y = two.Read<float>(group + name).values;
      double apart = 0, size = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        apart += std::pow(static_cast<double>(x[i] - y[i]), 2);
        size += std::pow(static_cast<double>(x[i]), 2);
      }
      EXPECT_GT(size, 0) << group << name;
      EXPECT_LE(std::sqrt(apart / size), 2e-5) << group << name;
    }
  }
}

TEST_F(Processes, ADeadPeerEndsTheOthersWithAMessage) {
  const std::string meet =
      "WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(20001 + getpid() % 20000) + " ";
  const std::string more = "--max-steps 1000000 --save-minutes 0.01 --peer-timeout 0.5";
  const pid_t first = Start("export RANK=0 " + meet + "; " + Train("pair", more));
  const pid_t second = Start("export RANK=1 " + meet + "; " + Train("pair", more));
  for (int i = 0; i < 600 && !fs::exists(dir_ / "pair/best.h5"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(fs::exists(dir_ / "pair/best.h5")) << Log("pair");
  kill(second, SIGKILL);
  Wait(second);
  EXPECT_EQ(Wait(first), 1);
  EXPECT_THAT(Log("pair"), HasSubstr("lost another one"));
}

TEST_F(Processes, AStopSignalEndsAllOfThem) {
  const std::string meet =
      "WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=" + std::to_string(20002 + getpid() % 20000) + " ";
  const std::string more = "--max-steps 1000000 --save-minutes 0.01 --peer-timeout 1";
  const pid_t first = Start("export RANK=0 " + meet + "; " + Train("stop", more));
  const pid_t second = Start("export RANK=1 " + meet + "; " + Train("stop", more));
  for (int i = 0; i < 600 && !fs::exists(dir_ / "stop/best.h5"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  kill(second, SIGTERM);
  EXPECT_EQ(Wait(second), 143) << Log("stop");
  EXPECT_EQ(Wait(first), 0) << Log("stop");
}

TEST_F(Processes, PairsThatAreNoneAreBadInput) {
  tests::WritePairs(dir_ / "cut", {.partner_is_missing = true});
  tests::WritePairs(dir_ / "large", {.side = 64});
  int number = 0;
  for (const auto& [pairs, code, said] : {std::tuple{"cut", 3, "partner is missing"},
                                          {"large", 3, "of 64 pixels, the networks of 32"},
                                          {"shards", 3, "has no pairs"},
                                          {"absent", 1, "no such file or folder"}}) {
    const std::string run = "bad" + std::to_string(number++);
    EXPECT_EQ(RunCommand(Train(run, "--pairs " + (dir_ / pairs))), code) << Log(run);
    EXPECT_THAT(Log(run), HasSubstr(said));
  }
  EXPECT_EQ(RunCommand(Train("usage", "--paired-only-steps 5")), 2) << Log("usage");
  EXPECT_EQ(RunCommand(Train("range", "--pairs " + (dir_ / "pairs") + " --paired-weight -1")), 2) << Log("range");
}

TEST_F(Processes, AFullDiskCostsNoCheckpoint) {
  ASSERT_EQ(RunCommand(Train("full", "--max-steps 3")), 0) << Log("full");
  // Files may grow to 8 KiB from here on (the shell ignores the signal that comes with it, and so does its
  // child).
  EXPECT_EQ(RunCommand("trap '' XFSZ; ulimit -f 16; " + Train("full", "--max-steps 6")), 1);
  EXPECT_THAT(Log("full"), HasSubstr("checkpoint_00000006.h5"));
  EXPECT_THAT(Log("full"), HasSubstr("Make room"));
  EXPECT_FALSE(fs::exists(CheckpointPath("full", 6)));
  ASSERT_EQ(RunCommand(Train("full", "--max-steps 6")), 0) << Log("full");
  ASSERT_EQ(RunCommand(Train("easy", "--max-steps 6")), 0) << Log("easy");
  EXPECT_EQ(Difference(CheckpointPath("full", 6), CheckpointPath("easy", 6), true), 0);
}

TEST_F(Processes, WeightsToPyTorchAndBack) {
  const std::string python = "/usr/bin/python3";
  if (RunCommand(python + " -c 'import torch, h5py' 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs Debian's python3-torch and python3-h5py";
  }
  const std::string script = python + " " + tests::SourcePath("tools/gan/gan_weights.py");
  ASSERT_EQ(RunCommand(Train("run", Pairs() + "--max-steps 6")), 0) << Log("run");
  const std::string program = AUFORGE_GAN_PROGRAM;
  const std::string here = "cd " + dir_.path().string() + " && ";
  ASSERT_EQ(RunCommand(here + program + " export-weights run -o out.h5 >/dev/null"), 0);
  ASSERT_EQ(RunCommand(here + script + " to-pytorch out.h5 --generator G.pth --discriminator D.pth"), 0);
  // What PyTorch sees: published names, and a convolution that runs.
  tests::WriteText(
      dir_ / "look.py",
      "import torch\n"
      "g, d = torch.load('G.pth'), torch.load('D.pth')\n"
      "assert list(g)[0] and tuple(g['main.0.weight'].shape) == (4, 20, 7, 7), g['main.0.weight'].shape\n"
      "assert tuple(g['attetion_reg.0.weight'].shape) == (1, 4, 7, 7)\n"
      "assert tuple(d['conv2.weight'].shape) == (17, 16, 4, 4)\n"
      "y = torch.nn.functional.conv2d(torch.ones(1, 20, 8, 8), g['main.0.weight'], padding=3)\n"
      "assert torch.isfinite(y).all() and y.abs().sum() > 0\n");
  ASSERT_EQ(RunCommand(here + python + " look.py"), 0);
  ASSERT_EQ(RunCommand(here + script + " from-pytorch --generator G.pth --discriminator D.pth back.h5"), 0);
  ASSERT_EQ(RunCommand(here + program + " import-weights back.h5 -o second >/dev/null"), 0);
  const Hdf5Reader before(CheckpointPath("run", 6)), after(CheckpointPath("second", 0));
  for (const std::string group : {"/generator", "/discriminator"}) {
    ASSERT_EQ(before.List(group), after.List(group));
    for (const std::string& name : before.List(group)) {
      EXPECT_EQ(before.Read<float>(group + "/" + name).values, after.Read<float>(group + "/" + name).values)
          << name;
    }
  }
}

}  // namespace
}  // namespace auforge
