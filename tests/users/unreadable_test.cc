// A file that cannot be read today is not a damaged one: what failed is said, nothing is remembered, nothing is advised
// to be deleted, and once it can be read all is as before. Where files cannot be locked they can be read all the same.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "tests/datasets/query/crawl.h"
#include "tests/scale/process.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/sanitizer.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using tests::ProgramOutcome;

constexpr const char* kProgram = AUFORGE_PROGRAM;

class Unreadable : public testing::Test {
 protected:
  void SetUp() override {
    if (tests::kSanitized) GTEST_SKIP() << "a sanitizer wants to be the first library";
    tests::CrawlOptions crawl;
    crawl.images = 6;
    crawl.pictures = true;
    tests::WriteCrawl(Folder(), crawl);
  }
  std::string Folder() const { return dir_ / "shards"; }
  static std::string SourceModel() { return tests::SourcePath("annotator/models/default.h5"); }
  std::string Shard(int index) const { return Folder() + "/0000" + std::to_string(index) + ".h5"; }

  static ProgramOutcome Run(const std::string& arguments, const std::string& trouble = "") {
    const std::string setting =
        trouble.empty() ? "" : "LD_PRELOAD=" AUFORGE_TROUBLE " AUFORGE_TROUBLE='" + trouble + "' ";
    return tests::RunCommand(setting + kProgram + " " + arguments);
  }
  static std::string Count(const ProgramOutcome& outcome) {
    return outcome.text.substr(outcome.text.rfind('\n', outcome.text.size() - 2) + 1);
  }
  // Text that was written by somebody who knows the reason, and not about damage.
  static void ExpectNoTalkOfDamage(const ProgramOutcome& outcome, const std::string& reason) {
    EXPECT_NE(outcome.text.find(reason), std::string::npos) << outcome.text;
    for (const char* word : {"damaged", "remove", "delete", "annotate again"})
      EXPECT_EQ(outcome.text.find(word), std::string::npos) << outcome.text;
  }
  // The file's inode is another moment's, as after a chmod.
  static void Touch(const std::string& file) { chmod(file.c_str(), 0600), chmod(file.c_str(), 0644); }

  tests::TempDir dir_;
};

TEST_F(Unreadable, AShardThatCouldNotBeReadOnceIsBackTheNextTime) {
  const std::string whole = Count(Run("query " + Folder() + " --count --index " + (dir_ / "other.sqlite")));
  for (const std::string trouble : {"open:13:00001.h5", "read:5:00001.h5"}) {
    fs::remove(Folder() + "/auforge-index.sqlite");
    for (const bool is_known : {false, true}) {
      if (is_known) Touch(Shard(1));
      const ProgramOutcome once = Run("query " + Folder() + " --count", trouble);
      EXPECT_EQ(once.code, 1) << once.text;
      ExpectNoTalkOfDamage(once, trouble[0] == 'o' ? "00001.h5: cannot be opened: Permission denied; left out"
                                                   : "00001.h5: cannot be read: Input/output error; left out");
      const ProgramOutcome again = Run("query " + Folder() + " --count");
      EXPECT_EQ(again.code, 0) << again.text;
      EXPECT_EQ(again.text, whole) << trouble;
    }
  }
}

TEST_F(Unreadable, ADamagedShardThatWasMendedIsBackEvenWithTheSameSizeAndTime) {
  const std::string whole = Run("query " + Folder() + " --count").text;
  fs::copy_file(Shard(1), dir_ / "sound.h5");
  const fs::file_time_type time = fs::last_write_time(Shard(1));
  std::string bytes = tests::ReadText(Shard(1));
  bytes.replace(0, 8, "rubbish!");
  tests::WriteText(Shard(1), bytes);
  fs::last_write_time(Shard(1), time);
  const ProgramOutcome damaged = Run("query " + Folder() + " --count");
  EXPECT_EQ(damaged.code, 3) << damaged.text;
  EXPECT_NE(damaged.text.find("00001.h5: is not a readable HDF5 file"), std::string::npos) << damaged.text;
  tests::WriteText(Shard(1), tests::ReadText(dir_ / "sound.h5"));
  fs::last_write_time(Shard(1), time);
  const ProgramOutcome mended = Run("query " + Folder() + " --count");
  EXPECT_EQ(mended.code, 0) << mended.text;
  EXPECT_EQ(mended.text, whole);
}

TEST_F(Unreadable, AFolderInAShardsPlaceIsSaidToBeOne) {
  fs::rename(Shard(1), dir_ / "sound.h5");
  fs::create_directory(Shard(1));
  const ProgramOutcome folder = Run("query " + Folder() + " --count");
  EXPECT_EQ(folder.code, 1) << folder.text;
  ExpectNoTalkOfDamage(folder, "00001.h5: is a folder, not a file; left out");
  fs::remove(Shard(1));
  fs::rename(dir_ / "sound.h5", Shard(1));
  EXPECT_EQ(Run("query " + Folder() + " --count").code, 0);
}

TEST_F(Unreadable, AnotherUsersRightsAreNotDamage) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const std::string as_nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
  if (tests::RunCommand(as_nobody + kProgram + " --version").code != 0)
    GTEST_SKIP() << "no setpriv, or another user may not run " << kProgram;
  chmod(dir_.path().c_str(), 0755);
  chmod(Folder().c_str(), 0777);
  chmod(Shard(1).c_str(), 0600);
  const ProgramOutcome once = tests::RunCommand(as_nobody + kProgram + " query " + Folder() + " --count");
  EXPECT_EQ(once.code, 1) << once.text;
  ExpectNoTalkOfDamage(once, "00001.h5: cannot be opened: Permission denied; left out");
  chmod(Shard(1).c_str(), 0644);
  const ProgramOutcome again = tests::RunCommand(as_nobody + kProgram + " query " + Folder() + " --count");
  EXPECT_EQ(again.code, 0) << again.text;
}

TEST_F(Unreadable, EveryCommandSaysWhatFailedAndAdvisesNothing) {
  ASSERT_EQ(Run("query " + Folder() + " --count").code, 0);  // the index is there
  const std::string model = SourceModel();
  for (const std::string& command :
       {"inspect " + Folder(), "verify " + Folder(), "report " + Folder() + " -o " + (dir_ / "r.html"),
        "export " + Folder() + " --format csv -o " + (dir_ / "f.csv"),
        "query " + Folder() + " -o " + (dir_ / "found")}) {
    for (const std::string trouble : {"open:13:00001.h5", "read:5:00001.h5"}) {
      const ProgramOutcome outcome = Run(command, trouble);
      EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
      ExpectNoTalkOfDamage(outcome, trouble[0] == 'o' ? "Permission denied" : "Input/output error");
    }
  }
  const ProgramOutcome unread = Run("inspect " + model, "open:13:" + fs::path(model).filename().string());
  EXPECT_EQ(unread.code, 1) << unread.text;
  ExpectNoTalkOfDamage(unread, "Permission denied");
}

TEST_F(Unreadable, LocksAreNotNeededToRead) {
  const ProgramOutcome whole = Run("query " + Folder() + " --count --index :memory:");
  ASSERT_EQ(whole.code, 0) << whole.text;
  const ProgramOutcome query = Run("query " + Folder() + " --count", "locks");
  EXPECT_EQ(query.code, 0) << query.text;
  EXPECT_EQ(Count(query), Count(whole));
  EXPECT_NE(query.text.find("auforge-index.sqlite: files cannot be locked there; the index is made in memory"),
            std::string::npos)
      << query.text;
  EXPECT_EQ(Run("verify " + Folder(), "locks").code, 0);
  EXPECT_EQ(Run("inspect " + Folder(), "locks").code, 0);
  EXPECT_EQ(Run("inspect " + SourceModel(), "locks").code, 0);
  EXPECT_EQ(Run("export " + Folder() + " --format jsonl -o " + (dir_ / "f.jsonl"), "locks").code, 0);
  // Who asks for locks gets them, and is told why they fail.
  const ProgramOutcome asked = tests::RunCommand("HDF5_USE_FILE_LOCKING=TRUE LD_PRELOAD=" AUFORGE_TROUBLE
                                                 " AUFORGE_TROUBLE=locks " +
                                                 std::string(kProgram) + " inspect " + Shard(0));
  EXPECT_EQ(asked.code, 1) << asked.text;
  ExpectNoTalkOfDamage(asked, "cannot be locked: No locks available; HDF5_USE_FILE_LOCKING asks for locks");
}

TEST_F(Unreadable, AnnotateNeedsNoLocks) {
  fs::create_directories(dir_ / "in");
  cv::imwrite(dir_ / "in/a.png", tests::Texture(120, 90, 3, 1));
  const ProgramOutcome run = Run("annotate " + (dir_ / "in") + " -q -o " + (dir_ / "out"), "locks");
  EXPECT_EQ(run.code, 0) << run.text;
  EXPECT_TRUE(fs::exists(dir_ / "out/00000_stats.json"));
}

// Another process in the middle of writing the index.
class Holder {
 public:
  explicit Holder(const std::string& file) {
    sqlite3_open(file.c_str(), &database_);
    sqlite3_exec(database_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr);
  }
  ~Holder() { sqlite3_close(database_); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

class HeldIndex : public Unreadable {
 protected:
  static void WaitForText(const std::string& file, const std::string& text) {
    while (!fs::exists(file) || tests::ReadText(file).find(text) == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
};

TEST_F(HeldIndex, IsWaitedForAloudAndNotAgainstASignal) {
  ASSERT_EQ(Run("query " + Folder() + " --count").code, 0);
  const std::string log = dir_ / "log";
  const Holder holder(Folder() + "/auforge-index.sqlite");
  tests::Process query({kProgram, "query", Folder(), "--count"}, log);
  WaitForText(log, "auforge-index.sqlite: another process is writing it");
  const auto start = std::chrono::steady_clock::now();
  query.Signal(SIGINT);
  const tests::ProcessEnd end = query.Wait(20);
  EXPECT_EQ(end.code, 130) << tests::ReadText(log);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST_F(HeldIndex, IsUsedWhenItIsFree) {
  ASSERT_EQ(Run("query " + Folder() + " --count").code, 0);
  const std::string log = dir_ / "log";
  auto holder = std::make_unique<Holder>(Folder() + "/auforge-index.sqlite");
  tests::Process query({kProgram, "query", Folder(), "--count"}, log);
  WaitForText(log, "another process is writing it");
  holder.reset();
  EXPECT_EQ(query.Wait(20).code, 0) << tests::ReadText(log);
}

}  // namespace
}  // namespace auforge
