// annotate --fetch: what comes through a command is labelled as the same bytes on disk are; what does not come whole is not
// done, and the next run fetches that and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/shard.h"
#include "tests/scale/process.h"
#include "tests/support/picture_files.h"
#include "tests/support/tar_file.h"
#include "tests/users/users_files.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::InShell;

class Fetch : public testing::Test {
 protected:
  Fetch() {
    fs::current_path(dir_.path());
    const std::string people = tests::ReadText(tests::PhotoWithFaces());
    for (int i = 0; i < 3; ++i) {
      const std::string n = std::to_string(i);
      tests::WriteTar("0000" + n + ".tar", {{"a" + n + ".jpg", people + n},
                                            {"a" + n + ".txt", "caption " + n},
                                            {"b.jpg", people}});
    }
    // The "server": the last part of the address is a file here; every fetch is a line of the log.
    tests::WriteText("server", "echo \"$1\" >> log; name=${1##*/}; [ -e down-$name ] && { echo \"no route to $name\" >&2; exit 7; }; exec cat $name\n");
  }
  ~Fetch() override { fs::current_path("/"); }

  static tests::ProgramOutcome Annotate(const std::string& rest) { return InShell("$AUFORGE annotate -q -j 1 --min-face 80 " + rest); }
  static std::string Fetched() {
    const std::string log = fs::exists("log") ? tests::ReadText("log") : "";
    fs::remove("log");
    return log;
  }
  static void ExpectSameShards(const std::string& a, const std::string& b, std::size_t images) {
    const datasets::ShardReader one(a), two(b);
    ASSERT_EQ(one.SampleCount(), images);
    ASSERT_EQ(two.SampleCount(), images);
    for (std::size_t i = 0; i < images; ++i) {
      EXPECT_EQ(one.Sample(i).key, two.Sample(i).key);
      EXPECT_EQ(one.Sample(i).keywords, two.Sample(i).keywords);
      EXPECT_EQ(one.Sample(i).sha256, two.Sample(i).sha256);
    }
    ASSERT_EQ(one.FaceCount(), two.FaceCount());
    EXPECT_GT(one.FaceCount(), 0U);
    for (std::size_t i = 0; i < one.FaceCount(); ++i) EXPECT_EQ(one.Face(i).aus.intensity, two.Face(i).aus.intensity);
  }
  tests::TempDir dir_;
};

TEST_F(Fetch, WhatACommandBringsIsWhatLiesOnDisk) {
  ASSERT_EQ(Annotate("'{00000..00001}.tar' -o local").code, 0);
  const auto outcome = Annotate("--fetch 'sh server {}' 'https://host/crawl/{00000..00001}.tar' -o out");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  ExpectSameShards("local/00000.h5", "out/00000.h5", 2);
  ExpectSameShards("local/00001.h5", "out/00001.h5", 2);
  EXPECT_EQ(Fetched(), "https://host/crawl/00000.tar\nhttps://host/crawl/00001.tar\n");
  // Done is done: nothing is fetched again.
  const auto again = Annotate("--fetch 'sh server {}' 'https://host/crawl/{00000..00001}.tar' -o out");
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.text, HasSubstr("nothing to do"));
  EXPECT_EQ(Fetched(), "");
  // Under another address, and on disk, it is told by what it holds.
  for (const std::string other : {"'s3://bucket/{00000..00001}.tar'", "'{00000..00001}.tar'"}) {
    EXPECT_THAT(Annotate("--fetch 'sh server {}' -o out " + other).text, HasSubstr("nothing to do")) << other;
  }
  const auto wrong = Annotate("--fetch 'sh server {}' -o out s3://bucket/00002.tar");
  EXPECT_EQ(wrong.code, 3) << wrong.text;
  tests::WriteText("down-00000.tar", "");
  const auto unknown = Annotate("--fetch 'sh server {}' -o out s3://elsewhere/00000.tar");
  EXPECT_EQ(unknown.code, 1) << unknown.text;
  EXPECT_THAT(unknown.text, HasSubstr("no route to 00000.tar"));
}

TEST_F(Fetch, AnInputThatFailsIsNotDoneAndTheNextRunFetchesItAlone) {
  const std::string command = "--fetch 'sh server {}' 'https://host/{00000..00002}.tar' -o out";
  tests::WriteText("down-00001.tar", "");
  const auto outcome = Annotate(command);
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("https://host/00001.tar: the command of --fetch ended with status 7: no route to 00001.tar"),
                                  HasSubstr("1 input could not be fetched"), HasSubstr("4 images, ")));
  EXPECT_TRUE(fs::exists("out/00000_stats.json"));
  EXPECT_TRUE(fs::exists("out/00002_stats.json"));
  for (const char* file : {"out/00001.h5", "out/00001_stats.json", "out/00001_errors.jsonl"}) EXPECT_FALSE(fs::exists(file)) << file;
  EXPECT_EQ(tests::LeftoversIn("out"), "");
  Fetched();
  const auto still = Annotate("--json " + command);
  EXPECT_EQ(still.code, 1);
  EXPECT_THAT(still.text, HasSubstr(R"("failed":[{"input":"https://host/00001.tar","message":)"));
  EXPECT_EQ(Fetched(), "https://host/00001.tar\n");
  // Half of it, by a command that does not notice.
  EXPECT_EQ(Annotate("--fetch 'name={}; head -c 20000 ${name##*/}' 'https://host/{00000..00002}.tar' -o out").code, 1);
  EXPECT_FALSE(fs::exists("out/00001_stats.json"));
  fs::remove("down-00001.tar");
  const auto done = Annotate(command);
  EXPECT_EQ(done.code, 0) << done.text;
  EXPECT_EQ(Fetched(), "https://host/00001.tar\n");
  ASSERT_EQ(Annotate("'{00000..00002}.tar' -o local").code, 0);
  ExpectSameShards("local/00001.h5", "out/00001.h5", 2);
}

TEST_F(Fetch, DuplicatesAreSkippedAsInARunWithoutTrouble) {
  const std::string command = "--skip-duplicates --fetch 'sh server {}' 'https://host/{00000..00002}.tar' -o out";
  tests::WriteText("down-00001.tar", "");
  EXPECT_EQ(Annotate(command).code, 1);
  // What is a duplicate there depends on what could not be fetched.
  EXPECT_FALSE(fs::exists("out/00002.h5"));
  fs::remove("down-00001.tar");
  EXPECT_EQ(Annotate(command).code, 0);
  for (const char* shard : {"out/00001.h5", "out/00002.h5"})
    EXPECT_EQ(datasets::ShardReader(shard).Sample(1).status, datasets::Outcome::kDuplicate) << shard;
}

TEST_F(Fetch, WhatIsMissingIsSaid) {
  struct Case {
    std::string arguments, named;
  };
  for (const Case& wrong : std::vector<Case>{{"https://host/00000.tar -o out", "--fetch"},
                                             {"--fetch 'sh server {}' https://host/00000.tar", "--output"},
                                             {"--fetch 'sh server' https://host/00000.tar -o out", "{}"},
                                             {"--fetch \"sh -c 'cat {}'\" https://host/00000.tar -o out", "quotes"},
                                             {"--fetch 'cat {}' s3://bucket/ -o out", "folder"},
                                             {"--fetch 'cat {}' --watch . -o out", "--watch"},
                                             {"--fetch 'cat {}' --fetch-seconds 0 s3://b/a.tar -o out", "--fetch-seconds"}}) {
    const auto outcome = Annotate(wrong.arguments);
    EXPECT_EQ(outcome.code, 2) << wrong.arguments << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(wrong.named)) << wrong.arguments;
    EXPECT_FALSE(fs::exists("out"));
  }
}

TEST_F(Fetch, ASignalEndsTheCommandToo) {
  for (const int signal : {SIGTERM, SIGINT}) {
    fs::remove("pid");
    tests::Process process({AUFORGE_PROGRAM, "annotate", "-q", "-j", "2", "--fetch",
                            "echo $$ > pid; cat 00000.tar; trap '' TERM INT; sleep 1000; : {}", "https://host/00000.tar", "-o", "out"},
                           "run.log");
    while (process.IsRunning() && (!fs::exists("pid") || tests::ReadText("pid").empty())) {
    }
    const std::string pid = tests::ReadText("pid");
    process.Signal(signal);
    const tests::ProcessEnd end = process.Wait(60);
    EXPECT_EQ(end.code, 128 + signal) << tests::ReadText("run.log");
    EXPECT_NE(InShell("kill -0 " + pid + " && ! ps -o stat= -p " + pid + " | grep -q Z").code, 0);
    EXPECT_FALSE(fs::exists("out/00000_stats.json"));
    EXPECT_EQ(tests::LeftoversIn("."), "");
  }
}

}  // namespace
}  // namespace auforge
