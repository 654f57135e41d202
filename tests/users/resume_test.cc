// Running again: what is finished is told by what the input holds, not by how its path is spelled or whether its name
// stayed the same. And two jobs that were given the same new folder: one of them says so.
#include <gtest/gtest.h>
#include <unistd.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "datasets/shard.h"
#include "tests/scale/process.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using tests::ProgramOutcome;

constexpr const char* kProgram = AUFORGE_PROGRAM;

class Resume : public testing::Test {
 protected:
  static std::string Picture(std::uint64_t seed, int width = 64) {
    std::vector<std::uint8_t> bytes;
    cv::imencode(".bmp", tests::Texture(width, 48, 3, seed), bytes);
    return {bytes.begin(), bytes.end()};
  }
  static bool Has(const ProgramOutcome& outcome, const std::string& text) {
    return outcome.text.find(text) != std::string::npos;
  }
  // In the test's folder, so that inputs can be spelled relative to it.
  ProgramOutcome Annotate(const std::string& arguments) const {
    return tests::RunCommand("cd " + dir_.path().string() + " && " + kProgram + " annotate -q -j 1 " + arguments);
  }
  void ExpectNothingToDo(const std::string& arguments) const {
    const ProgramOutcome outcome = Annotate(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_TRUE(Has(outcome, "nothing to do")) << arguments << "\n" << outcome.text;
    EXPECT_FALSE(Has(outcome, "changed")) << outcome.text;
  }
  void ExpectMadeAnew(const std::string& arguments, const std::string& changed) const {
    const ProgramOutcome outcome = Annotate(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_TRUE(Has(outcome, changed + ": has changed since it was labelled; ")) << outcome.text;
    EXPECT_TRUE(Has(outcome, "1 shards written")) << outcome.text;
    ExpectNothingToDo(arguments);
  }
  datasets::SampleRecord Sample(const std::string& shard, std::size_t row) const {
    return datasets::ShardReader(dir_ / shard).Sample(row);
  }
  void MakeFolder(const std::string& name) const {
    fs::create_directories(dir_ / name);
    tests::WriteText(dir_ / (name + "/a.bmp"), Picture(1));
    tests::WriteText(dir_ / (name + "/b.bmp"), Picture(2));
  }
  void MakeTar(const std::string& name, std::uint64_t seed, const std::string& caption = "joy") const {
    tests::WriteTar(dir_ / name, {{"a.bmp", Picture(seed)}, {"a.txt", caption}, {"b.bmp", Picture(7)}});
  }

  tests::TempDir dir_;
};

TEST_F(Resume, AFolderIsTheSameHoweverItIsSpelled) {
  MakeFolder("rr");
  ASSERT_EQ(Annotate("rr -o out").code, 0);
  fs::create_directory_symlink("rr", dir_ / "link");
  const std::string up = "../" + dir_.path().filename().string() + "/rr";
  for (const std::string& spelled :
       std::vector<std::string>{"rr/", up, "link"})
    ExpectNothingToDo(spelled + " -o out");
  // Moved as a whole: the same pictures.
  fs::rename(dir_ / "rr", dir_ / "elsewhere");
  ExpectNothingToDo("elsewhere -o out");
}

TEST_F(Resume, ATarIsTheSameHoweverItIsSpelledCopiedOrTouched) {
  MakeTar("x.tar", 1);
  ASSERT_EQ(Annotate("x.tar -o out").code, 0);
  ExpectNothingToDo("./x.tar -o out");
  fs::copy_file(dir_ / "x.tar", dir_ / "copy.tar");
  fs::rename(dir_ / "copy.tar", dir_ / "x.tar");
  ExpectNothingToDo("x.tar -o out");
}

TEST_F(Resume, AReplacedTarIsLabelledAgain) {
  MakeTar("x.tar", 1);
  MakeTar("y.tar", 5);
  ASSERT_EQ(Annotate("x.tar y.tar -o out").code, 0);
  const auto size = fs::file_size(dir_ / "x.tar");
  const auto time = fs::last_write_time(dir_ / "x.tar");
  // Of the same size and time: as cp -p and rsync -t leave it.
  MakeTar("x.tar", 3);
  ASSERT_EQ(fs::file_size(dir_ / "x.tar"), size);
  fs::last_write_time(dir_ / "x.tar", time);
  const auto before = Sample("out/00000.h5", 0).sha256;
  ExpectMadeAnew("./x.tar y.tar -o out", "./x.tar");
  EXPECT_NE(Sample("out/00000.h5", 0).sha256, before);
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  // Through a link that leads elsewhere now.
  fs::create_symlink("x.tar", dir_ / "latest.tar");
  ASSERT_EQ(Annotate("latest.tar -o linked").code, 0);
  fs::remove(dir_ / "latest.tar");
  fs::create_symlink("y.tar", dir_ / "latest.tar");
  ExpectMadeAnew("latest.tar -o linked", "latest.tar");
}

TEST_F(Resume, APictureThatWasReplacedIsLabelledAgain) {
  MakeFolder("rr");
  ASSERT_EQ(Annotate("rr -o out --shard-size 1").code, 0);
  tests::WriteText(dir_ / "rr/b.bmp", Picture(3, 60));
  ExpectMadeAnew("rr -o out --shard-size 1", "images 1..1 of rr");
  EXPECT_EQ(Sample("out/00001.h5", 0).width, 60);
  tests::WriteText(dir_ / "rr/a.bmp", "no picture any more");
  ExpectMadeAnew("rr/ -o out --shard-size 1", "images 0..0 of rr/");
  EXPECT_EQ(Sample("out/00000.h5", 0).status, datasets::Outcome::kUndecodable);
}

TEST_F(Resume, AChangedCaptionBesideAPictureIsReadAgain) {
  MakeFolder("rr");
  tests::WriteText(dir_ / "list", "rr/a.bmp\nrr/b.bmp\n");
  const auto made_anew = [this](const std::string& arguments) {
    const ProgramOutcome outcome = Annotate(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_TRUE(Has(outcome, "has changed since it was labelled; ")) << outcome.text;
  };
  ASSERT_EQ(Annotate("rr -o out").code, 0);
  ASSERT_EQ(Annotate("@list -o listed").code, 0);
  tests::WriteText(dir_ / "rr/a.txt", "joy");  // the folder's first
  tests::WriteText(dir_ / "rr/b.bmp.json", R"({"url": "http://b/", "license": "by"})");
  made_anew("rr -o out");
  made_anew("@list -o listed");
  EXPECT_EQ(Sample("out/00000.h5", 0).keywords, "joy");
  EXPECT_EQ(Sample("out/00000.h5", 1).url, "http://b/");
  tests::WriteText(dir_ / "rr/b.bmp.json", R"({"url": "http://b/", "license": "cc0"})");
  made_anew("rr -o out");
  EXPECT_EQ(datasets::ShardReader(dir_ / "out/00000.h5").ExtraText("/samples/licence")->values[1], "cc0");
  fs::remove(dir_ / "rr/a.txt");
  made_anew("rr -o out");
  EXPECT_EQ(Sample("out/00000.h5", 0).keywords, "");
  // Written again as it was, or of nobody: nothing has changed.
  tests::WriteText(dir_ / "rr/b.bmp.json", R"({"url": "http://b/", "license": "cc0"})");
  tests::WriteText(dir_ / "rr/readme.txt", "about");
  ExpectNothingToDo("rr -o out");
}

TEST_F(Resume, LabelsOfWhatCannotBeReadNowAreKept) {
  MakeTar("x.tar", 1);
  ASSERT_EQ(Annotate("x.tar -o out").code, 0);
  const std::string whole = tests::ReadText(dir_ / "x.tar");
  tests::WriteText(dir_ / "x.tar", whole.substr(0, 3 * whole.size() / 4));  // being fetched again
  const std::string before = tests::ReadText(dir_ / "out/00000.h5");
  const ProgramOutcome outcome = Annotate("x.tar -o out");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_TRUE(Has(outcome, "x.tar: cannot be read now")) << outcome.text;
  EXPECT_TRUE(tests::ReadText(dir_ / "out/00000.h5") == before);
  tests::WriteText(dir_ / "x.tar", whole);
  ExpectNothingToDo("x.tar -o out");
}

TEST_F(Resume, OtherInputsAreRefusedByName) {
  MakeTar("x.tar", 1);
  MakeTar("y.tar", 5);
  MakeFolder("rr");
  MakeFolder("ss");
  tests::WriteText(dir_ / "ss/b.bmp", Picture(9));
  ASSERT_EQ(Annotate("x.tar -o out").code, 0);
  const ProgramOutcome tar = Annotate("y.tar -o out");
  EXPECT_EQ(tar.code, 3) << tar.text;
  EXPECT_TRUE(Has(tar, "was made from x.tar, this run would make it from y.tar")) << tar.text;
  ASSERT_EQ(Annotate("rr -o folder").code, 0);
  const ProgramOutcome folder = Annotate("ss -o folder");
  EXPECT_EQ(folder.code, 3) << folder.text;
  EXPECT_TRUE(Has(folder, "was made from images 0..1 of rr, this run would make it from images 0..1 of ss"))
      << folder.text;
}

TEST_F(Resume, TwoJobsInOneNewFolderDoNotBothSucceed) {
  // Large enough that both have begun before either ends.
  for (const char* name : {"x.tar", "y.tar"}) {
    std::vector<tests::TarMember> members;
    for (int i = 0; i < 12; ++i) {
      std::vector<std::uint8_t> jpeg;
      cv::imencode(".jpg", tests::Texture(900, 700, 3, static_cast<std::uint64_t>(i + name[0])), jpeg);
      members.push_back({std::string(1, name[0]) + std::to_string(i) + ".jpg", {jpeg.begin(), jpeg.end()}});
    }
    tests::WriteTar(dir_ / name, members);
  }
  const auto job = [this](const std::string& tar, const std::string& log) {
    return std::make_unique<tests::Process>(
        std::vector<std::string>{kProgram, "annotate", dir_ / tar, "-o", dir_ / "out", "-q", "-j", "1"}, dir_ / log);
  };
  const auto first = job("x.tar", "x.log"), second = job("y.tar", "y.log");
  const int x = first->Wait().code, y = second->Wait().code;
  EXPECT_TRUE((x == 0 && y == 3) || (x == 3 && y == 0)) << x << " " << y;
  const std::string winner = x == 0 ? "x" : "y", loser = x == 0 ? "y" : "x";
  EXPECT_EQ(Sample("out/00000.h5", 0).key, winner + "0");
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
  const std::string said = tests::ReadText(dir_ / (loser + ".log"));
  EXPECT_NE(said.find(winner + ".tar"), std::string::npos) << said;
  // Each failure of the winner's log is of its own images.
  EXPECT_EQ(tests::ReadText(dir_ / "out/00000_errors.jsonl").find("\"" + loser + "0\""), std::string::npos);
  for (const auto& entry : fs::directory_iterator(dir_ / "out"))
    EXPECT_EQ(entry.path().string().find(".tmp."), std::string::npos) << entry.path();
}

TEST_F(Resume, AnOrphanOfTheSameJobDoesNoHarm) {
  MakeTar("x.tar", 1);
  const auto job = [this](const std::string& tar) {
    return std::make_unique<tests::Process>(
        std::vector<std::string>{kProgram, "annotate", tar, "-o", dir_ / "out", "-q", "-j", "1"}, dir_ / "log");
  };
  const auto first = job(dir_ / "x.tar"), second = job(dir_.path().string() + "/./x.tar");
  EXPECT_EQ(first->Wait().code, 0) << tests::ReadText(dir_ / "log");
  EXPECT_EQ(second->Wait().code, 0) << tests::ReadText(dir_ / "log");
  EXPECT_TRUE(datasets::VerifyShard(dir_ / "out/00000.h5").empty());
}

TEST_F(Resume, WhatALivingProcessWritesIsNoLeftover) {
  MakeTar("x.tar", 1);
  fs::create_directories(dir_ / "out");
  const std::string living = dir_ / ("out/00000.h5.tmp." + std::to_string(getpid()) + ".0"),
                    dead = dir_ / "out/00000.h5.tmp.2147483646.0";
  for (const std::string& path : {living, dead}) std::ofstream(path) << "half";
  const auto job = std::make_unique<tests::Process>(
      std::vector<std::string>{kProgram, "annotate", dir_ / "x.tar", "-o", dir_ / "out", "-q", "-j", "1"}, dir_ / "log");
  EXPECT_EQ(job->Wait().code, 0) << tests::ReadText(dir_ / "log");
  EXPECT_TRUE(fs::exists(living));
  EXPECT_FALSE(fs::exists(dead));
}

}  // namespace
}  // namespace auforge
