// Videos as streams of frames: which frames, in which order, and what is said of files that are none, or not
// whole.
#include "datasets/video_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "datasets/image_codec.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/video_file.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// What a reader gives: the frames' numbers as their pixels say, and the last item where that is no frame.
struct Seen {
  std::vector<int> frames;
  std::vector<long> numbers;  // as the reader says
  std::vector<std::string> keys;
  ImageItem fault;
};

Seen ReadAll(ItemReader& reader) {
  Seen seen;
  ImageItem item;
  while (reader.Next(item)) {
    if (item.status != Outcome::kOk) {
      EXPECT_TRUE(seen.fault.message.empty()) << "one fault a video";
      seen.fault = item;
      continue;
    }
    const DecodedImage picture = DecodeImage(item.bytes, {});
    EXPECT_EQ(picture.status, Outcome::kOk) << item.path;
    seen.frames.push_back(tests::NumberOfFrame(picture.bgr));
    seen.keys.push_back(item.key);
    if (const auto* video = dynamic_cast<VideoReader*>(&reader)) seen.numbers.push_back(video->frame());
  }
  return seen;
}

Seen ReadVideo(const std::string& path, VideoOptions options = {}) {
  VideoReader reader(path, std::move(options));
  return ReadAll(reader);
}

TEST(VideoReader, GivesEveryFrameInOrderCountedFromOne) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(12));
  VideoReader reader(dir / "v.avi", {});
  const Seen seen = ReadAll(reader);
  ASSERT_EQ(seen.frames.size(), 12U);
  for (int n = 1; n <= 12; ++n) {
    EXPECT_EQ(seen.frames[static_cast<std::size_t>(n - 1)], n);
    EXPECT_EQ(seen.numbers[static_cast<std::size_t>(n - 1)], n);
  }
  EXPECT_EQ(seen.keys.front(), "v/00001");
  EXPECT_EQ(seen.keys.back(), "v/00012");
  EXPECT_TRUE(seen.fault.message.empty()) << seen.fault.message;
  EXPECT_EQ(reader.frames_read(), 12);
}

TEST(VideoReader, GivesTheWantedFramesAlone) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(12));
  const Seen seen = ReadVideo(dir / "v.avi", {.frames = {2, 3, 9}, .program = {}});
  EXPECT_EQ(seen.frames, (std::vector<int>{2, 3, 9}));
  EXPECT_EQ(seen.numbers, (std::vector<long>{2, 3, 9}));
  EXPECT_TRUE(seen.fault.message.empty());
}

TEST(VideoReader, FramesBeyondTheEndAreNotThere) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(5));
  VideoReader reader(dir / "v.avi", {.frames = {4, 7}, .program = {}});
  const Seen seen = ReadAll(reader);
  EXPECT_EQ(seen.frames, std::vector<int>{4});
  EXPECT_TRUE(seen.fault.message.empty()) << "the video is whole: " << seen.fault.message;
  EXPECT_EQ(reader.frames_read(), 5);
}

TEST(VideoReader, ACutVideoGivesWhatItHasAndSaysSo) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(40));
  tests::CutShort(dir / "v.avi", 0.6);
  const Seen seen = ReadVideo(dir / "v.avi");
  EXPECT_GT(seen.frames.size(), 10U);
  EXPECT_LT(seen.frames.size(), 40U);
  for (std::size_t i = 0; i < seen.frames.size(); ++i) EXPECT_EQ(seen.frames[i], static_cast<int>(i) + 1);
  EXPECT_EQ(seen.fault.status, Outcome::kUnreadable);
  EXPECT_EQ(seen.fault.path, dir / "v.avi");
  EXPECT_THAT(seen.fault.message,
              AllOf(HasSubstr("is cut short"), HasSubstr("of 40"), HasSubstr("copy it again")));
  // Who wants only what is there has nothing to complain of.
  EXPECT_TRUE(ReadVideo(dir / "v.avi", {.frames = {1, 5}, .program = {}}).fault.message.empty());
}

TEST(VideoReader, AFrameThatCannotBeDecodedIsOneOfThem) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(30));
  tests::DamageFrames(dir / "v.avi", {11, 15, 16});
  VideoReader reader(dir / "v.avi", {});
  ImageItem item;
  std::vector<long> lost;
  for (long n = 1; reader.Next(item); ++n) {
    EXPECT_EQ(reader.frame(), n);
    EXPECT_EQ(item.path, dir / "v.avi:" + std::to_string(n));
    if (item.status == Outcome::kOk) {
      EXPECT_EQ(tests::NumberOfFrame(DecodeImage(item.bytes, {}).bgr), n);
      continue;
    }
    EXPECT_EQ(item.status, Outcome::kUndecodable);
    EXPECT_FALSE(item.message.empty());
    lost.push_back(n);
  }
  EXPECT_EQ(lost, (std::vector<long>{11, 15, 16}));
  EXPECT_EQ(reader.frames_read(), 30);
  // Who asks for some frames hears of the lost ones among them alone.
  VideoReader some(dir / "v.avi", {.frames = {10, 15, 17}, .program = {}});
  std::vector<Outcome> outcomes;
  while (some.Next(item)) outcomes.push_back(item.status);
  EXPECT_EQ(outcomes, (std::vector<Outcome>{Outcome::kOk, Outcome::kUndecodable, Outcome::kOk}));
}

TEST(VideoReader, WhatIsNoVideoIsOneUnreadableItem) {
  const tests::TempDir dir;
  tests::WriteText(dir / "text.avi", "no video");
  tests::WriteText(dir / "empty.avi", "");
  tests::WriteVideo(dir / "head.avi", tests::NumberedFrames(3));
  tests::CutShort(dir / "head.avi", 0.02);
  for (const char* name : {"text.avi", "empty.avi", "head.avi"}) {
    const Seen seen = ReadVideo(dir / name);
    EXPECT_TRUE(seen.frames.empty()) << name;
    EXPECT_EQ(seen.fault.status, Outcome::kUnreadable) << name;
    EXPECT_EQ(seen.fault.path, dir / name);
    EXPECT_THAT(seen.fault.message, HasSubstr("copy it again")) << name;
  }
  const Seen gone = ReadVideo(dir / "gone.avi");
  EXPECT_EQ(gone.fault.message, "no such file");
}

TEST(VideoReader, ADecoderThatFailsIsOneUnreadableItem) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(3));
  const auto with = [&](const char* program, int seconds = 10) {
    return ReadVideo(dir / "v.avi", {.frames = {1, 2}, .program = program, .seconds = seconds}).fault.message;
  };
  EXPECT_THAT(with("/nonexistent/decoder"),
              AllOf(HasSubstr("/nonexistent/decoder"), HasSubstr("auforge-video")));
  EXPECT_THAT(with("false"), HasSubstr("broke down"));
  EXPECT_THAT(with("echo"), HasSubstr("nonsense"));
  tests::WriteText(dir / "hangs.sh", "#!/bin/sh\nexec sleep 60\n");
  fs::permissions(dir / "hangs.sh", fs::perms::owner_all);
  EXPECT_THAT(with((dir / "hangs.sh").c_str(), 1), HasSubstr("more than 1 s"));
}

TEST(VideoReader, OptionsAreChecked) {
  EXPECT_THROW(VideoReader("v.avi", {.frames = {0}, .program = {}}), std::invalid_argument);
  EXPECT_THROW(VideoReader("v.avi", {.frames = {3, 2}, .program = {}}), std::invalid_argument);
  EXPECT_THROW(VideoReader("v.avi", {.frames = {}, .program = {}, .seconds = 0}), std::invalid_argument);
}

TEST(VideoReader, IsToldByTheName) {
  EXPECT_TRUE(LooksLikeVideo("a/LeftVideoSN001_comp.avi"));
  EXPECT_TRUE(LooksLikeVideo("A.MP4"));
  for (const char* name : {"a.flv", "a.3gp", "a.ts", "a.MTS", "a.ogv"}) EXPECT_TRUE(LooksLikeVideo(name)) << name;
  EXPECT_FALSE(LooksLikeVideo("avi"));
  EXPECT_FALSE(LooksLikeVideo("a.avi.jpg"));
}

TEST(ImageSource, AVideoThatIsNamedIsAShardOfItsFrames) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "one.avi", tests::NumberedFrames(4));
  tests::WriteVideo(dir / "two.avi", tests::NumberedFrames(2));
  const ImageSource source = ImageSource::Plan({dir / "one.avi", dir / "two.avi"}, {});
  ASSERT_EQ(source.Shards().size(), 2U);
  EXPECT_EQ(source.Shards()[0].name, dir / "one.avi");
  const auto first = source.Open(source.Shards()[0]);
  EXPECT_EQ(ReadAll(*first).frames, (std::vector<int>{1, 2, 3, 4}));
  const auto second = source.Open(source.Shards()[1]);
  EXPECT_EQ(ReadAll(*second).keys, (std::vector<std::string>{"two/00001", "two/00002"}));
}

TEST(ImageSource, VideosOfAFolderAreLeftAlone) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "one.avi", tests::NumberedFrames(2));
  tests::WriteText(dir / "a.jpg", "picture");
  const ImageSource source = ImageSource::Plan({dir.path().string()}, {});
  ASSERT_EQ(source.Shards().size(), 1U);
  EXPECT_EQ(source.Shards()[0].count, 1U);
}

}  // namespace
}  // namespace auforge::datasets
