// Folders and lists as crawls, cameras and editors leave them: every picture is in one row, what is none is counted, and
// nothing ends the run.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "datasets/shard.h"
#include "tests/support/faces.h"
#include "tests/support/picture_files.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Rows = std::map<std::string, std::string>;  // status by key

std::string Picture(const std::string& ending) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, tests::Texture(40, 30, 3, 1), bytes);
  return {bytes.begin(), bytes.end()};
}

class Folders : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content) {
    fs::create_directories((dir_.path() / name).parent_path());
    tests::WriteText(dir_ / name, content);
  }

  // A folder with a picture under every name that a crawl gives it, what lies beside them, and links in circles.
  void WriteCrawl() {
    for (const char* name : {"a.jpg", "b.jfif", "000123", "c.jpg?w=200", "d.jpg_large", "e.JPG.1", "sub/a.jpg"}) Write(std::string("in/") + name, Picture(".jpg"));
    Write("in/f.heic", tests::MediaFile("heic"));
    Write("in/g.avif", tests::MediaFile("avif"));
    Write("in/h.jpg?x=1", "404 not found");
    Write("elsewhere/k.png", Picture(".png"));
    fs::create_symlink("../elsewhere", dir_.path() / "in/linked");
    fs::create_symlink(".", dir_.path() / "in/loop");
    fs::create_symlink("../../in", dir_.path() / "in/sub/loop");
    fs::create_symlink("/nowhere", dir_.path() / "in/gone.jpg");
    fs::create_symlink("itself", dir_.path() / "in/itself");
    Write("in/README.txt", "about");
    Write("in/00000.parquet", "PAR1");
    Write("in/Thumbs.db", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    Write("in/._a.jpg", tests::AppleDouble());
    Write("in/@eaDir/a.jpg/T.jpg", Picture(".jpg"));
    Write("in/a.txt", "a caf\xE9\r\n");
    Write("in/000123.json", R"({"url": "http://x/123", "caption": "joy \ud83d", "similarity": NaN})");
  }

  tests::ProgramOutcome Run(const std::string& arguments, const std::string& before = "") {
    return tests::RunCommand(before + AUFORGE_PROGRAM " " + arguments);
  }

  Rows ReadRows(const std::string& folder) {
    Rows rows;
    for (const std::string& path : datasets::FindShards({dir_ / folder})) {
      const datasets::ShardReader shard(path);
      for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
        const datasets::SampleRecord& sample = shard.Sample(i);
        EXPECT_TRUE(rows.emplace(sample.key, datasets::OutcomeName(sample.status)).second) << sample.key << " twice";
        captions_[sample.key] = sample.keywords;
      }
    }
    return rows;
  }

  tests::TempDir dir_;
  Rows captions_;
};

TEST_F(Folders, EveryPictureIsARowAndTheRestIsCounted) {
  WriteCrawl();
  const tests::ProgramOutcome outcome = Run("annotate '" + (dir_ / "in") + "' -q -o '" + (dir_ / "out") + "'");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const Rows rows = ReadRows("out");
  EXPECT_EQ(rows, (Rows{{"a.jpg", "no_face"},
                        {"b.jfif", "no_face"},
                        {"000123", "no_face"},
                        {"c.jpg?w=200", "no_face"},
                        {"d.jpg_large", "no_face"},
                        {"e.JPG.1", "no_face"},
                        {"sub/a.jpg", "no_face"},
                        {"linked/k.png", "no_face"},
                        {"f.heic", "unsupported"},
                        {"g.avif", "unsupported"},
                        {"h.jpg?x=1", "undecodable"},
                        {"gone.jpg", "unreadable"},
                        {"itself", "unreadable"}}));
  EXPECT_EQ(captions_["a.jpg"], "a café");
  EXPECT_EQ(captions_["000123"], "joy \xEF\xBF\xBD");
  for (const char* part : {"unsupported: 2", "1 text (README.txt)", "1 Parquet", "1 Thumbs.db", "1 macOS", "1 folder of thumbnails"}) {
    EXPECT_NE(outcome.text.find(part), std::string::npos) << part << " in\n" << outcome.text;
  }
  const tests::ProgramOutcome inspected = Run("inspect '" + (dir_ / "out") + "'");
  EXPECT_NE(inspected.text.find("unsupported: 2"), std::string::npos) << inspected.text;
  EXPECT_EQ(Run("verify '" + (dir_ / "out") + "'").code, 0);
}

TEST_F(Folders, ListsFromStandardInputAndWindows) {
  Write("a b.jpg", Picture(".jpg"));
  Write("c.png", Picture(".png"));
  const std::string lines = "\xEF\xBB\xBF\"" + (dir_ / "a b.jpg") + "\"\r\n" + (dir_ / "c.png") + "\r\n" + (dir_ / "gone.jpg") + "\r\n";
  Write("list.txt", lines);
  const Rows wanted{{dir_ / "a b.jpg", "no_face"}, {dir_ / "c.png", "no_face"}, {dir_ / "gone.jpg", "unreadable"}};
  const tests::ProgramOutcome outcome = Run("annotate - -q -o '" + (dir_ / "out") + "'", "cat '" + (dir_ / "list.txt") + "' | ");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(ReadRows("out"), wanted);
  const tests::ProgramOutcome picture = Run("annotate '@" + (dir_ / "c.png") + "' -o '" + (dir_ / "no") + "'");
  EXPECT_EQ(picture.code, 2);
  EXPECT_NE(picture.text.find("PNG"), std::string::npos) << picture.text;
}

TEST_F(Folders, SeveralFoldersKeepTheirNames) {
  Write("S1/frame_0001.jpg", Picture(".jpg"));
  Write("S2/frame_0001.jpg", Picture(".jpg"));
  const tests::ProgramOutcome outcome = Run("annotate '" + (dir_ / "S1") + "' '" + (dir_ / "S2/") + "' -q -o '" + (dir_ / "out") + "'");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(ReadRows("out"), (Rows{{"S1/frame_0001.jpg", "no_face"}, {"S2/frame_0001.jpg", "no_face"}}));
}

TEST_F(Folders, CirclesEndNoOtherCommandEither) {
  Write("S/frame.jpg", Picture(".jpg"));
  ASSERT_EQ(Run("annotate '" + (dir_ / "S") + "' -q -o '" + (dir_ / "out") + "'").code, 0);
  for (const char* name : {"00001.h5", "00001_stats.json", "00002", "loop"}) fs::create_symlink(name, dir_.path() / "out" / name);
  fs::create_symlink(".", dir_.path() / "out/again");
  for (const std::string command : {"inspect", "verify", "merge-stats", "query", "report"}) {
    const std::string rest = command == "query" ? " --au 'AU12>=0' --count" : command == "report" ? " -o '" + (dir_ / "r.html") + "'" : "";
    const tests::ProgramOutcome outcome = Run(command + " '" + (dir_ / "out") + "'" + rest);
    EXPECT_EQ(outcome.code, 0) << command << ": " << outcome.text;
  }
  fs::create_symlink("circle", dir_.path() / "circle");
  const tests::ProgramOutcome outcome = Run("annotate '" + (dir_ / "circle") + "' -o '" + (dir_ / "no") + "'");
  EXPECT_NE(outcome.code, 0);
  EXPECT_EQ(outcome.text.find("filesystem error"), std::string::npos) << outcome.text;
}

#ifdef AUFORGE_GAN_PROGRAM
TEST_F(Folders, GanEditTakesTheSamePicturesAndOverwritesNone) {
  WriteCrawl();
  Write("in/a.png", Picture(".png"));
  const auto edit = [this](const std::string& from, const std::string& to) {
    return tests::RunCommand(AUFORGE_GAN_PROGRAM " edit '" + (dir_ / from) + "' --au AU12=1 -o '" + (dir_ / to) + "'");
  };
  const tests::ProgramOutcome outcome = edit("in", "in/edited");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  std::set<std::string> made;
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "in/edited")) {
    if (entry.is_regular_file()) made.insert(entry.path().lexically_relative(dir_ / "in/edited").string());
  }
  EXPECT_EQ(made, (std::set<std::string>{"a.jpg.png", "a.png.png", "b.png", "000123.png", "c.png", "d.png", "e.png", "sub/a.png", "linked/k.png"}));
  EXPECT_NE(outcome.text.find("9 photos"), std::string::npos) << outcome.text;
  EXPECT_NE(outcome.text.find("5 photos skipped"), std::string::npos) << outcome.text;
  const std::string before = tests::ReadText(dir_ / "in/a.png");
  fs::create_symlink("in", dir_.path() / "alias");
  for (const auto& [from, to] : {std::pair{"in", "in"}, {"in", "alias/"}, {"in", "in/edited"}, {"in/a.png", "alias/a.png"}}) {
    const tests::ProgramOutcome refused = edit(from, to);
    EXPECT_EQ(refused.code, 2) << from << " -> " << to << ": " << refused.text;
  }
  EXPECT_EQ(tests::ReadText(dir_ / "in/a.png"), before);
}
#endif

}  // namespace
}  // namespace auforge
