// A crawl that wants to do harm: every format and every fault, as a folder and as archives. No crash, every
// file accounted for exactly once with the right status, memory and time bounded.
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "datasets/shard.h"
#include "tests/scale/nasty_files.h"
#include "tests/scale/process.h"
#include "tests/support/picture_files.h"
#include "tests/support/sanitizer.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tests::NastyFile;

constexpr const char* kMostBytes = "10000000";
// One picture of 100 megapixels at a time, and all else.
constexpr long kMostKilobytes = 900'000;
// With the address sanitizer: a quarter more for shadow and zones, and what it keeps from reuse.
constexpr long kMostResident = tests::kSanitized ? kMostKilobytes * 5 / 4 + 256'000 : kMostKilobytes;

class NastyCrawl : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
    photo_ = cv::imread(std::string(folder) + "/2008_002506.jpg");
    ASSERT_FALSE(photo_.empty());
  }

  tests::ProcessEnd Annotate(std::vector<std::string> inputs) {
    std::vector<std::string> command{AUFORGE_PROGRAM, "annotate",    "-o",      dir_ / "out", "-j", "2", "-q",
                                     "--json",        "--max-bytes", kMostBytes};
    command.insert(command.begin() + 2, inputs.begin(), inputs.end());
    return tests::RunProcess(command, dir_ / "log");
  }

  // Status by key over all shards; fails when a key comes twice.
  std::map<std::string, std::string> Statuses() {
    std::map<std::string, std::string> statuses;
    for (const std::string& path : datasets::FindShards({dir_ / "out"})) {
      EXPECT_TRUE(datasets::VerifyShard(path).empty()) << path;
      const datasets::ShardReader shard(path);
      for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
        const auto& sample = shard.Sample(i);
        EXPECT_TRUE(statuses.emplace(sample.key, datasets::OutcomeName(sample.status)).second)
            << sample.key << " twice";
      }
    }
    return statuses;
  }

  // Keys and statuses of the error logs.
  std::map<std::string, std::string> Errors() {
    std::map<std::string, std::string> errors;
    for (const auto& entry : fs::directory_iterator(dir_ / "out")) {
      if (!entry.path().string().ends_with("_errors.jsonl")) continue;
      std::istringstream lines(tests::ReadText(entry.path().string()));
      for (std::string line; std::getline(lines, line);) {
        const json error = json::parse(line);
        for (const char* field : {"key", "url", "stage", "status", "message"})
          EXPECT_TRUE(error.contains(field)) << line;
        EXPECT_FALSE(error.at("message").get<std::string>().empty()) << line;
        errors[error.at("key")] = error.at("status");
      }
    }
    return errors;
  }

  cv::Mat photo_;
  tests::TempDir dir_;
};

TEST_F(NastyCrawl, EveryFileOfAFolderGetsItsStatus) {
  const std::vector<NastyFile> files = tests::NastyFiles(photo_);
  EXPECT_GE(files.size(), 200U);
  fs::create_directories(dir_ / "in");
  fs::create_directories(dir_ / "in/sub");
  for (const NastyFile& file : files)
    tests::WriteText((fs::path(dir_ / "in") / file.name).string(), file.content);
  // What is no picture, by its content or because it lies beside one, is counted and has no row.
  fs::create_directories(dir_ / "in/@eaDir");
  const std::pair<const char*, std::string> others[] = {{"README", "about this crawl"},
                                                        {"stats.json", "{}"},
                                                        {"00000.parquet", "PAR1"},
                                                        {"Thumbs.db", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"},
                                                        {"._whole-colour.jpg", tests::AppleDouble()},
                                                        {".DS_Store", std::string("\0\0\0\1Bud1", 8)},
                                                        {"clip.mp4", tests::MediaFile("isom")},
                                                        {"whole-colour.txt", "caf\xE9"},
                                                        {"whole-colour.json", R"({"url": "http://x/", "nsfw": NaN})"},
                                                        {"whole-grey.jpg.json", "{\"url\": \"http://y/"},
                                                        {"@eaDir/thumbnail.jpg", "\xFF\xD8\xFF"}};
  for (const auto& [name, content] : others) tests::WriteText((fs::path(dir_ / "in") / name).string(), content);
  // What is no file at all is no input; links in circles end; what cannot be read is a row.
  fs::create_directories(dir_ / "in/folder.jpg");
  fs::create_symlink("..", fs::path(dir_ / "in") / "up");
  fs::create_symlink(".", fs::path(dir_ / "in") / "again");
  fs::create_symlink("/nowhere", fs::path(dir_ / "in") / "dangling.jpg");
  fs::create_symlink("circle", fs::path(dir_ / "in") / "circle");
  mkfifo((dir_ / "in/pipe.jpg").c_str(), 0644);

  const tests::ProcessEnd end = Annotate({dir_ / "in"});
  ASSERT_EQ(end.code, 0) << tests::ReadText(dir_ / "log");
  EXPECT_LT(end.peak_kilobytes, kMostResident);
  std::printf("%zu files: %.1f s, peak %ld MB\n", files.size(), end.seconds, end.peak_kilobytes / 1000);
  const auto statuses = Statuses();
  const auto errors = Errors();
  EXPECT_EQ(statuses.size(), files.size() + 2);
  for (const char* unreadable : {"dangling.jpg", "circle"}) EXPECT_EQ(statuses.at(unreadable), "unreadable");
  // What is left out is said on stderr, before the summary.
  const std::string log = tests::ReadText(dir_ / "log");
  const json summary = json::parse(log.substr(log.find('{')));
  EXPECT_EQ(summary.at("left_out"), (json{{"text", 1}, {"JSON", 1}, {"Parquet", 1}, {"Thumbs.db or Office", 1}, {"macOS", 2}, {"video", 1},
                                          {"folder of thumbnails or attributes", 1}, {"link to a folder above", 1}, {"pipe, socket or device", 1}}));
  EXPECT_EQ(summary.at("metadata"), (json{{"read", 7}, {"damaged", 1}, {"without_image", 0}}));
  for (const NastyFile& file : files) {
    ASSERT_TRUE(statuses.contains(file.name)) << file.name << " is not accounted for";
    const std::string& status = statuses.at(file.name);
    EXPECT_TRUE(file.may_be.contains(status)) << file.name << " is " << status;
    EXPECT_EQ(errors.contains(file.name), status != "ok") << file.name;
    if (status != "ok") {
      EXPECT_EQ(errors.at(file.name), status);
    }
  }
}

TEST_F(NastyCrawl, ListsNameWhatIsNotThere) {
  tests::WriteText(dir_ / "a.jpg", tests::EncodeAs(photo_, ".jpg"));
  mkfifo((dir_ / "pipe.jpg").c_str(), 0644);
  fs::create_symlink(dir_ / "loop.jpg", dir_ / "loop.jpg");
  tests::WriteText(dir_ / "list", (dir_ / "a.jpg") + "\n" + (dir_ / "pipe.jpg") + "\n" + (dir_ / "loop.jpg") +
                                      "\n/dev/zero\n/nowhere.jpg\n" + std::string(5000, 'x') +
                                      "\n/proc/self/mem\n");
  const tests::ProcessEnd end = Annotate({"@" + (dir_ / "list")});
  ASSERT_EQ(end.code, 0) << tests::ReadText(dir_ / "log");
  const auto statuses = Statuses();
  EXPECT_EQ(statuses.size(), 7U);
  EXPECT_EQ(statuses.at(dir_ / "a.jpg"), "ok");
  EXPECT_EQ(statuses.at(dir_ / "pipe.jpg"), "unreadable");
  EXPECT_EQ(statuses.at("/dev/zero"), "unreadable");
  EXPECT_EQ(statuses.at("/nowhere.jpg"), "unreadable");
}

struct ArchiveMember {
  std::string name, content;
  std::int64_t hole = 0;  // zeros in front of the content
  bool is_sparse = true;  // which are left out
};

void WriteArchive(const std::string& path, int filter, const std::vector<ArchiveMember>& members) {
  archive* out = archive_write_new();
  archive_write_set_format_pax(out);
  archive_write_add_filter(out, filter);
  ASSERT_EQ(archive_write_open_filename(out, path.c_str()), ARCHIVE_OK);
  for (const ArchiveMember& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_size(entry, member.hole + static_cast<la_int64_t>(member.content.size()));
    if (member.hole > 0 && member.is_sparse)
      archive_entry_sparse_add_entry(entry, member.hole, static_cast<la_int64_t>(member.content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(out, entry);
    if (member.hole > 0) {
      // The writer wants the zeros, too, and leaves them out.
      const std::string zeros(1 << 20, '\0');
      for (std::int64_t left = member.hole; left > 0; left -= static_cast<std::int64_t>(zeros.size())) {
        archive_write_data(out, zeros.data(),
                           static_cast<std::size_t>(std::min<std::int64_t>(left, 1 << 20)));
      }
    }
    archive_write_data(out, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

TEST_F(NastyCrawl, ArchivesOfEveryKind) {
  const std::string photo = tests::EncodeAs(photo_, ".jpg");
  const auto member = [&photo](const std::string& name) { return ArchiveMember{name, photo}; };
  const std::vector<ArchiveMember> sample{
      {"000.jpg", photo},
      {"000.txt", "a caption"},
      {"000.json", R"({"url": "http://x/0", "license": "CC BY 4.0", "caption": "not this one"})"},
      {"001.png", "no picture"}};
  WriteArchive(dir_ / "plain.tar", ARCHIVE_FILTER_NONE, sample);
  WriteArchive(dir_ / "gzip.tar.gz", ARCHIVE_FILTER_GZIP, sample);
  WriteArchive(dir_ / "zstd.tar.zst", ARCHIVE_FILTER_ZSTD, sample);
  const std::string whole = tests::ReadText(dir_ / "plain.tar");
  tests::WriteText(dir_ / "twice.tar", whole + whole);
  tests::WriteText(dir_ / "cut.tar", whole.substr(0, photo.size() / 2));
  const std::string packed = tests::ReadText(dir_ / "gzip.tar.gz");
  tests::WriteText(dir_ / "cut.tar.gz", packed.substr(0, packed.size() / 2));
  tests::WriteText(dir_ / "noise.tar", tests::EncodeAs(photo_, ".png"));
  tests::WriteText(dir_ / "nothing.tar", "");
  const std::string long_name = "folder/" + std::string(400, 'n');
  WriteArchive(dir_ / "names.tar", ARCHIVE_FILTER_NONE,
               {member("../../etc/passwd.jpg"),
                member("/absolute/a.jpg"),
                member("grüße/日本.jpg"),
                member(long_name + ".jpg"),
                member("same.jpg"),
                member("between.jpg"),
                member("same.jpg"),
                member("no ending"),
                member("__meta__.jpg"),
                {"other.jpg", photo},
                {"other.json", std::string(200'000, '[')},
                {"last.jpg", photo},
                {"last.json", "{\"url\": 5}"}});
  // A terabyte of zeros would be one thing; 200 MB make the point.
  WriteArchive(dir_ / "sparse.tar", ARCHIVE_FILTER_NONE,
               {{"hole.jpg", "end", 200 << 20}, member("after.jpg"), {"small-hole.jpg", photo, 4096}});
  WriteArchive(dir_ / "bomb.tar.gz", ARCHIVE_FILTER_GZIP,
               {member("before.jpg"), {"bomb.bin", "x", 600 << 20, false}, member("after.jpg")});

  std::vector<std::string> inputs;
  for (const char* name : {"plain.tar", "gzip.tar.gz", "zstd.tar.zst", "twice.tar", "cut.tar", "cut.tar.gz",
                           "noise.tar", "nothing.tar", "names.tar", "sparse.tar", "bomb.tar.gz"}) {
    inputs.push_back(dir_ / name);
  }
  const tests::ProcessEnd end = Annotate(inputs);
  ASSERT_EQ(end.code, 0) << tests::ReadText(dir_ / "log");
  EXPECT_LT(end.peak_kilobytes, kMostResident);
  std::printf("%zu archives: %.1f s, peak %ld MB\n", inputs.size(), end.seconds, end.peak_kilobytes / 1000);

  const auto shards = datasets::FindShards({dir_ / "out"});
  ASSERT_EQ(shards.size(), inputs.size());
  using Statuses = std::vector<std::pair<std::string, std::string>>;
  const auto statuses = [&shards](std::size_t i) {
    EXPECT_TRUE(datasets::VerifyShard(shards[i]).empty()) << shards[i];
    const datasets::ShardReader shard(shards[i]);
    Statuses all;
    for (std::size_t k = 0; k < shard.SampleCount(); ++k) {
      all.emplace_back(shard.Sample(k).key, datasets::OutcomeName(shard.Sample(k).status));
    }
    return all;
  };
  const Statuses expected{{"000", "ok"}, {"001", "undecodable"}};
  for (const std::size_t i : {0U, 1U, 2U}) {
    EXPECT_EQ(statuses(i), expected) << inputs[i];
    const datasets::ShardReader shard(shards[i]);
    EXPECT_EQ(shard.Sample(0).keywords, "a caption");
    EXPECT_EQ(shard.Sample(0).url, "http://x/0");
    EXPECT_EQ(shard.ExtraText("/samples/licence").value().values.at(0), "CC BY 4.0");
  }
  EXPECT_EQ(statuses(3),
            (Statuses{{"000", "ok"}, {"001", "undecodable"}, {"000#2", "ok"}, {"001#2", "undecodable"}}));
  EXPECT_EQ(statuses(4), (Statuses{{"000", "unreadable"}, {"__archive__", "unreadable"}}));
  EXPECT_EQ(statuses(5).back(), (std::pair<std::string, std::string>{"__archive__", "unreadable"}));
  EXPECT_EQ(statuses(6), (Statuses{{"__archive__", "unreadable"}}));
  EXPECT_TRUE(statuses(7).empty());
  EXPECT_EQ(statuses(8), (Statuses{{"../../etc/passwd", "ok"},
                                   {"/absolute/a", "ok"},
                                   {"grüße/日本", "ok"},
                                   {long_name, "ok"},
                                   {"same", "ok"},
                                   {"between", "ok"},
                                   {"same#2", "ok"},
                                   {"no ending", "ok"},
                                   {"other", "ok"},
                                   {"last", "ok"}}));
  EXPECT_FALSE(fs::exists(dir_.path().parent_path() / "etc/passwd.jpg"));
  EXPECT_EQ(statuses(9), (Statuses{{"hole", "too_large"}, {"after", "ok"}, {"small-hole", "undecodable"}}));
  EXPECT_EQ(statuses(10), (Statuses{{"before", "ok"}, {"__archive__", "unreadable"}}));
}

}  // namespace
}  // namespace auforge
