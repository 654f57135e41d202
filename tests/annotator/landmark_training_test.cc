// The trainer of landmarkers, at toy size: faces that are three dots and a bar.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <opencv2/imgproc.hpp>

#include "annotator/net_training/augment.h"
#include "annotator/net_training/train_landmarks.h"
#include "features/align.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

PointFace Draw(std::mt19937_64& random) {
  PointFace face;
  const features::Similarity place{static_cast<float>(Uniform(random, 14, 20)), static_cast<float>(Uniform(random, -3, 3)),
                                   static_cast<float>(Uniform(random, 40, 56)), static_cast<float>(Uniform(random, 30, 44))};
  face.points = features::Transform(place, features::MeanFace());
  face.known.fill(true);
  face.seen.fill(1);
  face.picture = cv::Mat(96, 96, CV_8UC3, cv::Scalar(Uniform(random, 120, 200), Uniform(random, 120, 200), Uniform(random, 120, 200)));
  for (const std::size_t i : {36, 39, 42, 45, 30, 8})
    cv::circle(face.picture, {static_cast<int>(face.points[i].x), static_cast<int>(face.points[i].y)}, 3, {10, 10, 10}, cv::FILLED);
  return face;
}

std::vector<PointFace> Faces(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<PointFace> faces;
  for (std::size_t i = 0; i < n; ++i) faces.push_back(Draw(random));
  return faces;
}

LandmarkTrainOptions Options() {
  LandmarkTrainOptions options;
  options.first_crop = options.second_crop = 32;
  options.first_stem = options.second_stem = 8;
  options.first_blocks = options.second_blocks = {16, 24};
  options.batch = 16;
  options.photo_batch = 4;
  options.passes = 20;
  options.reduced = false;
  options.rate = 5e-3;
  return options;
}

TEST(TrainLandmarks, FindsFacesThatItHasNotSeen) {
  const LandmarkTrainSummary summary = TrainLandmarks(Faces(200, 1), Faces(20, 2), Options(), {}, {});
  EXPECT_TRUE(summary.finished);
  const NetLandmarker landmarker = NetLandmarker::FromWeights(summary.nets);
  double found = 0, mean_face = 0;
  const std::vector<PointFace> others = Faces(20, 3);
  for (const PointFace& face : others) {
    features::Box box = BoxAround(face.points);
    box.x += 0.15F * box.width;  // as a detector that is off
    const FaceInImage there{&face.picture, box};
    const features::Landmarks68 points = landmarker.Find(std::span(&there, 1)).front().points;
    const features::Similarity shift{1, 0, 0.15F * box.width, 0};
    for (std::size_t i = 0; i < points.size(); ++i) {
      found += features::Distance(points[i], face.points[i]);
      mean_face += features::Distance(shift(face.points[i]), face.points[i]);
    }
  }
  EXPECT_LT(found, 0.5 * mean_face);
}

TEST(TrainLandmarks, GoesOnWhereItWasStopped) {
  const tests::TempDir dir;
  LandmarkTrainOptions options = Options();
  options.passes = 1;
  const std::vector<PointFace> renders = Faces(96, 1), photos = Faces(8, 2);
  const LandmarkTrainSummary whole = TrainLandmarks(renders, photos, options, {}, {});
  options.state = dir / "nets.state";
  int asked = 0;
  const LandmarkTrainSummary half = TrainLandmarks(renders, photos, options, {}, [&asked] { return ++asked > 3; });
  EXPECT_FALSE(half.finished);
  const LandmarkTrainSummary rest = TrainLandmarks(renders, photos, options, {}, {});
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(NetLandmarker::FromWeights(rest.nets).digest(), NetLandmarker::FromWeights(whole.nets).digest());
  LandmarkTrainOptions other = options;
  other.seed = 9;
  EXPECT_THROW(TrainLandmarks(renders, photos, other, {}, {}), std::invalid_argument) << "another training";
  EXPECT_THROW(TrainLandmarks(renders, Faces(8, 3), options, {}, {}), std::invalid_argument) << "of other photographs";
  std::ofstream(dir / "bad.state") << "no state";
  options.state = dir / "bad.state";
  EXPECT_THROW(TrainLandmarks(renders, photos, options, {}, {}), std::runtime_error);
}

TEST(TrainLandmarks, PointsThatAreNotKnownTeachNothing) {
  LandmarkTrainOptions options = Options();
  options.passes = 1;
  std::vector<PointFace> renders = Faces(96, 1), other = renders;
  for (PointFace& face : renders) face.known[0] = false;
  for (PointFace& face : other) face.known[0] = false;
  for (PointFace& face : other) face.points[0] = {-500, 900};
  EXPECT_EQ(NetLandmarker::FromWeights(TrainLandmarks(renders, {}, options, {}, {}).nets).digest(),
            NetLandmarker::FromWeights(TrainLandmarks(other, {}, options, {}, {}).nets).digest());
}

TEST(TrainLandmarks, NamesWhatIsWrongWithItsOptions) {
  const auto fault = [](const auto& change) -> std::string {
    LandmarkTrainOptions options = Options();
    change(options);
    try {
      options.Validate();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault([](auto&) {}), "");
  EXPECT_EQ(fault([](auto& o) { o.batch = 3; }), "landmarks.batch = 3; must be 8..4096");
  EXPECT_EQ(fault([](auto& o) { o.second_crop = 20; }), "landmarks.second_crop = 20; must be 32..256");
  EXPECT_EQ(fault([](auto& o) { o.first_blocks = {}; }), "landmarks.blocks = 0; must be 1..6 numbers of channels");
  EXPECT_THROW(TrainLandmarks(Faces(10, 1), {}, Options(), {}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
