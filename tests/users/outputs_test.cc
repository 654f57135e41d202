// Where results go: devices, FIFOs, links, folders that are missing, names of pictures, a stdout that is full or
// closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/users/users_files.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::InShell;

class Outputs : public testing::Test {
 protected:
  Outputs() {
    tests::CrawlOptions options;
    options.shards = 2;
    options.images = 6;
    options.pictures = true;
    tests::WriteCrawl(dir_ / "shards", options);
    tests::WriteWordNet(dir_ / "wordnet");
    fs::current_path(dir_.path());
  }
  ~Outputs() override { fs::current_path("/"); }

  static bool IsFifo(const std::string& path) {
    struct stat status{};
    return lstat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  }
  tests::TempDir dir_;
};

const std::string kKeywords = "$AUFORGE keywords --root fear --wordnet wordnet ";

// Commands that write a text or a picture and take little time; OUT is where to.
const std::vector<std::string>& QuickWriters() {
  static const std::vector<std::string> commands{
      kKeywords + "-o OUT",
      "$AUFORGE export shards -q --format csv -o OUT",
      "$AUFORGE export shards -q --format jsonl -o OUT",
      "$AUFORGE query shards -q --jsonl OUT",
      "$AUFORGE query shards -q --limit 3 --sheet OUT",
      "$AUFORGE report shards -o OUT"};
  return commands;
}

std::string To(std::string command, const std::string& out) { return command.replace(command.find("OUT"), 3, out); }

TEST_F(Outputs, AFifoIsWrittenStraightAndStays) {
  ASSERT_EQ(mkfifo("pipe", 0600), 0);
  for (const std::string& command : QuickWriters()) {
    const auto outcome = InShell("cat pipe > got & " + To(command, "pipe") + "; code=$?; wait; exit $code");
    EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.text;
    EXPECT_GT(fs::file_size("got"), 10U) << command;
    EXPECT_TRUE(IsFifo("pipe")) << command;
    EXPECT_EQ(tests::LeftoversIn("."), "") << command;
  }
}

TEST_F(Outputs, ADeviceStaysADevice) {
  if (mknod("null", S_IFCHR | 0600, makedev(1, 3)) != 0) GTEST_SKIP() << "no right to make a device";
  if (access("null", W_OK) != 0 || InShell(": > null").code != 0) GTEST_SKIP() << "devices do not work here";
  for (const std::string& command : QuickWriters()) {
    EXPECT_EQ(InShell(To(command, "null")).code, 0) << command;
    struct stat status{};
    ASSERT_EQ(lstat("null", &status), 0);
    EXPECT_TRUE(S_ISCHR(status.st_mode)) << command;
  }
}

TEST_F(Outputs, ProcessSubstitutionAndStdoutByName) {
  const auto outcome = InShell(kKeywords + "-o >(gzip > words.gz) 2>/dev/null; wait $!; gunzip -c words.gz");
  EXPECT_THAT(outcome.text, StartsWith("fear\ta,\n"));
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    const auto mixed =
        InShell("(echo before; " + kKeywords + "-o " + name + " 2>/dev/null; echo after) > all; cat all");
    EXPECT_THAT(mixed.text, StartsWith("before\nfear\ta,\n")) << name;
    EXPECT_THAT(mixed.text, HasSubstr("\nafter\n")) << name;
  }
  EXPECT_EQ(InShell(kKeywords + "-o /proc/self/fd/0 < wordnet/data.noun").code, 2) << "is open for reading only";
}

TEST_F(Outputs, AnHdf5FileIsRefusedOnAPipeBeforeTheWork) {
  ASSERT_EQ(mkfifo("pipe", 0600), 0);
  for (const char* command : {"$AUFORGE calibrate --images nowhere -o pipe", "$AUFORGE train-au --data shards:nowhere -o pipe",
                              "$AUFORGE synth import-model nowhere -o pipe"}) {
    const auto outcome = InShell(command);
    EXPECT_EQ(outcome.code, 2) << command;
    EXPECT_THAT(outcome.text, HasSubstr("pipe: is a device or a pipe")) << command;
    EXPECT_TRUE(IsFifo("pipe"));
  }
}

TEST_F(Outputs, SymbolicLinksAreFollowed) {
  fs::create_directories("real/deep");
  tests::WriteText("real/old", "old");
  fs::create_symlink("real/old", "relative");
  fs::create_symlink("relative", "chain");
  fs::create_symlink("real/deep/new", "dangling");
  fs::create_symlink(fs::absolute("real/absolute"), "absolute");
  fs::create_symlink("real/deep", "folder");
  for (const auto& [link, target] : std::vector<std::pair<std::string, std::string>>{
           {"chain", "real/old"}, {"dangling", "real/deep/new"}, {"absolute", "real/absolute"}, {"folder/x", "real/deep/x"}}) {
    const auto outcome = InShell(kKeywords + "-o " + link);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_THAT(tests::ReadText(target), StartsWith("fear")) << link;
  }
  EXPECT_TRUE(fs::is_symlink("chain") && fs::is_symlink("relative") && fs::is_symlink("dangling"));
  EXPECT_EQ(tests::LeftoversIn("."), "");
  fs::create_symlink("b", "a");
  fs::create_symlink("a", "b");
  const auto loop = InShell(kKeywords + "-o a");
  EXPECT_EQ(loop.code, 2);
  EXPECT_THAT(loop.text, HasSubstr("a: is a loop of symbolic links"));
  fs::create_directories("disk");
  fs::create_symlink("disk", "link");
  EXPECT_EQ(InShell("$AUFORGE export shards -q --format webdataset -o link").code, 0);
  EXPECT_TRUE(fs::is_symlink("link") && fs::exists("disk/00000.tar"));
  fs::create_symlink("disk2", "link2");
  EXPECT_EQ(InShell("$AUFORGE export shards -q --format shards -o link2").code, 0);
  EXPECT_TRUE(fs::is_symlink("link2") && fs::exists("disk2/00000.h5"));
}

TEST_F(Outputs, AReplacedFileKeepsItsModeAndANewOneHasTheUsual) {
  tests::WriteText("private", "old");
  fs::permissions("private", fs::perms(0600));
  EXPECT_EQ(InShell("umask 022; " + kKeywords + "-o private; " + kKeywords + "-o new; umask 027; " + kKeywords + "-o group").code, 0);
  EXPECT_EQ(fs::status("private").permissions(), fs::perms(0600));
  EXPECT_EQ(fs::status("new").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status("group").permissions(), fs::perms(0640));
}

TEST_F(Outputs, ANameOfGreatestLengthIsWritten) {
  const std::string name(255, 'x');
  EXPECT_EQ(InShell(kKeywords + "-o " + name).code, 0);
  EXPECT_TRUE(fs::exists(name));
  const auto longer = InShell(kKeywords + "-o " + name + "x");
  EXPECT_EQ(longer.code, 2) << longer.text;
}

// The inputs do not exist: a command that looks at them first would name them.
TEST_F(Outputs, AreTriedBeforeTheWork) {
  fs::create_directories("folder");
  tests::WriteText("file", "x");
  std::vector<std::string> files{"keywords --wordnet nowhere -o OUT",
                                 "export nowhere --format csv -o OUT",
                                 "export nowhere --format jsonl -o OUT",
                                 "export nowhere --format openface -o OUT.csv",
                                 "query nowhere --jsonl OUT",
                                 "query nowhere --sheet OUT.png",
                                 "report nowhere -o OUT",
                                 "report nowhere -o r.html --sheet OUT.png",
                                 "eval-au --data shards:nowhere -o OUT",
                                 "eval-au --coherence nowhere --extremes OUT.png",
                                 "train-au --data shards:nowhere -o OUT",
                                 "train-au --data shards:nowhere -o m.h5 --table OUT",
                                 "train-au --data shards:nowhere -o m.h5 --compare OUT",
                                 "train-au --data shards:nowhere -o m.h5 --ablation OUT",
                                 "calibrate --images nowhere -o OUT",
                                 "synth import-model nowhere -o OUT",
                                 "synth sheet --face-model nowhere -o OUT.png"};
  std::vector<std::string> folders{"export nowhere --format openface -o OUT",   "export nowhere --format ganimation -o OUT",
                                   "export nowhere --format webdataset -o OUT", "export nowhere --format shards -o OUT",
                                   "query nowhere -o OUT",                      "synth faces --face-model nowhere -o OUT",
                                   "synth faces --face-model nowhere -o o --images OUT",
                                   "synth sheet --face-model nowhere --au all -o OUT"};
  // Those of auforge-gan, whose start costs half a second each, in tests/gan/commands_test.cc; one here as users call it.
  if (tests::HasGan()) files.emplace_back("gan edit nowhere.jpg --au AU12=1 -o OUT.png");
  const auto expect_usage = [](const std::string& command, const std::string& out) {
    const auto outcome = InShell("$AUFORGE " + To(command, out));
    EXPECT_EQ(outcome.code, 2) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(out)) << command;
    EXPECT_THAT(outcome.text, Not(HasSubstr("nowhere: "))) << command;
  };
  for (const std::string& command : files) {
    expect_usage(command, "missing/out");
    if (command.find("OUT.") == std::string::npos) expect_usage(command, "folder");
    expect_usage(command, "file/out");
  }
  for (const std::string& command : folders) {
    expect_usage(command, "file");
    expect_usage(command, "file/out");
  }
  EXPECT_FALSE(fs::exists("missing") || fs::exists("o") || fs::exists("m.h5"));
  EXPECT_EQ(tests::LeftoversIn("."), "");
}

TEST_F(Outputs, WhereNothingMayBeWrittenTheReasonIsNamedFirst) {
  // /proc takes no files, whoever asks.
  for (const std::string& command : QuickWriters()) {
    if (command.find("--sheet") != std::string::npos) continue;
    const auto outcome = InShell(To(command, "/proc/out"));
    EXPECT_THAT(outcome.code, testing::AnyOf(1, 2)) << command;
    EXPECT_THAT(outcome.text, HasSubstr("/proc/out: ")) << command;
  }
  if (geteuid() == 0) return;
  fs::create_directories("locked");
  fs::permissions("locked", fs::perms(0500));
  const auto locked = InShell(kKeywords + "-o locked/x");
  EXPECT_EQ(locked.code, 1);
  EXPECT_THAT(locked.text, HasSubstr("Permission denied"));
}

TEST_F(Outputs, PicturesAreWhatTheirNameSays) {
  const auto head = [](const std::string& path) { return tests::ReadText(path).substr(0, 12); };
  for (const auto& [name, magic] : std::vector<std::pair<std::string, std::string>>{
           {"x.png", "\x89PNG"}, {"x.jpg", "\xff\xd8\xff"}, {"x.JPEG", "\xff\xd8\xff"}, {"x.webp", "RIFF"}, {"x.bmp", "BM"}}) {
    for (const std::string command : {"query shards -q --limit 3 --sheet ", "report shards --sheet "}) {
      const auto outcome = InShell("$AUFORGE " + command + name);
      EXPECT_EQ(outcome.code, 0) << outcome.text;
      EXPECT_THAT(head(name), StartsWith(magic)) << name;
    }
  }
  EXPECT_EQ(InShell("$AUFORGE query shards -q --limit 3 --sheet x.tif").code, 0);
  EXPECT_THAT(head("x.tif"), testing::AnyOf(StartsWith("II"), StartsWith("MM")));
  for (const std::string name : {"x.mp4", "x", "x.gif", "x.svg", "x.png.", ".png"}) {
    const auto outcome = InShell("$AUFORGE query nowhere --sheet " + name);
    EXPECT_EQ(outcome.code, 2) << name << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("picture format")) << name;
    EXPECT_FALSE(fs::exists(name));
  }
}

// Everything that prints results, on a stdout that takes none.
std::vector<std::string> Printers() {
  std::vector<std::string> commands{"--help",
                                    "--version",
                                    "query --help",
                                    "query shards -q",
                                    "query shards -q --count",
                                    "query shards -q --list",
                                    "query shards -q --table aus",
                                    "query shards -q --json --table emotions",
                                    "query shards -q --jsonl -",
                                    "query shards -q -o chosen",
                                    "export shards -q --format csv -o -",
                                    "export shards -q --format jsonl -o lines.jsonl",
                                    "inspect shards",
                                    "inspect shards --json",
                                    "inspect $MODEL",
                                    "verify shards",
                                    "merge-stats shards",
                                    "merge-stats shards --json",
                                    "keywords --root fear --wordnet wordnet",
                                    "report shards -o report.html",
                                    "serve shards -q --port 0"};
  return commands;
}

TEST_F(Outputs, AFullStdoutIsAFailure) {
  for (const std::string& command : Printers()) {
    fs::remove_all("chosen");
    const auto outcome = InShell("timeout 20 $AUFORGE " + command + " 2>&1 >/dev/full");
    EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("the standard output cannot be written")) << command;
  }
}

TEST_F(Outputs, AClosedStdoutIsAFailureAndNoFileTakesItsPlace) {
  for (const std::string& command : Printers()) {
    fs::remove_all("chosen");
    const auto outcome = InShell("timeout 20 $AUFORGE " + command + " 2>err >&-; code=$?; cat err; exit $code");
    EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("the standard output cannot be written")) << command;
  }
  EXPECT_EQ(InShell("$AUFORGE verify shards; $AUFORGE query shards --count").code, 0);
  const auto all_closed = InShell("$AUFORGE export shards -q --format csv -o c.csv <&- >&- 2>&-");
  EXPECT_EQ(all_closed.code, 1);
  EXPECT_THAT(tests::ReadText("c.csv"), StartsWith("shard")) << "whole, and nothing else in it";
}

TEST_F(Outputs, ABrokenPipeIsQuiet) {
  // Killed by SIGPIPE where that is the custom, and the same exit status where the signal is ignored.
  for (const char* trap : {"", "trap '' PIPE; "}) {
    for (const std::string command : {"query shards -q --list", "export shards -q --format jsonl -o -", "keywords --root fear --wordnet wordnet"}) {
      const auto outcome = InShell(std::string(trap) + "set -o pipefail; { sleep 0; $AUFORGE " + command +
                                   "; echo $? > code; } 2>err | true; cat err code");
      EXPECT_THAT(outcome.text, Not(HasSubstr("cannot be written"))) << trap << command;
      EXPECT_THAT(tests::ReadText("code"), testing::AnyOf("141\n", "0\n")) << trap << command;
    }
  }
}

}  // namespace
}  // namespace auforge::tools
