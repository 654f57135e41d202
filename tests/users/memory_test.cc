// Memory that runs out inside a library: a failure that a retry may mend, never a property of what was being read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "datasets/storage/memory_fault.h"
#include "datasets/video_reader.h"
#include "tests/support/faces.h"
#include "tests/support/sanitizer.h"
#include "tests/support/tar_file.h"
#include "tests/support/video_file.h"
#include "tests/users/users_files.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using tests::InShell;

// The command while one library gets no block of that many bytes or more.
tests::ProgramOutcome Starved(const std::string& library, int least, const std::string& command) {
  return InShell("export AUFORGE_TROUBLE=memory:" + std::to_string(least) + ":" + library + "; LD_PRELOAD=" AUFORGE_TROUBLE " " +
                 command);
}

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    if (tests::kSanitized) GTEST_SKIP() << "sanitizers have allocators of their own";
    fs::current_path(dir_.path());
    const cv::Mat picture = tests::Texture(200, 150, 3, 1);
    cv::imwrite("a.png", picture);
    cv::imwrite("a.webp", picture, {cv::IMWRITE_WEBP_QUALITY, 80});
    cv::imwrite("a.jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
    // One pixel that is never reached: the decoder's tables come first.
    tests::WriteText("a.gif", std::string("GIF89a\x20\0\x20\0\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\x20\0\x20\0\0\2\2\x44\1\0;", 36));
  }
  ~Memory() override { fs::current_path("/"); }
  tests::TempDir dir_;
};

TEST_F(Memory, APictureThatFoundNoRoomIsNotCalledUndecodable) {
  for (const auto& [library, file] : std::vector<std::pair<std::string, std::string>>{
           {"turbojpeg", "a.jpg"}, {"libpng", "a.png"}, {"libwebp", "a.webp"}, {"libgif", "a.gif"}}) {
    const auto outcome = Starved(library, 512, "$AUFORGE annotate " + file + " -q -o out");
    EXPECT_EQ(outcome.code, 1) << library << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("out of memory")) << library;
    EXPECT_FALSE(fs::exists("out/00000.h5")) << library << " wrote down what is not so";
    fs::remove_all("out");
  }
}

TEST_F(Memory, ATarOrAnHdf5FileThatFoundNoRoomIsNotCalledDamaged) {
  tests::WriteTar("a.tar", {{"a.png", tests::ReadText("a.png")}});
  ASSERT_EQ(InShell("gzip -k a.tar").code, 0);
  for (const auto& [library, command] : std::vector<std::pair<std::string, std::string>>{
           {"libarchive", "$AUFORGE annotate a.tar -q -o out"},
           {"libarchive", "$AUFORGE annotate a.tar.gz -q -o out"},
           {"libz", "$AUFORGE annotate a.tar.gz -q -o out"}}) {
    const auto outcome = Starved(library, 512, command);
    EXPECT_EQ(outcome.code, 1) << library << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("out of memory")) << library;
    EXPECT_THAT(outcome.text, Not(HasSubstr("damaged"))) << library;
    EXPECT_FALSE(fs::exists("out/00000.h5")) << library << " wrote down what is not so";
    fs::remove_all("out");
  }
}

TEST_F(Memory, AVideoThatFoundNoRoomIsNotCalledDamaged) {
  tests::WriteVideo("a.avi", tests::NumberedFrames(3));
  // The decoder is a program of its own, which is what starves.
  for (const std::string library : {"libavutil", "libopencv_core"}) {
    setenv("AUFORGE_TROUBLE", ("memory:4096:" + library).c_str(), 1);
    setenv("LD_PRELOAD", AUFORGE_TROUBLE, 1);
    datasets::VideoReader video("a.avi", {});
    datasets::ImageItem item;
    try {
      video.Next(item);
      ADD_FAILURE() << library << ": " << item.message;
    } catch (const std::exception& error) {
      EXPECT_TRUE(datasets::storage::IsOutOfMemory(error)) << library << ": " << error.what();
    }
    unsetenv("LD_PRELOAD");
    unsetenv("AUFORGE_TROUBLE");
  }
}

}  // namespace
}  // namespace auforge
