// Disks that are full, files that may not grow, memory that is short, and a terminal that is closed: the right
// message, exit status 1, an end, and nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>

#include "tests/datasets/query/crawl.h"
#include "tests/support/sanitizer.h"
#include "tests/support/tar_file.h"
#include "tests/users/users_files.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::InShell;

class Limits : public testing::Test {
 protected:
  Limits() {
    tests::CrawlOptions options;
    options.shards = 2;
    options.images = 30;
    options.pictures = true;
    tests::WriteCrawl(dir_ / "shards", options);
    fs::current_path(dir_.path());
    // The index is there already: what follows is about the output.
    InShell("$AUFORGE query shards -q --count");
  }
  ~Limits() override { fs::current_path("/"); }
  tests::TempDir dir_;
};

struct Writer {
  std::string command, output;
};

const std::vector<Writer>& BigWriters() {
  static const std::vector<Writer> writers{{"$AUFORGE export shards -q --format csv -o out.csv", "out.csv"},
                                           {"$AUFORGE export shards -q --format jsonl -o out.jsonl", "out.jsonl"},
                                           {"$AUFORGE export shards -q --format shards -o out", "out"},
                                           {"$AUFORGE export shards -q --format webdataset -o out", "out"},
                                           {"$AUFORGE export shards -q --format openface -o out.csv", "out.csv"},
                                           {"$AUFORGE query shards -q -o out", "out"},
                                           {"$AUFORGE query shards -q --sheet out.png", "out.png"},
                                           {"$AUFORGE report shards -o out.html", "out.html"}};
  return writers;
}

TEST_F(Limits, AFileThatMayNotGrowIsAFailureThatNamesTheLimit) {
  std::vector<Writer> writers = BigWriters();
  if (tests::HasGan()) writers.push_back({"$GAN export-weights ${MODEL%annotator*}gan/models/default.h5 -o out.h5", "out.h5"});
  for (const Writer& writer : writers) {
    // SQLite asks for room beside the index even to read it.
    const auto outcome = InShell("ulimit -f 8; " + writer.command);
    EXPECT_EQ(outcome.code, 1) << writer.command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("File too large")) << writer.command;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr(writer.output), Not(HasSubstr(".tmp")))) << "the name that the user gave";
    EXPECT_FALSE(fs::exists(writer.output)) << writer.command;
    EXPECT_EQ(tests::LeftoversIn("."), "") << writer.command;
  }
}

TEST_F(Limits, AFullDiskIsAFailureThatNamesIt) {
  fs::create_directories("disk");
  for (const char* size : {"100k", "300k"}) {
    if (mount("tmpfs", "disk", "tmpfs", 0, (std::string("size=") + size).c_str()) != 0)
      GTEST_SKIP() << "no right to mount a tmpfs";
    for (const Writer& writer : BigWriters()) {
      std::string command = writer.command;
      command.insert(command.rfind(writer.output), "disk/");
      const auto outcome = InShell(command);
      if (fs::exists("disk/" + writer.output)) {  // it had room
        EXPECT_EQ(outcome.code, 0) << command << outcome.text;
        fs::remove_all("disk/" + writer.output);
      } else {
        EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
        EXPECT_THAT(outcome.text, AllOf(HasSubstr("No space left on device"), HasSubstr("disk/" + writer.output),
                                        Not(HasSubstr(".tmp")))) << command;
      }
      EXPECT_EQ(tests::LeftoversIn("disk"), "") << command;
      fs::remove_all("disk/out_frames.csv");
    }
    umount("disk");
  }
}

TEST_F(Limits, AnnotateAndCalibrateEndWellOnAFullDisk) {
  fs::copy_file(tests::PhotoWithFaces(), "people.jpg");
  for (const std::string command : {"$AUFORGE annotate people.jpg -q -o out", "$AUFORGE calibrate --neutral people.jpg -o out.h5"}) {
    const auto outcome = InShell("ulimit -f 8; " + command);
    EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("File too large")) << command;
    EXPECT_EQ(tests::LeftoversIn("."), "") << command;
  }
}

TEST_F(Limits, ShortMemoryIsAFailureThatNamesTheLimitAndEnds) {
  if (tests::kSanitized) GTEST_SKIP() << "shadow memory takes more than any limit";
  fs::copy_file(tests::PhotoWithFaces(), "people.jpg");
  int failures = 0;
  for (const char* limit : {"120000", "250000", "300000", "400000", "450000", "600000"}) {
    for (const std::string command : {"$AUFORGE --version", "$AUFORGE inspect shards", "$AUFORGE query shards -q --count",
                                      "$AUFORGE annotate people.jpg -q -j 4 -o out", "$AUFORGE gan --version"}) {
      const auto outcome = InShell(std::string("ulimit -v ") + limit + "; timeout -s KILL 60 " + command);
      if (outcome.code == 0) continue;
      ++failures;
      // Before the first instruction of ours it is the loader that says which library has no room.
      if (outcome.code == 127 && outcome.text.find("error while loading shared libraries") != std::string::npos) continue;
      EXPECT_EQ(outcome.code, 1) << limit << " " << command << "\n" << outcome.text;
      EXPECT_THAT(outcome.text, HasSubstr("ulimit -v")) << limit << " " << command;
    }
    fs::remove_all("out");
  }
  EXPECT_GT(failures, 0) << "no limit was felt";
}

TEST_F(Limits, AClosedTerminalLeavesNothingBehind) {
  fs::copy_file(tests::PhotoWithFaces(), "people.jpg");
  for (const auto& [signal, code] : std::vector<std::pair<std::string, int>>{{"HUP", 129}, {"INT", 130}, {"TERM", 143}}) {
    // As soon as the first temporary file is there.
    const auto outcome = InShell(
        "set -m; $AUFORGE annotate people.jpg -q --min-face 20 -o out & pid=$!; "
        "while ! compgen -G 'out/*.tmp*' > /dev/null && kill -0 $pid 2>/dev/null; do :; done; kill -" +
        signal + " $pid; wait $pid");
    EXPECT_EQ(outcome.code, code) << outcome.text;
    EXPECT_EQ(tests::LeftoversIn("."), "") << signal;
    fs::remove_all("out");
  }
}

}  // namespace
}  // namespace auforge::tools
