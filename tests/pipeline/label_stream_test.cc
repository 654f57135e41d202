// Images from memory: the labels of a run, in order, by any number of threads, streams and processes.
#include "pipeline/label_stream.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "pipeline/annotate.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::pipeline {
namespace {

constexpr std::chrono::milliseconds kWait{100};

std::string Describe(const ExaminedImage& image) {
  std::string text = image.sample.key + " " + std::string(datasets::OutcomeName(image.sample.status));
  for (const datasets::FaceRecord& face : image.faces) {
    text += " " + datasets::storage::HexDigest(datasets::storage::Sha256(face.image));
    for (const float intensity : face.aus.intensity) text += "," + std::to_string(intensity);
  }
  return text;
}

class LabelStreamTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const Labeller> Loaded() {
    static const auto labeller = std::make_shared<const Labeller>(LabelOptions{});
    return labeller;
  }
  // Some of the made-up people, of whom nobody has to ask.
  static datasets::ImageItem People() {
    datasets::ImageItem item = datasets::ReadImageFile(tests::SourcePath("docs/images/cg-people.jpg"), 1 << 26);
    item.key = "people";
    return item;
  }
  static datasets::ImageItem Blank(int number) {
    datasets::ImageItem item;
    item.key = std::to_string(number);
    item.pixels = tests::Texture(40 + number % 30, 40, 3, static_cast<std::uint64_t>(number));
    return item;
  }
  static std::vector<std::string> Finish(LabelStream& stream) {
    std::vector<std::string> said;
    while (stream.InFlight() > 0) {
      const auto group = stream.Pop(kWait);
      if (!group) continue;
      for (const ExaminedImage& image : group->images) said.push_back(Describe(image));
    }
    return said;
  }
  static std::vector<std::string> LabelOne(LabelPool& pool, datasets::ImageItem item) {
    LabelStream stream(pool);
    std::vector<datasets::ImageItem> images;
    images.push_back(std::move(item));
    stream.Push(std::move(images));
    return Finish(stream);
  }

  tests::TempDir dir_;
};

TEST_F(LabelStreamTest, LabelsAreThoseOfARun) {
  AnnotateOptions options;
  options.inputs = {tests::SourcePath("docs/images/cg-people.jpg")};
  options.output = dir_ / "out";
  Annotate(options, {}, {});
  const datasets::ShardReader shard(dir_ / "out/00000.h5");
  LabelPool pool(Loaded(), 2);
  LabelStream stream(pool);
  std::vector<datasets::ImageItem> images;
  images.push_back(People());
  stream.Push(std::move(images));
  std::unique_ptr<ExaminedGroup> group;
  while (!group) group = stream.Pop(kWait);
  ASSERT_EQ(group->images.size(), 1U);
  const ExaminedImage& image = group->images[0];
  EXPECT_EQ(image.sample.sha256, shard.Sample(0).sha256);
  ASSERT_EQ(image.faces.size(), shard.FaceCount());
  ASSERT_GT(image.faces.size(), 10U);
  for (std::size_t i = 0; i < image.faces.size(); ++i) {
    const datasets::FaceRecord stored = shard.Face(i);
    EXPECT_EQ(image.faces[i].image, shard.FaceImage(i));
    EXPECT_EQ(image.faces[i].aus.intensity, stored.aus.intensity);
    EXPECT_EQ(image.faces[i].aus.probability, stored.aus.probability);
    EXPECT_EQ(image.faces[i].aus.quality, stored.aus.quality);
    EXPECT_EQ(image.faces[i].box, stored.box);
    EXPECT_EQ(image.faces[i].emotion_score, stored.emotion_score);
  }
}

TEST_F(LabelStreamTest, PixelsAreAsGoodAsTheirPng) {
  LabelPool pool(Loaded(), 1);
  const cv::Mat pixels = datasets::DecodeImage(People().bytes, {}).bgr;
  datasets::ImageItem png, plain;
  cv::imencode(".png", pixels, png.bytes);
  plain.pixels = pixels;
  EXPECT_EQ(LabelOne(pool, std::move(png)), LabelOne(pool, std::move(plain)));
}

TEST_F(LabelStreamTest, ResultsComeInOrderAndFullIsAnEnd) {
  LabelPool pool(Loaded(), 3);
  LabelStream stream(pool);
  std::vector<std::string> said;
  int number = 0;
  for (int group = 0; group < 40; ++group) {
    std::vector<datasets::ImageItem> images;
    if (group == 0) images.push_back(People());
    for (int i = 0; i < 1 + group % 4; ++i) images.push_back(Blank(number++));
    stream.Push(std::move(images));
    EXPECT_LE(stream.InFlight(), 9U);
    while (stream.Full()) {
      if (const auto done = stream.Pop(kWait)) {
        for (const ExaminedImage& image : done->images) said.push_back(image.sample.key);
      }
    }
  }
  for (const std::string& text : Finish(stream)) said.push_back(text.substr(0, text.find(' ')));
  ASSERT_EQ(said.size(), static_cast<std::size_t>(number) + 1);
  EXPECT_EQ(said[0], "people");
  for (int i = 0; i < number; ++i) EXPECT_EQ(said[static_cast<std::size_t>(i) + 1], std::to_string(i));
}

TEST_F(LabelStreamTest, ManyStreamsShareAPool) {
  LabelPool pool(Loaded(), 2);
  const auto expected = LabelOne(pool, People());
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&] { wrong += LabelOne(pool, People()) != expected; });
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(LabelStreamTest, AStreamThatIsLeftHoldsUpNobody) {
  LabelPool pool(Loaded(), 1);
  const auto expected = LabelOne(pool, Blank(1));
  for (int i = 0; i < 5; ++i) {
    LabelStream stream(pool);
    for (int group = 0; group < 3; ++group) {
      std::vector<datasets::ImageItem> images;
      for (int n = 0; n < 4; ++n) images.push_back(People());
      stream.Push(std::move(images));
    }
  }
  EXPECT_EQ(LabelOne(pool, Blank(1)), expected);
  pool.Stop();
  EXPECT_EQ(LabelOne(pool, Blank(1)), expected);
}

TEST_F(LabelStreamTest, WhatWasStoppedIsSaid) {
  LabelPool pool(Loaded(), 1);
  LabelStream stream(pool);
  for (int group = 0; group < 3; ++group) {
    std::vector<datasets::ImageItem> images;
    for (int n = 0; n < 4; ++n) images.push_back(People());
    stream.Push(std::move(images));
  }
  pool.Stop();
  EXPECT_THROW(Finish(stream), std::runtime_error);
}

TEST_F(LabelStreamTest, AForkHasThreadsOfItsOwn) {
  LabelPool pool(Loaded(), 2);
  const auto expected = LabelOne(pool, People());
  LabelStream begun(pool);
  std::vector<datasets::ImageItem> images;
  images.push_back(Blank(1));
  begun.Push(std::move(images));
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    int status = LabelOne(pool, People()) == expected ? 0 : 1;
    try {
      begun.Pop(kWait);
      status = 2;
    } catch (const std::runtime_error&) {
    }
    _exit(status);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Finish(begun).size(), 1U);
}

TEST_F(LabelStreamTest, OptionsAreChecked) {
  EXPECT_THROW(LabelPool(Loaded(), 0), std::invalid_argument);
  LabelOptions options;
  options.min_face = 5;
  EXPECT_THROW(Labeller{options}, std::invalid_argument);
  options = {};
  options.landmarks = dir_ / "nowhere.dat";
  const Labeller without(options);
  EXPECT_THROW(without.landmarker(), std::runtime_error);
}

}  // namespace
}  // namespace auforge::pipeline
