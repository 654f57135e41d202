// Which picture a frame of an OpenFace sequence is: by OpenFace's order of listing, never by the digits in names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "datasets/labels/label_set.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

void Put(const tests::TempDir& dir, const std::string& name, const std::string& text) {
  fs::create_directories((dir.path() / name).parent_path());
  tests::WriteText(dir / name, text);
}

// AU01 of frame n is n / 100.
std::string Sequence(int first, int last) {
  std::string text = "frame, face_id, timestamp, confidence, success, AU01_r\n";
  for (int frame = first; frame <= last; ++frame)
    text += std::to_string(frame) + ", 0, 0.000, 0.98, 1, " + std::to_string(frame / 100.0) + "\n";
  return text;
}

// Names and the hundredfold AU01 of each, in order of the set.
std::vector<std::pair<std::string, long>> Pairs(const LabelSet& set) {
  std::vector<std::pair<std::string, long>> pairs;
  for (const LabelledImage& image : set.images) {
    const float au = image.intensity.at(*set.schema.Find(1));
    pairs.emplace_back(fs::path(image.image).filename().string(), std::lround(100 * au));
  }
  return pairs;
}

std::string Padded(int number, std::size_t digits) {
  std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

std::string ErrorOf(const tests::TempDir& dir, const std::string& file, const LabelOptions& options = {}) {
  try {
    ImportLabels("openface", dir / file, options);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(OpenFaceFrames, PicturesNumberedFromNoughtAreNotTheirNeighbours) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 40));
  for (int n = 0; n < 40; ++n) Put(dir, "clip/" + Padded(n, 9) + ".jpg", "picture");
  const auto pairs = Pairs(ImportLabels("openface", dir / "clip.csv", {}));
  ASSERT_THAT(pairs, SizeIs(40));
  for (int n = 0; n < 40; ++n) EXPECT_EQ(pairs[static_cast<std::size_t>(n)], std::pair(Padded(n, 9) + ".jpg", n + 1L));
}

TEST(OpenFaceFrames, KeyFramesAreCountedNotRead) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 3));
  for (const int n : {10, 20, 30}) Put(dir, "keys/frame_" + Padded(n, 3) + ".PNG", "picture");
  LabelOptions options;
  options.images = {dir / "keys"};
  const LabelSet set = ImportLabels("openface", dir / "clip.csv", options);
  EXPECT_EQ(Pairs(set), (std::vector<std::pair<std::string, long>>{
                            {"frame_010.PNG", 1}, {"frame_020.PNG", 2}, {"frame_030.PNG", 3}}));
  EXPECT_TRUE(set.faults.empty());
}

TEST(OpenFaceFrames, TheOrderIsOfNamesAsOpenFaceListsThem) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 11));
  for (int n = 1; n <= 11; ++n) Put(dir, "clip/" + std::to_string(n) + ".jpg", "picture");
  const LabelSet set = ImportLabels("openface", dir / "clip.csv", {});
  EXPECT_EQ(Pairs(set)[1].first, "10.jpg");
  EXPECT_THAT(set.notes, Contains(HasSubstr("frame 2 is 10.jpg")));
}

TEST(OpenFaceFrames, CountsThatDifferAreRefusedWithBothNumbers) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 40));
  for (int n = 0; n < 39; ++n) Put(dir, "clip/" + Padded(n, 4) + ".jpg", "picture");
  EXPECT_THAT(ErrorOf(dir, "clip.csv"), AllOf(HasSubstr("40 frames"), HasSubstr("39 pictures"), HasSubstr("_frames.csv")));
  Put(dir, "clip/0039.jpg", "picture");
  Put(dir, "clip/0040.jpg", "picture");
  EXPECT_THAT(ErrorOf(dir, "clip.csv"), AllOf(HasSubstr("40 frames"), HasSubstr("41 pictures")));
}

TEST(OpenFaceFrames, TwoFilesWithTheSameNumberAreNamed) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 3));
  for (const char* name : {"001.jpg", "002.jpg", "002.png", "003.jpg"}) Put(dir, std::string("clip/") + name, "picture");
  EXPECT_THAT(ErrorOf(dir, "clip.csv"),
              AllOf(HasSubstr("002.jpg and 002.png"), HasSubstr("3 frames"), HasSubstr("4 pictures")));
}

TEST(OpenFaceFrames, OurOwnTableOfFramesSaysIt) {
  const tests::TempDir dir;
  Put(dir, "faces.csv", Sequence(1, 3));
  Put(dir, "faces_frames.csv", "frame,key,url\n1,sub/c.jpg,\n2,a.jpg,http://x/a.jpg\n3,\"b,2\",\n");
  for (const char* name : {"sub/c.jpg", "a.jpg", "b,2.png", "more.jpg"}) Put(dir, std::string("photos/") + name, "picture");
  LabelOptions options;
  options.images = {dir / "photos"};
  EXPECT_EQ(Pairs(ImportLabels("openface", dir / "faces.csv", options)),
            (std::vector<std::pair<std::string, long>>{{"c.jpg", 1}, {"a.jpg", 2}, {"b,2.png", 3}}));
  // A folder's tables of frames are no label files.
  EXPECT_TRUE(ImportLabels("openface", dir.path().string(), options).faults.empty());
}

TEST(OpenFaceFrames, AVideoIsReadByItsFrames) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 3));
  Put(dir, "films/any.mp4", "video");
  LabelOptions options;
  options.images = {dir / "films/any.mp4"};
  LabelSet set = ImportLabels("openface", dir / "clip.csv", options);
  ASSERT_THAT(set.images, SizeIs(3));
  EXPECT_EQ(set.images[2].frame, 3);
  EXPECT_EQ(set.images[2].image, dir / "films/any.mp4");
  EXPECT_EQ(set.frames_of_video.at(dir / "films/any.mp4"), 3);
  Put(dir, "clip.avi", "video");
  set = ImportLabels("openface", dir / "clip.csv", {});
  ASSERT_THAT(set.images, SizeIs(3));
  EXPECT_EQ(set.images[0].image, dir / "clip.avi");
  Put(dir, "clip.mkv", "video");
  EXPECT_THAT(ErrorOf(dir, "clip.csv"), AllOf(HasSubstr("clip.avi"), HasSubstr("clip.mkv"), HasSubstr("images=VIDEO")));
}

TEST(OpenFaceFrames, AFrameThatIsNoNumberIsAFault) {
  const tests::TempDir dir;
  Put(dir, "clip.csv", Sequence(1, 2) + "0x3, 0, 0, 0.98, 1, 0.5\n1e99, 0, 0, 0.98, 1, 0.5\n");
  for (const char* name : {"1.jpg", "2.jpg"}) Put(dir, std::string("clip/") + name, "picture");
  const LabelSet set = ImportLabels("openface", dir / "clip.csv", {});
  EXPECT_THAT(set.images, SizeIs(2));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("clip.csv:4"), HasSubstr("0x3"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("clip.csv:5"), HasSubstr("1e99"))));
}

TEST(OpenFaceFrames, APictureInTwoFormatsIsNamed) {
  const tests::TempDir dir;
  Put(dir, "a.csv", "face, confidence, AU01_r\n0, 0.98, 1.5\n");
  Put(dir, "a.jpg", "picture");
  Put(dir, "a.png", "picture");
  EXPECT_THAT(ErrorOf(dir, "a.csv"), AllOf(HasSubstr("a.jpg"), HasSubstr("a.png")));
}

TEST(DisfaFrames, NumberedFromNoughtAreMovedUpAndSaid) {
  const tests::TempDir dir;
  for (const int au : {1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26})
    Put(dir, "ActionUnit_Labels/SN001/SN001_au" + std::to_string(au) + ".txt", au == 12 ? "1,1\n2,2\n3,3\n" : "1,0\n2,0\n3,0\n");
  const std::string folder = "Videos_LeftCamera/LeftVideoSN001_comp/";
  for (const char* name : {"000.png", "001.png", "002.png"}) Put(dir, folder + name, "picture");
  LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  ASSERT_THAT(set.images, SizeIs(3));
  EXPECT_TRUE(set.images[0].image.ends_with("000.png"));
  EXPECT_EQ(set.images[0].intensity.at(*set.schema.Find(12)), 1);
  EXPECT_THAT(set.notes, Contains(HasSubstr("numbered from 0")));
  fs::remove(dir / (folder + "002.png"));
  set = ImportLabels("disfa", dir.path().string(), {});
  EXPECT_TRUE(set.images.empty());
  EXPECT_EQ(set.labels_without_image, 3U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("2 of numbers 0..1"), HasSubstr("3 of numbers 1..3"))));
}

TEST(DisfaFrames, TwoWithOneNumberAreNamed) {
  const tests::TempDir dir;
  for (const int au : {1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26})
    Put(dir, "ActionUnit_Labels/SN001/SN001_au" + std::to_string(au) + ".txt", "1,0\n2,0\n");
  for (const char* name : {"1.png", "2.png", "02.jpg"})
    Put(dir, std::string("Videos_LeftCamera/LeftVideoSN001_comp/") + name, "picture");
  const LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  EXPECT_THAT(set.images, SizeIs(1));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("2.png"), HasSubstr("02.jpg"), HasSubstr("number 2"))));
}

}  // namespace
}  // namespace auforge::datasets
