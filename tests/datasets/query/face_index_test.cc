// The index is a cache: whatever happens to it or to the shards, it ends up saying what the shards say.
#include "datasets/query/face_index.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "datasets/query/search.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

namespace fs = std::filesystem;

const char* const kWhere = "AU12>=2 | keyword:joy | emotion:happy";

void ExpectFresh(const FaceIndex& index, const std::string& folder) {
  EXPECT_EQ(Find(index, ParseExpression(kWhere)).Count(),
            tests::Scan(folder, ParseExpression(kWhere)).size());
  EXPECT_EQ(index.FaceCount(), tests::Scan(folder, {}).size());
}

std::size_t ShardsIndexed(const std::string& folder, IndexOptions options = {}) {
  std::size_t indexed = 0;
  options.progress = [&indexed](std::size_t done, std::size_t, std::uint64_t) { indexed = done; };
  const FaceIndex index(folder, options);
  ExpectFresh(index, folder);
  return indexed;
}

IndexOptions Rebuilding() {
  IndexOptions options;
  options.rebuild = true;
  return options;
}
IndexOptions KeptIn(const std::string& file) {
  IndexOptions options;
  options.file = file;
  return options;
}

TEST(FaceIndex, IsBuiltOnceAndThenOnlyAddedTo) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  EXPECT_TRUE(fs::exists(dir / "auforge-index.sqlite"));
  EXPECT_EQ(ShardsIndexed(folder), 0U);
  tests::CrawlOptions more;
  more.first = 3;
  more.shards = 2;
  tests::WriteCrawl(folder, more);
  EXPECT_EQ(ShardsIndexed(folder), 2U);
  EXPECT_EQ(ShardsIndexed(folder, Rebuilding()), 5U);
}

TEST(FaceIndex, FollowsShardsThatChangeOrGo) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  fs::remove(dir / "00001.h5");
  EXPECT_EQ(ShardsIndexed(folder), 0U);
  tests::CrawlOptions other;
  other.seed = 9;
  other.images = 25;
  other.shards = 1;
  tests::WriteCrawl(folder, other);  // another 00000
  EXPECT_EQ(ShardsIndexed(folder), 1U);
  other = {};
  other.shards = 1;
  other.first = 1;
  tests::WriteCrawl(folder, other);
  EXPECT_EQ(ShardsIndexed(folder), 1U);
}

TEST(FaceIndex, DamagedShardsAreNamedAndLeftOut) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  const std::string whole = tests::ReadText(dir / "00001.h5");
  tests::WriteText(dir / "00001.h5", whole.substr(0, whole.size() / 2));
  {
    const FaceIndex index(folder, {});
    ASSERT_EQ(index.left_out().size(), 1U);
    EXPECT_NE(index.left_out()[0].fault.find("00001.h5"), std::string::npos) << index.left_out()[0].fault;
    EXPECT_TRUE(index.left_out()[0].is_damaged);
    EXPECT_EQ(index.shards().size(), 2U);
    EXPECT_GT(Find(index, ParseExpression(kWhere)).Count(), 0U);
  }
  tests::WriteText(dir / "00001.h5", whole);
  EXPECT_EQ(ShardsIndexed(folder), 1U) << "a mended shard is indexed";
}

TEST(FaceIndex, WhatCannotBeReadIsNotCalledDamagedAndIsTriedAgain) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  fs::rename(dir / "00001.h5", dir / "sound");
  fs::create_directory(dir / "00001.h5");  // cannot be read as a file, whoever runs the test
  for (int round = 0; round < 2; ++round) {
    const FaceIndex index(folder, {});
    EXPECT_EQ(index.shards().size(), 2U);
    ASSERT_EQ(index.left_out().size(), 1U);
    EXPECT_FALSE(index.left_out()[0].is_damaged);
    EXPECT_NE(index.left_out()[0].fault.find("00001.h5: is a folder"), std::string::npos)
        << index.left_out()[0].fault;
  }
  fs::remove(dir / "00001.h5");
  fs::rename(dir / "sound", dir / "00001.h5");
  EXPECT_EQ(ShardsIndexed(folder), 1U);
}

TEST(FaceIndex, AShardOfTheSameSizeAndTimeIsReadAgainWhenItsInodeChanged) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  const auto time = fs::last_write_time(dir / "00001.h5");
  fs::copy_file(dir / "00001.h5", dir / "copy");
  fs::last_write_time(dir / "copy", time);
  fs::rename(dir / "copy", dir / "00001.h5");
  EXPECT_EQ(ShardsIndexed(folder), 1U);
}

// Chinese, Japanese, Korean, Thai: any letters of a sentence, from one on, and not those of another order.
TEST(FaceIndex, KeywordsOfScriptsWithoutSpaces) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  {
    ShardWriter writer(folder, 0, tests::CrawlHeader({}));
    for (const char* caption :
         {"一个女孩的笑脸", "悲しい顔の男", "행복한 사람들", "ใบหน้ายิ้ม", "我爱iPhone手机", "a joyful face", "面笑"}) {
      SampleRecord sample;
      sample.key = sample.keywords = caption;
      FaceRecord face;
      face.image = {0xFF, 0xD8, 0xFF, 0xD9};
      face.aus.intensity.assign(tests::CrawlOptions{}.aus.size(), 0);
      face.aus.probability = face.aus.intensity;
      face.aus.present.assign(face.aus.intensity.size(), 0);
      face.box = {0, 0, 10, 10};
      face.sample = writer.AddSample(sample);
      writer.AddFace(std::move(face));
    }
    writer.Finish();
  }
  const FaceIndex index(folder, {});
  const auto count = [&index](const std::string& words) {
    Expression term;
    term.kind = Expression::Kind::kKeyword;
    term.text = words;
    return Find(index, term).Count();
  };
  EXPECT_EQ(count("笑"), 2U);
  EXPECT_EQ(count("笑脸"), 1U);
  EXPECT_EQ(count("女孩的笑"), 1U);
  EXPECT_EQ(count("脸笑"), 0U);
  EXPECT_EQ(count("悲しい"), 1U);
  EXPECT_EQ(count("顔"), 1U);
  EXPECT_EQ(count("행복"), 1U);
  EXPECT_EQ(count("ยิ้ม"), 1U);
  EXPECT_EQ(count("女*"), 1U);
  EXPECT_EQ(count("iphone"), 1U);
  EXPECT_EQ(count("iPhone手机"), 1U);
  EXPECT_EQ(count("joyful"), 1U);
  EXPECT_EQ(Find(index, ParseExpression("keyword:笑脸 | keyword:\"행복한 사람\"")).Count(), 2U);
  // What is forgotten is no longer found.
  {
    ShardWriter writer(folder, 0, tests::CrawlHeader({}));
    writer.Finish();
  }
  const FaceIndex emptied(folder, {});
  EXPECT_TRUE(emptied.store().MatchCaption("笑").empty());
}

TEST(FaceIndex, AFolderWithoutShardsIsRefused) {
  const tests::TempDir dir;
  EXPECT_THROW(FaceIndex(dir.path().string(), {}), std::runtime_error);
  EXPECT_THROW(FaceIndex(dir / "none", {}), std::runtime_error);
  EXPECT_TRUE(!fs::exists(dir / "none"));
}

TEST(FaceIndex, ADamagedIndexIsMadeAnew) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  const std::string file = dir / "auforge-index.sqlite";
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  const std::string whole = tests::ReadText(file);
  tests::WriteText(file, "not a database at all, but long enough to be looked at: " + std::string(4096, 'x'));
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  tests::WriteText(file, "");
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  tests::WriteText(file, whole.substr(0, whole.size() / 3));
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  std::string scribbled = whole;
  for (std::size_t i = 16384; i < 3 * 16384 && i < scribbled.size(); ++i) scribbled[i] = 'Z';
  tests::WriteText(file, scribbled);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
}

TEST(FaceIndex, AnIndexOfAnotherVersionIsMadeAnew) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir / "auforge-index.sqlite").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "PRAGMA user_version=999", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(ShardsIndexed(folder), 3U);
}

TEST(FaceIndex, NeverOverwritesWhatIsNotItsOwn) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  const std::string photo = dir / "photo.jpg", other = dir / "other.sqlite";
  tests::WriteText(photo, "precious" + std::string(2000, '.'));
  EXPECT_THROW(FaceIndex(folder, KeptIn(photo)), std::runtime_error);
  EXPECT_EQ(tests::ReadText(photo).substr(0, 8), "precious");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(other.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(database, "CREATE TABLE mine(x); INSERT INTO mine VALUES(1)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  const std::string before = tests::ReadText(other);
  EXPECT_THROW(FaceIndex(folder, KeptIn(other)), std::runtime_error);
  EXPECT_EQ(tests::ReadText(other), before);
}

TEST(FaceIndex, AFolderThatCannotBeWrittenIsIndexedInMemory) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::WriteCrawl(folder);
  // A folder of the index's name cannot be opened as a file, whoever runs the test (root may write anywhere).
  fs::create_directory(dir / "auforge-index.sqlite");
  const FaceIndex index(folder, {});
  EXPECT_NE(index.note().find("in memory"), std::string::npos);
  ExpectFresh(index, folder);
}

TEST(FaceIndex, AKillLeavesWholeShardsAndTheNextRunGoesOn) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::CrawlOptions large;
  large.shards = 12;
  large.images = 150;
  tests::WriteCrawl(folder, large);
  for (int round = 0; round < 6; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      // Dies in the middle of the shard after the round's.
      IndexOptions options;
      options.progress = [round](std::size_t done, std::size_t, std::uint64_t) {
        if (done > static_cast<std::size_t>(round % 2)) {
          std::thread([] {
            std::this_thread::sleep_for(std::chrono::microseconds(300));
            std::raise(SIGKILL);
          }).detach();
        }
      };
      try {
        const FaceIndex index(folder, options);
      } catch (...) {
      }
      std::raise(SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
  const FaceIndex index(folder, {});
  EXPECT_EQ(index.shards().size(), 12U);
  ExpectFresh(index, folder);
}

TEST(FaceIndex, TwoProcessesMayBuildItAtOnce) {
  const tests::TempDir dir;
  const std::string folder = dir.path().string();
  tests::CrawlOptions large;
  large.shards = 6;
  large.images = 60;
  tests::WriteCrawl(folder, large);
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        const FaceIndex index(folder, {});
        std::_Exit(index.shards().size() == 6 && index.note().empty() ? 0 : 1);
      } catch (...) {
        std::_Exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(ShardsIndexed(folder), 0U);
}

}  // namespace
}  // namespace auforge::datasets::query
