#include "annotator/net_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <opencv2/core.hpp>
#include <thread>

#include "annotator/detector_answers.h"
#include "datasets/storage/bad_content.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

using features::Box;
using features::Detection;
using features::GridNet;
using testing::HasSubstr;

TEST(DetectorAnswers, SayBoxAndPointsBack) {
  const Box box{31, 12, 22, 22};
  const FivePoints points{{{36, 18}, {46, 18.5F}, {41, 24}, {37, 29}, {45, 29}}};
  const features::Point2 middle = MiddleOf(5, 2, 8);
  EXPECT_EQ(middle, (features::Point2{44, 20}));
  const auto answers = AnswersFor(box, points, middle);
  const Box back = BoxFromAnswers(answers, middle);
  EXPECT_NEAR(back.x, box.x, 1e-4);
  EXPECT_NEAR(back.y, box.y, 1e-4);
  EXPECT_NEAR(back.width, box.width, 1e-4);
  EXPECT_EQ(back.width, back.height);
  const FivePoints again = PointsFromAnswers(answers, middle);
  for (std::size_t i = 0; i < points.size(); ++i) EXPECT_LT(features::Distance(again[i], points[i]), 1e-4);
}

TEST(DetectorAnswers, AbsurdAnswersGiveFiniteBoxes) {
  std::array<float, kDetectorAnswers - 1> answers{};
  answers[2] = 1e6F;
  EXPECT_TRUE(std::isfinite(BoxFromAnswers(answers, {}).width));
  answers[2] = -1e6F;
  EXPECT_GT(BoxFromAnswers(answers, {}).width, 0);
}

Detection At(float x, float y, float side, float score) { return {{x, y, side, side}, score}; }

TEST(BestOfEach, KeepsTheSurestOfOneFaceAndAllOfSeveral) {
  const std::vector<Detection> kept = BestOfEach({At(10, 10, 20, .7F), At(12, 11, 21, .9F), At(60, 10, 20, .8F), At(15, 15, 8, .95F)}, .35F, 10);
  // The smallest lies within the others and is surer: a face is there once.
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].score, .95F);
  EXPECT_EQ(kept[1].score, .8F);
}

TEST(BestOfEach, IsTheSameInAnyOrderAndAtMostSoMany) {
  std::vector<Detection> found;
  for (int i = 0; i < 30; ++i) found.push_back(At(static_cast<float>(i % 6) * 50, static_cast<float>(i / 6) * 50, 20, .6F + .01F * static_cast<float>(i % 3)));
  const std::vector<Detection> kept = BestOfEach(found, .35F, 100);
  EXPECT_EQ(kept.size(), 30U);
  std::vector<Detection> turned(found.rbegin(), found.rend());
  const std::vector<Detection> again = BestOfEach(turned, .35F, 100);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i].box, again[i].box);
  EXPECT_EQ(BestOfEach(found, .35F, 4).size(), 4U);
  EXPECT_TRUE(BestOfEach({}, .35F, 4).empty());
}

std::shared_ptr<const GridNet> SmallNet(std::uint64_t seed) {
  return std::make_shared<const GridNet>(GridNet::FromWeights(tests::RandomGridNet({8, 8, 8, 16, 8, 8, 8}, seed)));
}

TEST(NetDetector, PicturesOfAnySizeAreSearched) {
  const auto detector = MakeNetDetector(SmallNet(4), "test", -.45F);
  EXPECT_EQ(detector->Name(), "auforge-test");
  EXPECT_TRUE(detector->Detect(cv::Mat()).empty());
  EXPECT_TRUE(detector->Detect(cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(9))).empty());
  for (const cv::Size size : {cv::Size(1, 300), cv::Size(300, 1), cv::Size(7, 7), cv::Size(65, 64), cv::Size(20000, 20)}) {
    for (const int type : {CV_8UC1, CV_8UC3}) {
      for (const Detection& found : detector->Detect(cv::Mat(size, type, cv::Scalar::all(90)))) {
        EXPECT_TRUE(std::isfinite(found.box.x + found.box.y + found.box.width));
        EXPECT_GT(found.box.width, 0);
        EXPECT_TRUE(found.points.has_value());
      }
    }
  }
  EXPECT_THROW(detector->Detect(cv::Mat(9, 9, CV_32FC1)), std::invalid_argument);
  EXPECT_THROW(detector->Detect(cv::Mat(9, 9, CV_8UC4)), std::invalid_argument);
}

TEST(NetDetector, ThumbnailsAndStripesGoThroughTheScaling) {
  const auto detector = MakeNetDetector(SmallNet(4), "test", 0);
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 500), cv::Size(20000, 20)})
    EXPECT_NO_THROW(DetectFaces(*detector, cv::Mat(size, CV_8UC3, cv::Scalar::all(90)), 80)) << size;
}

TEST(NetDetector, IsTheSameInManyThreadsAndAfterOtherPictures) {
  const auto net = SmallNet(9);
  const cv::Mat picture = tests::Texture(210, 140, 3, 3), other = tests::Texture(500, 90, 3, 4);
  const std::vector<Detection> alone = MakeNetDetector(net, "a", -.49F)->Detect(picture);
  ASSERT_FALSE(alone.empty()) << "a detector that finds nothing tests nothing";
  std::vector<std::vector<Detection>> found(4);
  {
    std::vector<std::jthread> threads;
    for (std::vector<Detection>& one : found) {
      threads.emplace_back([&] {
        const auto detector = MakeNetDetector(net, "a", -.49F);
        detector->Detect(other);
        one = detector->Detect(picture);
      });
    }
  }
  for (const std::vector<Detection>& one : found) {
    ASSERT_EQ(one.size(), alone.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].box, alone[i].box);
      EXPECT_EQ(one[i].score, alone[i].score);
      EXPECT_EQ(*one[i].points, *alone[i].points);
    }
  }
}

void Write(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string Refusal(const std::string& path) {
  try {
    MakeNetDetector({.model = path});
  } catch (const datasets::storage::BadContent& error) {
    return error.what();
  }
  return "";
}

TEST(NetDetector, ForeignAndDamagedFilesAreRefusedByName) {
  const tests::TempDir dir;
  const std::vector<std::uint8_t> good = SmallNet(2)->Serialise();
  Write(dir / "good.net", good);
  EXPECT_EQ(MakeNetDetector({.model = dir / "good.net"})->Name().size(), std::string("auforge-").size() + 8);
  Write(dir / "cut.net", {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2)});
  EXPECT_THAT(Refusal(dir / "cut.net"), testing::AllOf(HasSubstr("cut.net"), HasSubstr("checksum"), HasSubstr("train-detector")));
  Write(dir / "empty.net", {});
  EXPECT_THAT(Refusal(dir / "empty.net"), HasSubstr("AUFGRID1"));
  Write(dir / "foreign.net", std::vector<std::uint8_t>(5000, 'x'));
  EXPECT_THAT(Refusal(dir / "foreign.net"), HasSubstr("foreign.net: is no face detector"));
  const GridNet other = GridNet::FromWeights(tests::RandomGridNet({8, 8, 8, 16, 8, 8, 8, 2, 5}, 2));
  Write(dir / "five.net", other.Serialise());
  EXPECT_THAT(Refusal(dir / "five.net"), HasSubstr("answers with 5 numbers; must be 14"));
  EXPECT_THROW(MakeNetDetector({.model = dir / "gone.net"}), std::runtime_error);
  EXPECT_THROW(MakeNetDetector(SmallNet(2), "x", .5F), std::invalid_argument);
  EXPECT_THROW(MakeNetDetector(SmallNet(2), "x", std::numeric_limits<float>::quiet_NaN()), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
