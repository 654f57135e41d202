// DISFA as it is published, videos and all, through the commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
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

tests::ProgramOutcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

// A photo with one face, or an empty picture where there are no photos.
cv::Mat Face() {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) return {};
  const fs::path path = fs::path(photos) / "Tom_Cruise_avp_2014_4.jpg";
  if (!fs::exists(path)) return {};
  const std::string bytes = datasets::storage::ReadFile(path.string());
  cv::Mat small;
  const cv::Mat photo =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {}).bgr;
  cv::resize(photo, small, {}, 320.0 / photo.rows, 320.0 / photo.rows, cv::INTER_AREA);
  return small;
}

// Labels of `count` frames of a subject; AU12 alternates between 0 and 3.
void WriteLabels(const tests::TempDir& dir, const std::string& subject, int count) {
  const fs::path folder = dir.path() / "ActionUnit_Labels" / subject;
  fs::create_directories(folder);
  fs::create_directories(dir.path() / "Videos_LeftCamera");
  for (const int au : {1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26}) {
    std::string text;
    for (int frame = 1; frame <= count; ++frame)
      text += std::to_string(frame) + "," + (au == 12 && frame % 2 == 0 ? "3" : "0") + "\n";
    tests::WriteText((folder / (subject + "_au" + std::to_string(au) + ".txt")).string(), text);
  }
}
std::string VideoOf(const tests::TempDir& dir, const std::string& subject) {
  return dir / ("Videos_LeftCamera/LeftVideo" + subject + "_comp.avi");
}

TEST(DisfaVideo, EachVideoThatIsNotWholeIsOneLineWithItsRemedy) {
  const tests::TempDir dir;
  for (const char* subject : {"SN001", "SN002", "SN003", "SN004"}) WriteLabels(dir, subject, 30);
  tests::WriteVideo(VideoOf(dir, "SN001"), tests::NumberedFrames(30));
  tests::CutShort(VideoOf(dir, "SN001"), 0.5);
  tests::WriteVideo(VideoOf(dir, "SN002"), tests::NumberedFrames(20));
  tests::WriteText(VideoOf(dir, "SN003"), "no video");
  const auto outcome = RunProgram("eval-au -j 1 --data disfa:" + dir.path().string());
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("LeftVideoSN001_comp.avi: is cut short"), HasSubstr("of 30; copy it again")));
  EXPECT_THAT(outcome.text,
              HasSubstr("LeftVideoSN002_comp.avi: ends with frame 20, its labels with frame 30; is it the "
                        "video that was labelled? (10 labelled frames left out)"));
  EXPECT_THAT(outcome.text,
              HasSubstr("LeftVideoSN003_comp.avi: is no video that can be decoded; copy it again from its "
                        "source (30 labelled frames left out)"));
  EXPECT_THAT(outcome.text, HasSubstr("LeftVideoSN004_comp.avi: is missing"));
  EXPECT_THAT(outcome.text, HasSubstr("no labelled faces"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("[avi"))) << "the decoder's own complaints";
}

TEST(DisfaVideo, FramesAreJudgedLikeThePicturesTheyWereMadeOf) {
  const cv::Mat face = Face();
  if (face.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of dlib's photos; run-tests.sh sets it";
  const tests::TempDir dir;
  cv::Mat dark;
  face.convertTo(dark, -1, 0.7);
  WriteLabels(dir, "SN001", 5);
  tests::WriteVideo(VideoOf(dir, "SN001"), {face, dark, face, dark, face, dark});
  const auto outcome = RunProgram("eval-au -j 2 --json --data disfa:" + dir.path().string());
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("5 faces so far"), HasSubstr(R"("active":2)"), HasSubstr(R"("rows":5)")));

  const auto every = RunProgram("eval-au -j 1 --json --data disfa:" + dir.path().string() + ",every=2");
  EXPECT_THAT(every.text, HasSubstr("3 faces so far")) << "frames 1, 3 and 5";

  const auto annotate = RunProgram("annotate -q -j 1 " + VideoOf(dir, "SN001") + " -o " + (dir / "out"));
  EXPECT_EQ(annotate.code, 0) << annotate.text;
  EXPECT_THAT(RunProgram("inspect " + (dir / "out")).text, HasSubstr("6"));
  EXPECT_EQ(RunProgram("verify " + (dir / "out")).code, 0);
}

}  // namespace
}  // namespace auforge::tools
