// What engines go by: 3 where no retry can help, 1 where one may, 2 for what the user must say differently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/support/test_data.h"
#include "tests/users/users_files.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::InShell;

class ExitCodes : public testing::Test {
 protected:
  ExitCodes() {
    fs::current_path(dir_.path());
    fs::copy_file(tests::PhotoWithFaces(), "people.jpg");
    tests::WriteText("text", "neither a model nor a picture, but a text that is long enough to be looked at\n");
    fs::create_directories("empty");
    tests::CrawlOptions options;
    options.shards = 2;
    options.images = 8;
    options.pictures = true;
    options.aus = {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45};
    tests::WriteCrawl("shards", options);
    fs::copy("shards", "damaged");
    const std::string whole = tests::ReadText("damaged/00001.h5");
    tests::WriteText("damaged/00001.h5", whole.substr(0, whole.size() / 2));
  }
  ~ExitCodes() override { fs::current_path("/"); }

  static void Expect(int code, const std::string& command, const std::string& named) {
    const auto outcome = InShell(command);
    EXPECT_EQ(outcome.code, code) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(named)) << command;
  }
  tests::TempDir dir_;
};

TEST_F(ExitCodes, ModelsThatAreDamagedOrForeign) {
  const std::string model = tests::ReadText(tests::SourcePath("annotator/models/default.h5"));
  tests::WriteText("half.h5", model.substr(0, model.size() / 2));
  std::string flipped = model;
  for (std::size_t i = flipped.size() / 2; i < flipped.size() / 2 + 64; ++i) flipped[i] = static_cast<char>(~flipped[i]);
  tests::WriteText("flipped.h5", flipped);
  for (const std::string bad : {"half.h5", "flipped.h5", "text", "shards/00000.h5"}) {
    Expect(3, "$AUFORGE annotate people.jpg -q -o out --model " + bad, bad);
    Expect(3, "$AUFORGE calibrate --images people.jpg -o c.h5 --model " + bad, bad);
  }
  Expect(3, "$AUFORGE eval-au --data shards:shards --model text", "text");
  Expect(3, "$AUFORGE annotate people.jpg -q -o out --landmarks text", "text");
  Expect(3, "$AUFORGE annotate people.jpg -q -o out --detector yunet --detector-model text", "text");
  if (tests::HasGan()) {
    Expect(3, "$GAN edit people.jpg --au AU12=1 -o x.png --detector-model text", "text: is no face detector");
    Expect(3, "$GAN sheet people.jpg -o x.png --detector-model text", "text: is no face detector");
  }
  Expect(3, "$AUFORGE synth faces -q -o out --method cg --face-model text", "text");
  Expect(1, "$AUFORGE annotate people.jpg -q -o out --model gone.h5", "gone.h5");
  Expect(1, "$AUFORGE annotate people.jpg -q -o out --landmarks gone.dat", "gone.dat");
  Expect(1, "$AUFORGE annotate people.jpg -q -o out --landmarks gone.dat", "libdlib-data");
  Expect(1, "$AUFORGE annotate people.jpg -q -o out --detector yunet --detector-model gone.onnx", "gone.onnx");
}

TEST_F(ExitCodes, InputsWithNothingInThem) {
  Expect(3, "$AUFORGE annotate empty -q -o out", "empty");
  Expect(3, "$AUFORGE calibrate --images empty -o c.h5", "empty");
  Expect(3, "$AUFORGE eval-au --coherence empty", "empty");
  Expect(3, "$AUFORGE calibrate --images text -o c.h5", "no face");
  Expect(3, "$AUFORGE train-au --data csv:empty -o m.h5", "empty");
  if (tests::HasGan()) Expect(3, "$GAN edit empty --au AU12=1 -o edited", "empty");
  Expect(1, "$AUFORGE annotate gone -q -o out", "gone");
  Expect(1, "$AUFORGE query empty -q --count", "no finished shard");
  EXPECT_TRUE(fs::is_empty("empty")) << "an index of nothing was left in it";
}

TEST_F(ExitCodes, LabelsThatCannotBeUnderstood) {
  tests::WriteText("labels.csv", "image,colour\npeople.jpg,red\n");
  tests::WriteText("binary.csv", std::string("\x89HDF\r\n\x1a\n\0\0\0", 11));
  tests::WriteText("nothing.csv", "");
  for (const char* file : {"labels.csv", "binary.csv", "nothing.csv"}) {
    Expect(3, std::string("$AUFORGE eval-au --data csv:") + file, file);
    Expect(3, std::string("$AUFORGE train-au -o m.h5 --data csv:") + file, file);
  }
  Expect(1, "$AUFORGE eval-au --data csv:gone.csv", "gone.csv");
  tests::WriteText("faceless.csv", "image,AU12\ntext,1\n");
  Expect(3, "$AUFORGE eval-au --data csv:faceless.csv", "no labelled faces");
}

TEST_F(ExitCodes, ShardsThatAreDamaged) {
  Expect(3, "$AUFORGE train-au --data shards:damaged -o m.h5", "damaged/00001.h5");
  Expect(3, "$AUFORGE calibrate --shards damaged -o c.h5", "damaged/00001.h5");
  Expect(3, "$AUFORGE inspect damaged", "damaged/00001.h5");
  Expect(3, "$AUFORGE report damaged -o r.html", "damaged/00001.h5");
  Expect(3, "$AUFORGE export damaged -q --format csv -o x.csv", "damaged/00001.h5");
  Expect(2, "$AUFORGE merge-stats shards text", "text");
  Expect(1, "$AUFORGE inspect gone", "gone");
  Expect(1, "$AUFORGE verify gone", "gone");
}

TEST_F(ExitCodes, PathsThatLeadInACircle) {
  fs::create_symlink("circle", "circle");
  std::vector<std::string> commands{"$AUFORGE annotate people.jpg -q -o out --model circle",
                                    "$AUFORGE annotate people.jpg -q -o out --landmarks circle",
                                    "$AUFORGE train-au --data shards:shards -o m.h5 --net circle",
                                    "$AUFORGE eval-au --data csv:circle",
                                    "$AUFORGE synth sheet -o s.png --method cg --face-model circle",
                                    "$AUFORGE merge-stats circle",
                                    "$AUFORGE query circle -q --count",
                                    "$AUFORGE inspect circle",
                                    "$AUFORGE keywords --wordnet circle"};
  if (tests::HasGan()) {
    commands.push_back("$GAN edit people.jpg --au AU12=1 -o x.png --checkpoint circle");
    commands.push_back("$GAN export-weights circle -o w.h5");
    commands.push_back("$GAN import-weights circle -o run");
  }
  for (const std::string& command : commands) {
    const auto outcome = InShell(command);
    EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("circle"), HasSubstr("Too many levels of symbolic links"),
                                    Not(HasSubstr("filesystem error")))) << command;
  }
}

TEST_F(ExitCodes, StatsFilesOfSomebodyElse) {
  fs::create_directories("out");
  tests::WriteText("out/00000.h5", "x");
  tests::WriteText("out/00000_stats.json", "[1]");
  Expect(3, "$AUFORGE annotate people.jpg -q -o out", "00000_stats.json");
  tests::WriteText("damaged/00000_stats.json", "[1]");
  Expect(3, "$AUFORGE merge-stats damaged", "00000_stats.json");
}

TEST_F(ExitCodes, TrainingThatCannotSucceed) {
  if (!tests::HasGan()) GTEST_SKIP() << "auforge-gan is not built";
  const std::string small = " --image-size 32 --conv-dim 4 --critic-layers 3 --blocks 1 -q -j 1 ";
  Expect(3, "$GAN train damaged -o run" + small, "damaged/00001.h5");
  Expect(3, "$GAN train shards -o run --batch 4096" + small, "too few");
  Expect(3, "$GAN train shards -o run --batch 4 --max-steps 20 --rate 1e30 --samples 0" + small, "not a number");
  Expect(3, "$GAN edit people.jpg --au AU12=1 -o x.png --checkpoint text", "text");
  Expect(3, "$GAN edit text --au AU12=1 -o x.png", "text");
  Expect(3, "$GAN eval damaged -o x.png -q", "damaged/00001.h5");
  Expect(3, "$GAN import-weights text -o run2", "text");
  Expect(1, "$GAN edit people.jpg --au AU12=1 -o x.png --checkpoint gone", "gone");
  Expect(1, "$GAN edit gone.jpg --au AU12=1 -o x.png", "gone.jpg");
}

}  // namespace
}  // namespace auforge::tools
