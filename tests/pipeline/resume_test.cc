// Whose shard it is: told by what the input holds. Without a model: shards as annotate would write them of pictures on
// which nobody is found.
#include "pipeline/resume.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Resuming : public testing::Test {
 protected:
  void Label(const std::string& input, const std::string& output, const std::function<void()>& before_commit = {}) {
    const auto source = datasets::ImageSource::Plan({input}, {});
    const datasets::InputShard& shard = source.Shards().at(0);
    const InputRecord record = RecordInput(source, shard);
    RequireOurs(dir_ / output, shard, record, config_);
    datasets::ShardHeader header;
    header.schema = features::AuSchema({1, 2});
    header.config_digest = config_.digest;
    header.source = shard.name;
    header.emotion_names = {"neutral"};
    datasets::ShardWriter writer(dir_ / output, shard.index, header);
    const auto items = source.Open(shard);
    for (datasets::ImageItem item; items->Next(item);) {
      datasets::SampleRecord sample;
      sample.key = item.key;
      sample.keywords = item.keywords;
      sample.status = datasets::Outcome::kNoFace;
      sample.sha256 = datasets::storage::Sha256(item.bytes);
      writer.AddSample(sample);
    }
    const json stats{{"source", record.name},
                     {"source_path", record.path},
                     {"source_digest", record.keys},
                     {"source_state", record.state},
                     {"config", json::parse(config_.json)}};
    if (before_commit) before_commit();
    writer.Finish(stats.dump(), "", [&] { MakeRoom(dir_ / output, shard, record, config_); });
  }
  bool IsFinished(const std::string& input, const std::string& output) {
    notice_.clear();
    const auto source = datasets::ImageSource::Plan({input}, {});
    return IsFinishedShard(source, source.Shards().at(0),
                           {dir_ / output, config_, {}, [this](const std::string& text) { notice_ = text; }});
  }
  static std::string Mismatch(const std::function<void()>& call) {
    try {
      call();
    } catch (const ConfigMismatch& error) {
      return error.what();
    }
    return "";
  }
  void MakeTar(const std::string& name, const std::string& first, const std::string& caption = "joy") const {
    tests::WriteTar(dir_ / name, {{"a.jpg", first}, {"a.txt", caption}, {"b.jpg", "second"}});
  }

  const RunConfig config_{R"({"min_face":80})", "digest", "model"};
  std::string notice_;
  tests::TempDir dir_;
};

TEST_F(Resuming, ATarIsToldByItsMembers) {
  MakeTar("x.tar", "one");
  Label(dir_ / "x.tar", "out");
  EXPECT_TRUE(IsFinished(dir_ / "x.tar", "out"));
  EXPECT_TRUE(IsFinished(dir_.path().string() + "/./x.tar", "out"));
  const auto time = fs::last_write_time(dir_ / "x.tar");
  fs::last_write_time(dir_ / "x.tar", time + std::chrono::hours(1));
  EXPECT_TRUE(IsFinished(dir_ / "x.tar", "out"));
  fs::rename(dir_ / "x.tar", dir_ / "moved.tar");
  EXPECT_TRUE(IsFinished(dir_ / "moved.tar", "out"));
  EXPECT_EQ(notice_, "");
  // Another of the same size and time.
  MakeTar("moved.tar", "two");
  fs::last_write_time(dir_ / "moved.tar", time);
  EXPECT_FALSE(IsFinished(dir_ / "moved.tar", "out"));
  EXPECT_NE(notice_.find("moved.tar: has changed since it was labelled"), std::string::npos) << notice_;
  Label(dir_ / "moved.tar", "out");
  EXPECT_TRUE(IsFinished(dir_ / "moved.tar", "out"));
  MakeTar("moved.tar", "two", "woe");
  EXPECT_FALSE(IsFinished(dir_ / "moved.tar", "out"));
  MakeTar("other.tar", "three");
  EXPECT_NE(Mismatch([&] { IsFinished(dir_ / "other.tar", "out"); }).find("was made from " + (dir_ / "moved.tar")),
            std::string::npos);
}

// Each task of an array looks at its own shards alone: those of the others tell what the folder is of.
TEST_F(Resuming, TheWholeFolderIsOfTheSameOptions) {
  RequireSameOptions(dir_ / "nowhere", config_);
  MakeTar("x.tar", "one");
  Label(dir_ / "x.tar", "out");
  RequireSameOptions(dir_ / "out", config_);
  fs::rename(dir_ / "out/00000.h5", dir_ / "out/00007.h5");
  fs::rename(dir_ / "out/00000_stats.json", dir_ / "out/00007_stats.json");
  RequireSameOptions(dir_ / "out", config_);
  const RunConfig other{R"({"min_face":40})", "other digest", "model"};
  EXPECT_NE(Mismatch([&] { RequireSameOptions(dir_ / "out", other); }).find("00007_stats.json: was made with min_face = 80, this run has 40; use"),
            std::string::npos);
  fs::remove(dir_ / "out/00007_stats.json");
  RequireSameOptions(dir_ / "out", other);
}

TEST_F(Resuming, WhatCannotBeReadNowStays) {
  MakeTar("x.tar", "one");
  Label(dir_ / "x.tar", "out");
  const std::string whole = tests::ReadText(dir_ / "x.tar");
  tests::WriteText(dir_ / "x.tar", whole.substr(0, 1600));
  EXPECT_TRUE(IsFinished(dir_ / "x.tar", "out"));
  EXPECT_NE(notice_.find("x.tar: cannot be read now"), std::string::npos) << notice_;
  tests::WriteText(dir_ / "x.tar", whole);
  EXPECT_TRUE(IsFinished(dir_ / "x.tar", "out"));
  EXPECT_EQ(notice_, "");
}

TEST_F(Resuming, AFolderIsToldByItsPictures) {
  const std::string png = "\x89PNG\r\n\x1a\n" + std::string(100, 'x');
  fs::create_directories(dir_ / "rr");
  tests::WriteText(dir_ / "rr/a.png", png + "1");
  tests::WriteText(dir_ / "rr/b.png", png + "2");
  Label(dir_ / "rr", "out");
  fs::create_directory_symlink("rr", dir_ / "link");
  for (const std::string& spelled :
       {dir_ / "rr/", dir_.path().string() + "/./rr", dir_ / "rr//", dir_ / "link", dir_ / "link/"})
    EXPECT_TRUE(IsFinished(spelled, "out")) << spelled;
  tests::WriteText(dir_ / "rr/b.png", png + "3");
  EXPECT_FALSE(IsFinished(dir_ / "rr/", "out"));
  Label(dir_ / "rr/", "out");
  EXPECT_TRUE(IsFinished(dir_ / "rr", "out"));
  tests::WriteText(dir_ / "rr/c.png", png);
  EXPECT_NE(Mismatch([&] { IsFinished(dir_ / "rr", "out"); }).find("has gained, lost or renamed some"),
            std::string::npos);
}

TEST_F(Resuming, AShardThatAnotherRunPutThereMeanwhileStays) {
  MakeTar("x.tar", "one");
  MakeTar("y.tar", "two");
  // Another process: temporary files are named by it.
  const auto other = [&] {
    const pid_t child = fork();
    if (child == 0) {
      Label(dir_ / "y.tar", "out");
      std::_Exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
  };
  const std::string said = Mismatch([&] { Label(dir_ / "x.tar", "out", other); });
  EXPECT_NE(said.find("was made from " + (dir_ / "y.tar")), std::string::npos) << said;
  EXPECT_TRUE(IsFinished(dir_ / "y.tar", "out"));
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  // Between its shard and its marker.
  fs::remove(dir_ / "out/00000_stats.json");
  EXPECT_NE(Mismatch([&] { Label(dir_ / "x.tar", "out"); }), "");
  Label(dir_ / "y.tar", "out");
  EXPECT_TRUE(IsFinished(dir_ / "y.tar", "out"));
}

}  // namespace
}  // namespace auforge::pipeline
