// Label files and their pictures as they lie on people's disks, through the commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/video_file.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// -j 1: two pictures need no threads.
tests::ProgramOutcome Eval(const std::string& spec) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " eval-au -j 1 --data '" + spec + "'");
}

std::string Sequence(int frames) {
  std::string text = "frame, face_id, timestamp, confidence, success, AU01_r\n";
  for (int frame = 1; frame <= frames; ++frame) text += std::to_string(frame) + ", 0, 0.000, 0.98, 1, 0.5\n";
  return text;
}

TEST(Labels, ASequenceWithAnotherNumberOfPicturesIsRefused) {
  const tests::TempDir dir;
  tests::WriteText(dir / "clip.csv", Sequence(4));
  fs::create_directories(dir.path() / "clip");
  for (const char* name : {"0.jpg", "1.jpg", "2.jpg"}) tests::WriteText((dir.path() / "clip" / name).string(), "picture");
  const auto outcome = Eval("openface:" + (dir / "clip.csv"));
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("4 frames"), HasSubstr("3 pictures"))) << outcome.text;
}

TEST(Labels, ASequenceMayNameItsVideo) {
  const tests::TempDir dir;
  tests::WriteText(dir / "clip.csv", Sequence(6));
  tests::WriteVideo(dir / "film.avi", tests::NumberedFrames(6));
  const auto whole = Eval("openface:" + (dir / "clip.csv") + ",images=" + (dir / "film.avi"));
  EXPECT_THAT(whole.text, HasSubstr("film.avi:6: no face found")) << "every frame is looked at";
  tests::WriteVideo(dir / "film.avi", tests::NumberedFrames(9));
  const auto longer = Eval("openface:" + (dir / "clip.csv") + ",images=" + (dir / "film.avi"));
  EXPECT_NE(longer.code, 0);
  EXPECT_THAT(longer.text, AllOf(HasSubstr("has 9 frames"), HasSubstr("speak of 6")));
}

// As annotate tells pictures: by content.
TEST(Labels, SpeakOfPicturesOfAnyName) {
  const tests::TempDir dir;
  std::vector<std::uint8_t> jpeg;
  cv::imencode(".jpg", tests::Texture(64, 48, 3, 1), jpeg);
  fs::create_directories(dir.path() / "photos");
  const std::vector<std::string> files{"a.jfif", "b", "c.jpg?w=200", "d.JPG_large", "e.dat", "f.webp"};
  for (const std::string& file : files) tests::WriteText(dir / ("photos/" + file), {jpeg.begin(), jpeg.end()});
  tests::WriteTar(dir / "photos/more.bin", {{"g.jfif", {jpeg.begin(), jpeg.end()}}, {"h", {jpeg.begin(), jpeg.end()}}});
  tests::WriteText(dir / "photos/i.jpg.txt", "a caption, and no picture");
  tests::WriteText(dir / "labels.csv", "image,AU12\na,1\nb,1\nc,1\nd,1\ne.dat,1\nf,1\ng,1\nh,1\ni,1\n");
  const std::string said = Eval("csv:" + (dir / "labels.csv") + ",images=" + (dir / "photos")).text;
  for (const std::string& file : files) EXPECT_THAT(said, HasSubstr(file + ": no face found"));
  for (const std::string member : {"g.jfif", "h"}) EXPECT_THAT(said, HasSubstr("more.bin:" + member + ": no face found"));
  EXPECT_THAT(said, Not(HasSubstr("i.jpg.txt: no face found")));
}

TEST(Labels, OfNoughtToOneAreSaid) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "picture");
  tests::WriteText(dir / "labels.csv", "image;AU12\r\na.jpg;0,75\r\n");
  EXPECT_THAT(Eval("csv:" + (dir / "labels.csv")).text, HasSubstr("say scale=1"));
  EXPECT_THAT(Eval("csv:" + (dir / "labels.csv") + ",scale=1").text, Not(HasSubstr("say scale=1")));
  EXPECT_THAT(Eval("csv:" + (dir / "labels.csv") + ",scale=5").text, Not(HasSubstr("say scale=1")));
}

TEST(Labels, OfAWorkbookAreRefusedByName) {
  const tests::TempDir dir;
  tests::WriteText(dir / "labels.csv", "PK\x03\x04 xl/workbook.xml");
  const auto outcome = Eval("csv:" + (dir / "labels.csv"));
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("labels.csv"), HasSubstr("workbook"))) << outcome.text;
}

}  // namespace
}  // namespace auforge::tools
