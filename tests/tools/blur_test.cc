// auforge export --blur-faces on dlib's example photos: no face is left, nor anything but pixels.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "features/picture_hash.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

tests::ProgramOutcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

// The file with EXIF that says who, where and how it was before it was edited.
std::string WithExif(const std::string& jpeg) {
  const std::string text = std::string("Exif\0\0", 6) + "II*\0 GPS 52.5200 N 13.4050 E a thumbnail of the FACE";
  const std::size_t size = text.size() + 2;
  return jpeg.substr(0, 2) + "\xFF\xE1" + static_cast<char>(size >> 8) + static_cast<char>(size & 255) + text + jpeg.substr(2);
}

class BlurFacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
    fs::create_directories(dir_ / "in/below");
    tests::WriteText(dir_ / "in/a.jpg", WithExif(tests::ReadText(fs::path(folder) / "2008_002506.jpg")));
    cv::imwrite(dir_ / "in/below/b.png", cv::imread((fs::path(folder) / "2008_001322.jpg").string()));
    fs::copy_file(fs::path(folder) / "2009_004587.jpg", dir_ / "in/c.jpg");
    cv::imwrite(dir_ / "in/empty.jpg", tests::Texture(300, 200, 3, 1));
    tests::WriteText(dir_ / "in/broken.jpg", "no picture");
    ASSERT_EQ(RunProgram("annotate " + (dir_ / "in") + " -q --min-quality 0.05 -o " + shards()).code, 0);
  }
  std::string shards() const { return dir_ / "shards"; }
  tests::ProgramOutcome Blur(const std::string& options) const {
    return RunProgram("export " + shards() + " -q --blur-faces " + options);
  }
  tests::TempDir dir_;
};

TEST_F(BlurFacesTest, NoFaceAndNothingButPixelsIsLeft) {
  const auto outcome = Blur("--images " + (dir_ / "in") + " -o " + (dir_ / "out"));
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_NE(outcome.text.find("out: 4 images, "), std::string::npos) << outcome.text;
  EXPECT_NE(outcome.text.find("1 images without a face"), std::string::npos) << outcome.text;
  EXPECT_NE(tests::ReadText(dir_ / "out/left-out.jsonl").find("broken.jpg"), std::string::npos);
  // Twice as sharp an eye as looked before.
  const auto detector = annotator::MakeHogDetector({.upsample = 1});
  for (const char* name : {"a.jpg", "below/b.png", "c.jpg", "empty.jpg"}) {
    const std::string file = dir_ / (std::string("out/") + name);
    const std::string bytes = tests::ReadText(file);
    for (const char* trace : {"Exif", "GPS", "thumbnail", "tEXt", "eXIf", "iCCP"}) EXPECT_EQ(bytes.find(trace), std::string::npos) << name;
    const cv::Mat before = cv::imread(dir_ / (std::string("in/") + name)), after = cv::imread(file);
    ASSERT_EQ(before.size(), after.size()) << name;
    EXPECT_TRUE(annotator::DetectFaces(*detector, after, 40).empty()) << name;
  }
  // Where a face was, nothing resembles it: hashes of others differ by as much.
  const annotator::Landmarker landmarker;
  const datasets::ShardReader shard(shards() + "/00000.h5");
  ASSERT_GE(shard.FaceCount(), 5U);
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    const std::string& key = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).key;
    const cv::Mat after = cv::imread(dir_ / ("out/" + key));
    const auto found = landmarker.FindSteady(after, shard.FaceBox(i));
    EXPECT_GT(features::HashDistance(features::FaceHashOf(after, shard.Landmarks(i)), shard.CropHashes()[i]), 60) << key;
    EXPECT_GT(features::HashDistance(features::FaceHashOf(after, found), shard.CropHashes()[i]), 60) << key;
  }
}

TEST_F(BlurFacesTest, WhatIsNoLongerWhatWasLabelledIsListed) {
  cv::imwrite(dir_ / "in/c.jpg", cv::imread(dir_ / "in/c.jpg"), {cv::IMWRITE_JPEG_QUALITY, 50});
  fs::remove(dir_ / "in/a.jpg");
  cv::imwrite(dir_ / "in/new.jpg", tests::Texture(100, 100, 3, 9));
  fs::rename(dir_ / "in/below", dir_ / "in/elsewhere");  // known by its bytes
  const auto outcome = Blur("--images " + (dir_ / "in") + " -o " + (dir_ / "out"));
  EXPECT_EQ(outcome.code, 3) << outcome.text;
  EXPECT_NE(outcome.text.find("2 missing, 1 changed since they were labelled, 1 never labelled, 1 that cannot be read"), std::string::npos)
      << outcome.text;
  EXPECT_TRUE(fs::exists(dir_ / "out/elsewhere/b.png"));
  for (const char* name : {"a.jpg", "c.jpg", "new.jpg", "broken.jpg"}) {
    EXPECT_FALSE(fs::exists(fs::path(dir_ / "out") / name)) << name;
    EXPECT_NE(tests::ReadText(dir_ / "out/left-out.jsonl").find(name), std::string::npos) << name;
  }
}

TEST_F(BlurFacesTest, OnlyImagesThatAreAskedFor) {
  const auto outcome = Blur("--source b.png --images " + (dir_ / "in") + " -o " + (dir_ / "out"));
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_TRUE(fs::exists(dir_ / "out/below/b.png"));
  EXPECT_FALSE(fs::exists(dir_ / "out/a.jpg"));
  EXPECT_FALSE(fs::exists(dir_ / "out/empty.jpg"));
  EXPECT_EQ(Blur("--images " + (dir_ / "in") + " -o " + (dir_ / "out")).code, 2) << "the folder is not empty";
}

TEST(BlurFacesOptions, GoTogether) {
  const tests::TempDir dir;
  const auto expect = [&](const std::string& options, const std::string& part) {
    const auto outcome = RunProgram("export " + dir.path().string() + " " + options);
    EXPECT_EQ(outcome.code, 2) << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << outcome.text;
  };
  expect("-o " + (dir / "x"), "--format is required");
  expect("--blur-faces -o " + (dir / "x"), "needs --images");
  expect("--blur-faces --images a --format csv -o " + (dir / "x"), "leave --format csv out");
  expect("--blur-faces --images a --limit 3 -o " + (dir / "x"), "--limit");
  expect("--images a --format csv -o " + (dir / "x"), "goes with --blur-faces");
}

}  // namespace
}  // namespace auforge::tools
