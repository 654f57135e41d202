// The trainer of detectors, at toy size: faces that are dots on a disc.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "annotator/landmarker.h"
#include "annotator/net_detector.h"
#include "annotator/net_training/augment.h"
#include "annotator/net_training/detector_scene.h"
#include "annotator/net_training/train_detector.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

PointFace Draw(std::mt19937_64& random) {
  PointFace face;
  const features::Similarity place{30, 0, 60, 56};
  face.points = features::Transform(place, features::MeanFace());
  face.known.fill(true);
  face.seen.fill(1);
  face.picture = cv::Mat(128, 120, CV_8UC3, cv::Scalar(Uniform(random, 60, 120), Uniform(random, 60, 120), Uniform(random, 60, 120)));
  const features::Box box = BoxAround(face.points);
  cv::circle(face.picture, {static_cast<int>(box.x + box.width / 2), static_cast<int>(box.y + box.height / 2)}, static_cast<int>(box.width / 2), {190, 200, 220}, cv::FILLED);
  for (const std::size_t i : {36, 39, 42, 45, 30, 48, 54, 57})
    cv::circle(face.picture, {static_cast<int>(face.points[i].x), static_cast<int>(face.points[i].y)}, 4, {10, 10, 10}, cv::FILLED);
  return face;
}

std::vector<PointFace> Faces(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<PointFace> faces;
  for (std::size_t i = 0; i < n; ++i) faces.push_back(Draw(random));
  return faces;
}

std::vector<cv::Mat> Backgrounds() {
  std::vector<cv::Mat> all;
  for (std::uint64_t i = 0; i < 8; ++i) all.push_back(tests::Texture(160, 130, 3, i));
  return all;
}

DetectorTrainOptions Options() {
  DetectorTrainOptions options;
  options.side = 64;
  options.stem = 8, options.second = 16, options.third = 16, options.wide = 16, options.narrow = 16;
  options.context = 1, options.merge = 16, options.last = 16;
  options.batch = 8;
  options.steps = 12;
  options.reduced = false;
  options.rate = 6e-3;
  return options;
}

TEST(DetectorScene, IsAFunctionOfItsStreamAndKnowsItsFaces) {
  const std::vector<PointFace> faces = Faces(10, 1), none;
  const std::vector<cv::Mat> backgrounds = Backgrounds();
  const SceneSources sources{&faces, &none, &backgrounds, .5};
  std::size_t wanted = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed), again(seed);
    const Scene scene = FaceScene(sources, {}, random), same = FaceScene(sources, {}, again);
    ASSERT_EQ(scene.picture.size(), cv::Size(128, 128));
    EXPECT_EQ(cv::norm(scene.picture, same.picture, cv::NORM_INF), 0);
    ASSERT_EQ(scene.faces.size(), same.faces.size());
    for (const SceneFace& face : scene.faces) {
      if (!face.wanted) continue;
      ++wanted;
      EXPECT_GE(face.box.width, 12);
      EXPECT_LE(face.box.width, 60);
      EXPECT_LT(face.points[0].x, face.points[1].x) << "a face that stands on its head is none";
      EXPECT_LT(face.points[2].y, face.box.y + face.box.height);
    }
    EXPECT_TRUE(EmptyScene(sources, {}, random).faces.empty());
  }
  EXPECT_GT(wanted, 30U);
}

TEST(TrainDetector, FindsFacesThatItHasNotSeen) {
  DetectorTrainOptions options = Options();
  options.steps = 500;
  options.batch = 16;
  const std::vector<PointFace> none;
  const DetectorTrainSummary summary = TrainDetector(Faces(40, 1), none, Backgrounds(), options, {}, {});
  EXPECT_TRUE(summary.finished);
  const auto detector = MakeNetDetector(std::make_shared<const features::GridNet>(features::GridNet::FromWeights(summary.net)), "toy", 0);
  int found = 0, off = 0;
  const std::vector<PointFace> others = Faces(20, 3);
  for (const PointFace& face : others) {
    const features::Box there = BoxAround(face.points);
    const auto faces = DetectFaces(*detector, face.picture, there.width);
    for (std::size_t i = 0; i < faces.size(); ++i) (features::Overlap(faces[i].box, there) > .6F ? found : off) += 1;
  }
  EXPECT_GE(found, 18);
  EXPECT_LE(off, 2);
}

TEST(TrainDetector, GoesOnWhereItWasStopped) {
  const tests::TempDir dir;
  DetectorTrainOptions options = Options();
  options.steps = 160;  // beyond the first search for backgrounds that fool it
  options.batch = 4;
  const std::vector<PointFace> renders = Faces(20, 1), photos = Faces(4, 2);
  const DetectorTrainSummary whole = TrainDetector(renders, photos, Backgrounds(), options, {}, {});
  options.state = dir / "net.state";
  for (const int stop_after : {100, 155}) {
    int asked = 0, before = stop_after == 100 ? 0 : 100;
    EXPECT_FALSE(TrainDetector(renders, photos, Backgrounds(), options, {}, [&] { return ++asked > stop_after - before; }).finished);
  }
  const DetectorTrainSummary rest = TrainDetector(renders, photos, Backgrounds(), options, {}, {});
  EXPECT_EQ(features::GridNet::FromWeights(rest.net).Serialise(), features::GridNet::FromWeights(whole.net).Serialise());
  DetectorTrainOptions other = options;
  other.seed = 9;
  EXPECT_THROW(TrainDetector(renders, photos, Backgrounds(), other, {}, {}), std::invalid_argument) << "another training";
  std::vector<cv::Mat> fewer = Backgrounds();
  fewer.pop_back();
  EXPECT_THROW(TrainDetector(renders, photos, fewer, options, {}, {}), std::invalid_argument) << "before other backgrounds";
}

TEST(TrainDetector, RefusesWhatItCannotTrainOn) {
  const std::vector<PointFace> none;
  EXPECT_THROW(TrainDetector(none, none, Backgrounds(), Options(), {}, {}), std::invalid_argument);
  EXPECT_THROW(TrainDetector(Faces(30, 1), none, {}, Options(), {}, {}), std::invalid_argument);
  DetectorTrainOptions odd = Options();
  odd.side = 100;
  EXPECT_THROW(odd.Validate(), std::invalid_argument);
  EXPECT_THROW(LoadBackgrounds({"/nowhere"}, {}), std::runtime_error);
}

}  // namespace
}  // namespace auforge::annotator
