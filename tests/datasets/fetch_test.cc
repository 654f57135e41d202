// Inputs that a command fetches: what is quoted how, what counts as whole, and that nothing of a command outlives its reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "datasets/address.h"
#include "datasets/image_source.h"
#include "datasets/internal/fetch_stream.h"
#include "datasets/internal/tar_reader.h"
#include "tests/support/picture_files.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

FetchOptions Command(const std::string& command) { return {.command = command, .seconds = 60, .stop = {}}; }

std::string ReadAll(FetchStream& stream) {
  std::string all;
  std::vector<std::uint8_t> piece(10000);
  while (const std::size_t got = stream.Read(piece)) all.append(reinterpret_cast<const char*>(piece.data()), got);
  return all;
}

std::string FaultOf(const std::string& command) {
  FetchStream stream("x://a", Command(command));
  ReadAll(stream);
  return stream.Fault();
}

bool HasChildren() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

// Processes of a group that are still there.
bool IsAlive(const std::string& pid_file) {
  const pid_t pid = std::stoi(tests::ReadText(pid_file));
  for (int i = 0; i < 200; ++i) {
    // A grandchild is reaped by whoever adopts it, which takes a moment.
    if (kill(pid, 0) != 0 || tests::RunCommand("ps -o stat= -p " + std::to_string(pid)).text.starts_with("Z")) return false;
  }
  return true;
}

TEST(Address, IsOneByItsScheme) {
  for (const char* address : {"https://host/a.tar", "s3://bucket/x", "gs+v2://b", "x://y"}) EXPECT_TRUE(IsAddress(address)) << address;
  for (const char* path : {"a.tar", "://x", "https://", "1x://y", "a b://c", "./https://x", "C:\\a", "http:/x"})
    EXPECT_FALSE(IsAddress(path)) << path;
  EXPECT_EQ(AddressName("https://h/a.tar?sign=b.jpg#c"), "https://h/a.tar");
}

TEST(FetchScript, TheAddressIsNeverReadAsShell) {
  const std::string variable = "\"$AUFORGE_ADDRESS\"";
  EXPECT_EQ(FetchScript("curl -s {}"), "curl -s " + variable);
  EXPECT_EQ(FetchScript("curl -s '{}' -H 'A: b'"), "curl -s " + variable + " -H 'A: b'");
  EXPECT_EQ(FetchScript("curl \"{}\" | cat \"a\\\"b\" \\{}"), "curl " + variable + " | cat \"a\\\"b\" \\{}");
  EXPECT_EQ(FetchScript("x={} {}"), "x=" + variable + " " + variable);
  EXPECT_EQ(FetchScript("sh -c 'curl \"$AUFORGE_ADDRESS\"'"), "sh -c 'curl \"$AUFORGE_ADDRESS\"'");
  for (const char* bad : {"curl -s", "sh -c 'curl {}'", "sh -c \"curl {}\"", "echo '{}", "echo \"{}", "echo 'a'{}'"})
    EXPECT_THROW(FetchScript(bad), std::invalid_argument) << bad;
}

TEST(FetchStream, HandsOverWhateverIsInAnAddress) {
  const tests::TempDir dir;
  const std::string trap = dir / "trap";
  for (const std::string& address :
       std::vector<std::string>{"x://a'b\"c$HOME`date`", "x://'; touch " + trap + "; '", "x://$(touch " + trap + ")", "x://a b  c*", "x://\\n%s\xFF"}) {
    for (const char* command : {"printf %s {}", "printf %s '{}'", "printf %s \"{}\"", "sh -c 'printf %s \"$AUFORGE_ADDRESS\"'"}) {
      FetchStream stream(address, Command(command));
      EXPECT_EQ(ReadAll(stream), address) << command;
      EXPECT_EQ(stream.Fault(), "");
    }
  }
  EXPECT_FALSE(std::filesystem::exists(trap));
  EXPECT_FALSE(HasChildren());
}

TEST(FetchStream, ACommandThatFailsSaysWhy) {
  EXPECT_EQ(FaultOf("echo half; echo {} first >&2; printf 'curl: (22) not found\\n\\n' >&2; exit 22"),
            "x://a: the command of --fetch ended with status 22: curl: (22) not found");
  EXPECT_EQ(FaultOf("printf '10%%\\r100%%\\r  \\033[31mlast\\033[0m' >&2; exit 1; {}"),
            "x://a: the command of --fetch ended with status 1: [31mlast[0m");
  EXPECT_EQ(FaultOf("echo {}; kill -9 $$"), "x://a: the command of --fetch was ended by signal 9");
  EXPECT_THAT(FaultOf("no-such-program {}"), AllOf(StartsWith("x://a: the command of --fetch ended with status 127: "), HasSubstr("no-such-program")));
  const std::string longest = FaultOf("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1; {}");
  EXPECT_THAT(longest, EndsWith("x…"));
  EXPECT_LT(longest.size(), 400U);
  EXPECT_EQ(FaultOf("echo {} fine >&2"), "");
  EXPECT_FALSE(HasChildren());
}

TEST(FetchStream, IsToldOfAFailureThoughChildrenAreIgnored) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  EXPECT_THAT(FaultOf("echo {}; exit 3"), HasSubstr("status 3"));
  std::signal(SIGCHLD, before);
}

TEST(FetchStream, StderrOfAnyLengthHoldsNothingUp) {
  FetchStream stream("x://a", Command("head -c 3000000 /dev/zero >&2; printf %s {}; head -c 3000000 /dev/zero >&2"));
  EXPECT_EQ(ReadAll(stream), "x://a");
  EXPECT_EQ(stream.Fault(), "");
}

TEST(FetchStream, WhoeverStopsReadingEndsAllOfTheCommand) {
  const tests::TempDir dir;
  // Runs for ever, ignores SIGTERM, and so does its child.
  const std::string command = "trap '' TERM; sh -c 'echo $$ > " + (dir / "child") + "; trap \"\" TERM; yes' & echo $$ > " + (dir / "shell") +
                              "; wait; echo {}";
  {
    FetchStream stream("x://a", Command(command));
    std::vector<std::uint8_t> piece(100);
    EXPECT_GT(stream.Read(piece), 0U);
  }
  EXPECT_FALSE(IsAlive(dir / "shell"));
  EXPECT_FALSE(IsAlive(dir / "child"));
  EXPECT_FALSE(HasChildren());
  // Nothing was asked of it: it was never started.
  { FetchStream unread("x://a", Command("touch " + (dir / "started") + " {}")); }
  EXPECT_FALSE(std::filesystem::exists(dir / "started"));
}

TEST(FetchStream, SilenceAndAStopEndIt) {
  const auto start = std::chrono::steady_clock::now();
  FetchOptions silent = Command(": {}; sleep 1000");
  silent.seconds = 1;
  FetchStream stream("x://a", silent);
  EXPECT_EQ(ReadAll(stream), "");
  EXPECT_EQ(stream.Fault(), "x://a: the command of --fetch gave nothing for 1 s");
  FetchOptions open = Command(": {}; exec sleep 1000 >&-");  // its output has ended, it has not
  open.seconds = 1;
  FetchStream lingering("x://a", open);
  EXPECT_EQ(ReadAll(lingering), "");
  EXPECT_THAT(lingering.Fault(), HasSubstr("had not ended 1 s after its last byte"));
  FetchOptions stopped = Command(": {}; sleep 1000");
  stopped.stop = [] { return true; };
  FetchStream halted("x://a", stopped);
  EXPECT_EQ(ReadAll(halted), "");
  EXPECT_NE(halted.Fault(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_FALSE(HasChildren());
}

struct Fetched {
  std::vector<ImageItem> items;
  std::string fault;
  SideNotes notes;
};

Fetched ReadTar(const std::string& command) {
  const auto reader = FetchTar("x://t.tar", Command(command), 1 << 20);
  Fetched fetched;
  for (ImageItem item; reader->Next(item); item = {}) fetched.items.push_back(item);
  fetched.fault = reader->Fault();
  fetched.notes = reader->Notes();
  return fetched;
}

TEST(FetchTar, IsReadLikeAFile) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "t.tar", {{"a.txt", "before"},
                                  {"b.jpg", "bytes of b"},
                                  {"b.json", R"({"url": "http://b", "license": "CC0"})"},
                                  {"a.jpg", "bytes of a"},
                                  {"link.jpg", "", "b.jpg"},
                                  {"b.txt", "too late"}});
  tests::RunCommand("gzip -k " + (dir / "t.tar"));
  for (const std::string& command : {"cat " + (dir / "t.tar") + " # {}", "cat " + (dir / "t.tar.gz") + " # {}"}) {
    const Fetched fetched = ReadTar(command);
    EXPECT_EQ(fetched.fault, "");
    ASSERT_EQ(fetched.items.size(), 3U);
    EXPECT_EQ(fetched.items[0].key, "b");
    EXPECT_EQ(fetched.items[0].url, "http://b");
    EXPECT_EQ(fetched.items[0].licence, "CC0");
    EXPECT_EQ(fetched.items[1].keywords, "before");
    EXPECT_EQ(fetched.items[1].path, "x://t.tar:a.jpg");
    EXPECT_EQ(fetched.items[2].key, "link");
    EXPECT_EQ(fetched.items[2].bytes, fetched.items[0].bytes);
    EXPECT_EQ(fetched.notes.metadata, 3U);
  }
}

TEST(FetchTar, CutAnywhereItIsNotWhole) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "t.tar", {{"a.jpg", std::string(700, 'a')}, {"b.jpg", std::string(3000, 'b')}});
  const std::string whole = tests::ReadText(dir / "t.tar");
  const std::size_t end = whole.find_last_not_of('\0') + 1;
  const std::size_t marker = (end + 511) / 512 * 512;
  ASSERT_LE(marker + 1024, whole.size());
  for (std::size_t cut = 0; cut <= whole.size(); cut += 256) {
    const Fetched fetched = ReadTar("head -c " + std::to_string(cut) + " " + (dir / "t.tar") + " # {}");
    if (cut < marker + 512) {
      EXPECT_NE(fetched.fault, "") << cut;
    }
    for (const ImageItem& item : fetched.items) EXPECT_NE(item.key, "__archive__");
  }
  EXPECT_EQ(ReadTar("cat " + (dir / "t.tar") + " # {}").fault, "");
  // The command knows it, although all bytes came.
  EXPECT_THAT(ReadTar("cat " + (dir / "t.tar") + "; echo {} lost >&2; exit 18").fault, HasSubstr("status 18: x://t.tar lost"));
  tests::RunCommand("cd " + dir.path().string() + " && gzip -k t.tar && zstd -q -k t.tar");
  for (const char* packed : {"t.tar.gz", "t.tar.zst"}) {
    if (!std::filesystem::exists(dir / packed)) continue;
    const std::size_t size = std::filesystem::file_size(dir / packed);
    for (std::size_t cut = 0; cut < size; cut += 1 + size / 20)
      EXPECT_NE(ReadTar("head -c " + std::to_string(cut) + " " + (dir / packed) + " # {}").fault, "") << packed << cut;
    EXPECT_EQ(ReadTar("cat " + (dir / packed) + " # {}").fault, "");
    // Packed after it was cut between two members.
  }
  // Packed after it was cut between two members.
  EXPECT_THAT(ReadTar("head -c " + std::to_string(marker) + " " + (dir / "t.tar") + " | gzip # {}").fault, HasSubstr("without an archive's end"));
  EXPECT_FALSE(HasChildren());
}

TEST(FetchTar, WhatIsNoArchiveSaysWhatItIs) {
  EXPECT_THAT(ReadTar("echo '<!DOCTYPE html><html><body>404</body></html>' # {}").fault, AllOf(StartsWith("x://t.tar: is no archive but HTML"), HasSubstr("curl -sf")));
  EXPECT_THAT(ReadTar("true {}").fault, StartsWith("x://t.tar: the command of --fetch gave nothing; "));
  EXPECT_THAT(ReadTar("head -c 5000 /dev/urandom; echo {} >&2; exit 7").fault, HasSubstr("status 7"));
}

TEST(FetchTar, AReaderThatLeavesEarlyEndsTheCommand) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "t.tar", {{"a.jpg", "aaa"}, {"b.jpg", "bbb"}});
  {
    const auto reader = FetchTar("x://t.tar", Command("echo $$ > " + (dir / "pid") + "; cat " + (dir / "t.tar") + "; sleep 1000; : {}"), 1 << 20);
    ImageItem item;
    EXPECT_TRUE(reader->Next(item));
  }
  EXPECT_FALSE(IsAlive(dir / "pid"));
}

TEST(FetchSource, AddressesArePlannedByTheirNames) {
  const tests::TempDir dir;
  const auto plan = [](const std::vector<std::string>& inputs, const std::string& command) {
    return ImageSource::Plan(inputs, {.fetch = Command(command)});
  };
  const ImageSource tars = plan({"https://h/{08..10}.tar?sign=a/b"}, "cat {}");
  ASSERT_EQ(tars.Shards().size(), 3U);
  EXPECT_EQ(tars.Shards()[2].name, "https://h/10.tar?sign=a/b");
  EXPECT_EQ(tars.Files(tars.Shards()[2]), std::vector<std::string>{"https://h/10.tar?sign=a/b"});
  try {
    ImageSource::Plan({"https://h/0.tar"}, {});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("https://h/0.tar"), HasSubstr("--fetch")));
  }
  EXPECT_THROW(plan({"s3://bucket/folder/"}, "cat {}"), std::invalid_argument);
  EXPECT_THROW(plan({"s3://bucket/a.mp4"}, "cat {}"), std::invalid_argument);
  EXPECT_THROW(plan({"s3://bucket/a.tar"}, "cat"), std::invalid_argument);
}

TEST(FetchSource, PicturesOfAListAreRowsAndHolesStayHoles) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "bytes of a");
  tests::WriteText(dir / "list.txt", "x://a.jpg\nx://gone.jpg\n" + (dir / "a.jpg") + "\nx://big.jpg\n");
  const std::string command = "case {} in *gone*) echo 404 >&2; exit 22;; *big*) head -c 2000 /dev/zero;; *) cat " + (dir / "a.jpg") + ";; esac";
  const ImageSource source = ImageSource::Plan({"@" + (dir / "list.txt")}, {.max_bytes = 1000, .fetch = Command(command)});
  ASSERT_EQ(source.Shards().size(), 1U);
  const auto reader = source.Open(source.Shards()[0]);
  std::map<std::string, ImageItem> items;
  for (ImageItem item; reader->Next(item); item = {}) items[item.key] = item;
  EXPECT_EQ(reader->Fault(), "");
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items["x://a.jpg"].bytes, items[dir / "a.jpg"].bytes);
  EXPECT_EQ(items["x://a.jpg"].url, "x://a.jpg");
  EXPECT_EQ(items["x://gone.jpg"].status, Outcome::kUnreadable);
  EXPECT_THAT(items["x://gone.jpg"].message, EndsWith("status 22: 404"));
  EXPECT_EQ(items["x://big.jpg"].status, Outcome::kTooLarge);
  // All of them: not a list full of holes but a network that is down.
  tests::WriteText(dir / "list.txt", "x://gone.jpg\nx://gone2.jpg\n");
  const ImageSource gone = ImageSource::Plan({"@" + (dir / "list.txt")}, {.fetch = Command(command)});
  const auto none = gone.Open(gone.Shards()[0]);
  for (ImageItem item; none->Next(item); item = {}) EXPECT_EQ(item.status, Outcome::kUnreadable);
  EXPECT_THAT(none->Fault(), AllOf(HasSubstr("none of 2 addresses"), HasSubstr("404")));
}

}  // namespace
}  // namespace auforge::datasets
