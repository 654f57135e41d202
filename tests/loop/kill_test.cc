// A whole round, killed at random moments: the same final files, and at every moment a whole generator.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/loop/small_loop.h"
#include "tests/scale/process.h"
#include "tests/support/tar_file.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;

constexpr int kKills = 30;

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

TEST(LoopKill, ThirtyKillsChangeNothing) {
  const tests::SmallLoop loop;
  const std::string before = loop.dir() / "before", log = loop.dir() / "log";
  const auto reset = [&] {
    loop.RemoveWork();
    fs::copy(before, loop.Work(), fs::copy_options::recursive);
  };
  loop.AddPeople(0, 7);
  loop.WritePlan();
  ASSERT_EQ(loop.Run("-q").code, 0);
  fs::copy(loop.Work(), before, fs::copy_options::recursive);
  const std::string old = tests::ReadText(loop.Work("generator.h5"));

  loop.AddPeople(8, 19);
  auto start = std::chrono::steady_clock::now();
  const tests::ProgramOutcome outcome = loop.Run("-q");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const double whole = Seconds(start);
  const auto undisturbed = loop.Lasting();
  const std::string fresh = tests::ReadText(loop.Work("generator.h5"));
  ASSERT_NE(fresh, old) << "the second round promotes, too";

  std::mt19937 random(11);
  std::uniform_real_distribution<double> moment(0, 0.6 * whole);
  int kills = 0, rounds = 0;
  while (kills < kKills) {
    reset();
    ++rounds;
    for (;;) {
      tests::Process process({AUFORGE_PROGRAM, "loop", loop.Plan(), "-q"}, log);
      const double until = moment(random);
      start = std::chrono::steady_clock::now();
      while (process.IsRunning() && Seconds(start) < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (kills < kKills) process.Signal(SIGKILL);
      const tests::ProcessEnd end = process.Wait();
      const std::string present = tests::ReadText(loop.Work("generator.h5"));
      ASSERT_TRUE(present == old || present == fresh) << "a generator that is neither the old nor the new one";
      if (end.signal == SIGKILL) {
        ++kills;
        continue;
      }
      ASSERT_EQ(end.code, 0) << tests::ReadText(log);
      break;
    }
    const auto killed = loop.Lasting();
    for (const auto& [path, content] : undisturbed) {
      ASSERT_TRUE(killed.contains(path)) << path;
      ASSERT_TRUE(killed.at(path) == content) << path << " differs from the undisturbed run's";
    }
    for (const auto& [path, content] : killed) ASSERT_TRUE(undisturbed.contains(path)) << path << " is left over";
  }
  std::printf("%d kills over %d rounds of %.1f s\n", kills, rounds, whole);
  RecordProperty("rounds", rounds);
}

}  // namespace
}  // namespace auforge
