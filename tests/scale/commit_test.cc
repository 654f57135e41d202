// The commit protocol under violence: killed at random moments, a disk that fills, told to stop. Whatever
// happens, running again gives every file of an undisturbed run, byte for byte.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <set>
#include <thread>

#include "datasets/shard.h"
#include "tests/scale/process.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;

constexpr int kShards = 20;
constexpr int kKills = 100;

class CommitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
    photos_ = folder;
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
    const std::string photo = tests::ReadText((photos_ / "2008_001009.jpg").string());
    const std::string other = tests::ReadText((photos_ / "2009_004587.jpg").string());
    for (int i = 0; i < kShards; ++i) {
      char name[16];
      std::snprintf(name, sizeof(name), "%05d.tar", i);
      const std::string prefix = std::string(name, 5);
      tests::WriteTar(dir_ / name, {{prefix + "0.jpg", i % 2 == 0 ? photo : other},
                                    {prefix + "0.txt", "caption " + prefix},
                                    {prefix + "1.jpg", "not a picture"},
                                    {prefix + "2.jpg", i % 2 == 0 ? other : photo}});
      for (const char* digit : {"0", "1", "2"}) keys_.insert(prefix + digit);
    }
  }

  std::vector<std::string> Command(const std::string& output) const {
    return {AUFORGE_PROGRAM,
            "annotate",
            (dir_.path() / "{00000..00019}.tar").string(),
            "-o",
            output,
            "-j",
            "2",
            "-q"};
  }

  std::string Log() const { return dir_ / "log"; }

  // Every file of the folder that is no leftover of a killed process.
  static std::map<std::string, std::string> Files(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.find(".tmp.") != std::string::npos) continue;
      std::string content = tests::ReadText(entry.path().string());
      if (name.ends_with("_stats.json")) {
        auto stats = nlohmann::json::parse(content);
        stats.erase("stage_seconds");  // times differ
        content = stats.dump();
      }
      files[name] = content;
    }
    return files;
  }

  void ExpectEqualToUndisturbed(const fs::path& folder) {
    if (undisturbed_.empty()) {
      ASSERT_EQ(tests::RunProcess(Command(dir_ / "undisturbed"), Log()).code, 0) << tests::ReadText(Log());
      undisturbed_ = Files(dir_ / "undisturbed");
      ASSERT_EQ(undisturbed_.size(), 3U * kShards);
    }
    const auto files = Files(folder);
    ASSERT_EQ(files.size(), undisturbed_.size());
    for (const auto& [name, content] : undisturbed_) {
      EXPECT_TRUE(files.at(name) == content) << name << " differs from the undisturbed run's";
    }
    std::multiset<std::string> keys;
    for (const std::string& path : datasets::FindShards({folder.string()})) {
      EXPECT_TRUE(datasets::VerifyShard(path).empty()) << path;
      const datasets::ShardReader shard(path);
      for (std::size_t i = 0; i < shard.SampleCount(); ++i) keys.insert(shard.Sample(i).key);
    }
    EXPECT_EQ(keys, std::multiset<std::string>(keys_.begin(), keys_.end())) << "keys lost or doubled";
  }

  fs::path photos_;
  tests::TempDir dir_;
  std::set<std::string> keys_;
  std::map<std::string, std::string> undisturbed_;
};

TEST_F(CommitTest, AHundredKillsLoseAndDoubleNothing) {
  std::mt19937 random(7);
  int kills = 0, runs = 0;
  // How long a whole run takes here and now; kills fall anywhere in it.
  const double whole = tests::RunProcess(Command(dir_ / "timed"), Log()).seconds;
  std::uniform_real_distribution<double> moment(0.0, 0.7 * whole);
  while (kills < kKills) {
    const std::string output = dir_ / ("out" + std::to_string(runs++));
    for (;;) {
      tests::Process process(Command(output), Log());
      const double until = moment(random);
      const auto start = std::chrono::steady_clock::now();
      while (process.IsRunning() &&
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (kills < kKills) process.Signal(SIGKILL);
      const tests::ProcessEnd end = process.Wait();
      if (end.signal == SIGKILL) {
        ++kills;
        continue;
      }
      ASSERT_EQ(end.code, 0) << tests::ReadText(Log());
      break;
    }
    ExpectEqualToUndisturbed(output);
    // What killed processes left behind is gone once their shard is finished.
    for (const auto& entry : fs::directory_iterator(output)) {
      EXPECT_EQ(entry.path().string().find(".tmp."), std::string::npos) << entry.path();
    }
    fs::remove_all(output);
  }
  std::printf("%d kills over %d runs of %.1f s\n", kills, runs, whole);
  RecordProperty("runs", runs);
}

TEST_F(CommitTest, AFullDiskIsToldAndTheNextRunGoesOn) {
  const std::string disk = dir_ / "disk";
  fs::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=400k") != 0) GTEST_SKIP() << "no right to mount a tmpfs";
  const std::string output = disk + "/out";
  const tests::ProcessEnd full = tests::RunProcess(Command(output), Log());
  EXPECT_EQ(full.code, 1) << "a retry may help";
  EXPECT_NE(tests::ReadText(Log()).find(output), std::string::npos) << tests::ReadText(Log());
  const std::size_t finished = fs::exists(output) ? datasets::FindShards({output}).size() : 0;
  EXPECT_GT(finished, 0U);
  EXPECT_LT(finished, static_cast<std::size_t>(kShards));
  for (const std::string& path : datasets::FindShards({output}))
    EXPECT_TRUE(datasets::VerifyShard(path).empty()) << path;
  EXPECT_EQ(tests::RunProcess(Command(output), Log()).code, 1) << "still full";
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=50m"), 0);
  EXPECT_EQ(tests::RunProcess(Command(output), Log()).code, 0) << tests::ReadText(Log());
  ExpectEqualToUndisturbed(output);
  umount(disk.c_str());
}

// Processes that do nothing but take processor time, until the object goes.
class Load {
 public:
  explicit Load(int processes) {
    for (int i = 0; i < processes; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        alarm(120);  // should the test be killed
        for (volatile unsigned n = 0;;) n = n + 1;
      }
      if (pid > 0) pids_.push_back(pid);
    }
  }
  ~Load() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::vector<pid_t> pids_;
};

class SigtermTest : public CommitTest {
 protected:
  // Starts annotate, lets it work, tells it to stop. Returns the wall time that took.
  double SecondsToEnd(const std::vector<std::string>& command, const std::string& output) {
    tests::Process process(command, Log());
    while (!fs::exists(output) && process.IsRunning())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    EXPECT_TRUE(process.IsRunning());
    const auto start = std::chrono::steady_clock::now();
    process.Signal(SIGTERM);
    const tests::ProcessEnd end = process.Wait();
    EXPECT_EQ(end.code, 143) << tests::ReadText(Log());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};

TEST_F(SigtermTest, EndsCleanlyWithinFiveSecondsOnALoadedMachineToo) {
  // Large pictures searched for small faces.
  fs::create_directories(dir_ / "large");
  for (int i = 0; i < 40; ++i) {
    fs::create_symlink(photos_ / "bald_guys.jpg", fs::path(dir_ / "large") / (std::to_string(i) + ".jpg"));
  }
  for (const int others : {0, 8 * static_cast<int>(std::thread::hardware_concurrency())}) {
    const Load load(others);
    const std::string output = dir_ / ("out" + std::to_string(others));
    const double seconds = SecondsToEnd(
        {AUFORGE_PROGRAM, "annotate", dir_ / "large", "-o", output, "-j", "2", "-q", "--min-face", "40"},
        output);
    std::printf("ended %.2f s after SIGTERM beside %d busy processes\n", seconds, others);
    EXPECT_LT(seconds, 5);
    EXPECT_TRUE(fs::is_empty(output)) << "an unfinished shard left something behind";
  }
}

TEST_F(SigtermTest, DoesNotWaitForPicturesOfManyPixels) {
  // Each takes seconds to decode and search, one at a time.
  cv::Mat noise(900, 900, CV_8UC3), picture;
  cv::randu(noise, 0, 255);
  cv::resize(noise, picture, {9000, 9000});
  fs::create_directories(dir_ / "huge");
  cv::imwrite(dir_ / "huge/0.jpg", picture);
  for (int i = 1; i < 8; ++i) fs::copy(dir_ / "huge/0.jpg", dir_ / ("huge/" + std::to_string(i) + ".jpg"));
  const std::string output = dir_ / "out";
  const double seconds =
      SecondsToEnd({AUFORGE_PROGRAM, "annotate", dir_ / "huge", "-o", output, "-j", "2", "-q"}, output);
  std::printf("ended %.2f s after SIGTERM\n", seconds);
  EXPECT_LT(seconds, 5);
  EXPECT_TRUE(fs::is_empty(output));
}

TEST_F(CommitTest, TwoProcessesOnTheSameShardsDoNoHarm) {
  // As an orphan beside its requeued twin.
  const std::string output = dir_ / "out";
  tests::Process first(Command(output), Log());
  tests::Process second(Command(output), Log());
  first.Wait();
  second.Wait();
  EXPECT_EQ(tests::RunProcess(Command(output), Log()).code, 0) << tests::ReadText(Log());
  ExpectEqualToUndisturbed(output);
}

}  // namespace
}  // namespace auforge
