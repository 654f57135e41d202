// Edits of photos that are not what the generator was trained on, through the command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

#ifdef AUFORGE_GAN_PROGRAM
tests::ProgramOutcome Edit(const std::string& photo, const std::string& au, const std::string& to) {
  return tests::RunCommand(std::string(AUFORGE_GAN_PROGRAM) + " edit " + photo + " --au '" + au + "' -o " + to);
}

TEST(Edits, OddAmountsAreRefusedBeforeAnythingIsWritten) {
  const tests::TempDir dir;
  cv::imwrite(dir / "a.png", cv::Mat(64, 64, CV_8UC3, cv::Scalar(9, 9, 9)));
  const auto outcome = Edit(dir / "a.png", "AU12=0.8;AU6=0.5", dir / "o.png");
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_THAT(outcome.text, testing::HasSubstr("at column 6")) << outcome.text;
  EXPECT_FALSE(fs::exists(dir / "o.png"));
}

TEST(Edits, AGreyPhotoStaysGrey) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  const fs::path path = fs::path(photos == nullptr ? "" : photos) / "Tom_Cruise_avp_2014_4.jpg";
  if (!fs::exists(path)) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of dlib's photos; run-tests.sh sets it";
  const tests::TempDir dir;
  cv::Mat grey = cv::imread(path.string(), cv::IMREAD_GRAYSCALE), small, photo;
  cv::resize(grey, small, {}, 320.0 / grey.rows, 320.0 / grey.rows, cv::INTER_AREA);
  cv::cvtColor(small, photo, cv::COLOR_GRAY2BGR);
  cv::imwrite(dir / "grey.png", photo);
  const auto outcome = Edit(dir / "grey.png", "AU25=1,AU12=0.8", dir / "o.png");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const cv::Mat edited = cv::imread(dir / "o.png", cv::IMREAD_COLOR);
  std::vector<cv::Mat> channels;
  cv::split(edited, channels);
  EXPECT_EQ(cv::norm(channels[0], channels[1], cv::NORM_INF), 0) << "blue teeth";
  EXPECT_EQ(cv::norm(channels[1], channels[2], cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(edited, photo, cv::NORM_INF), 20) << "nothing was edited";
}
#endif

}  // namespace
}  // namespace auforge::tools
