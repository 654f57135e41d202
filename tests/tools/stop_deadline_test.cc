// Work that does not end by itself is ended, cleaned up after, and the exit status tells the signal.
#include "tools/cli/stop_deadline.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <future>

#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

using std::chrono::milliseconds;

TEST(StopDeadlineDeathTest, EndsWorkThatDoesNotEnd) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const tests::TempDir dir;
  tests::WriteText(dir / "unfinished", "half");
  EXPECT_EXIT(
      {
        InstallStopSignals();
        const StopDeadline deadline(milliseconds(10),
                                    [&dir] { std::filesystem::remove(dir / "unfinished"); });
        raise(SIGTERM);
        std::promise<void>().get_future().wait();  // for ever
      },
      testing::ExitedWithCode(143), "");
}

TEST(StopDeadlineDeathTest, LeavesWorkAloneThatEndsInTime) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        InstallStopSignals();
        {
          const StopDeadline deadline(std::chrono::minutes(10), [] { _exit(1); });
          raise(SIGINT);
        }
        _exit(StopSignal() == SIGINT ? 0 : 2);
      },
      testing::ExitedWithCode(0), "");
}

TEST(StopDeadline, GoesAtOnceWhenNobodyAskedToStop) {
  bool cleaned = false;
  {
    const StopDeadline deadline(milliseconds(0), [&cleaned] { cleaned = true; });
  }
  EXPECT_FALSE(cleaned);
}

}  // namespace
}  // namespace auforge::tools
