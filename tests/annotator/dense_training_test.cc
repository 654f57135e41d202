// The trainer of dense points, at toy size: eyes that are dark bars with a dot, mouths that are bars.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "annotator/net_training/augment.h"
#include "annotator/net_training/train_dense.h"
#include "features/align.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

using features::kDenseEye;
using features::Point2;

void Ring(Point2 middle, float width, float height, float outwards, std::span<Point2> to) {
  const std::size_t half = to.size() / 2;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const float angle = 3.14159265F * static_cast<float>(i) / static_cast<float>(half);
    to[i] = {middle.x + outwards * width * std::cos(angle), middle.y - height * std::sin(angle)};
  }
}

// The iris lies anywhere along its eye: the landmarks do not tell where.
PointFace Draw(std::mt19937_64& random) {
  PointFace face;
  const features::Similarity place{static_cast<float>(Uniform(random, 26, 34)), 0, static_cast<float>(Uniform(random, 60, 76)),
                                   static_cast<float>(Uniform(random, 40, 60))};
  face.points = features::Transform(place, features::MeanFace());
  face.known.fill(true);
  face.dense_seen.fill(1);
  const double tone = Uniform(random, 140, 200);
  face.picture = cv::Mat(140, 140, CV_8UC3, cv::Scalar(tone, tone, tone));
  const float gaze = static_cast<float>(Uniform(random, -0.12, 0.12)) * place.a;
  for (std::size_t e = 0; e < 2; ++e) {
    const std::span<Point2> eye = std::span(face.dense).subspan(e * kDenseEye, kDenseEye);
    Point2 middle;
    for (std::size_t i = 0; i < 6; ++i) middle.x += face.points[36 + 6 * e + i].x / 6, middle.y += face.points[36 + 6 * e + i].y / 6;
    const float outwards = e == 0 ? -1.0F : 1.0F;
    Ring(middle, 0.2F * place.a, 0.08F * place.a, outwards, eye.first(16));
    std::fill(eye.begin() + 16, eye.end(), Point2{middle.x + gaze, middle.y});
    cv::circle(face.picture, {static_cast<int>(middle.x + gaze), static_cast<int>(middle.y)}, 3, {0, 0, 0}, cv::FILLED);
  }
  Point2 mouth;
  for (std::size_t i = 48; i < 68; ++i) mouth.x += face.points[i].x / 20, mouth.y += face.points[i].y / 20;
  Ring(mouth, 0.4F * place.a, 0.1F * place.a, -1, std::span(face.dense).subspan(42, 20));
  Ring(mouth, 0.3F * place.a, 0.05F * place.a, -1, std::span(face.dense).subspan(62, 20));
  return face;
}

std::vector<PointFace> Faces(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<PointFace> faces;
  for (std::size_t i = 0; i < n; ++i) faces.push_back(Draw(random));
  return faces;
}

DenseTrainOptions Options() {
  DenseTrainOptions options;
  options.eye_crop = options.mouth_crop = 32;
  options.eye_stem = options.mouth_stem = 8;
  options.eye_blocks = options.mouth_blocks = {12, 12, 12};
  options.batch = 16;
  options.steps = 150;
  options.reduced = false;
  options.rate = 5e-3;
  return options;
}

TEST(TrainDense, FindsIrisesThatLandmarksDoNotTell) {
  const DenseTrainSummary summary = TrainDense(Faces(150, 1), Faces(20, 2), Options(), {}, {});
  EXPECT_TRUE(summary.finished);
  const DenseLandmarker nets = DenseLandmarker::FromWeights(summary.nets);
  double found = 0, middle = 0;
  for (const PointFace& face : Faces(30, 3)) {
    const features::DensePoints points = nets.Find(face.picture, face.points);
    for (const std::size_t at : {std::size_t{0}, kDenseEye}) {
      const Point2 truth = face.dense[at + 16], between = features::Midpoint(face.dense[at], face.dense[at + 8]);
      found += features::Distance(points[at + 16], truth);
      middle += features::Distance(between, truth);
    }
  }
  EXPECT_LT(found, 0.6 * middle);
}

TEST(TrainDense, GoesOnWhereItWasStopped) {
  const tests::TempDir dir;
  DenseTrainOptions options = Options();
  options.steps = 8;
  const std::vector<PointFace> renders = Faces(30, 1), photos = Faces(10, 2);
  const DenseTrainSummary whole = TrainDense(renders, photos, options, {}, {});
  options.state = dir / "state";
  int asked = 0;
  const DenseTrainSummary half = TrainDense(renders, photos, options, {}, [&asked] { return ++asked > 3; });
  EXPECT_FALSE(half.finished);
  EXPECT_EQ(half.steps, 3);
  const DenseTrainSummary rest = TrainDense(renders, photos, options, {}, {});
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(DenseLandmarker::FromWeights(rest.nets).digest(), DenseLandmarker::FromWeights(whole.nets).digest());
  // Not with other options, nor other dense points.
  options.shut_share = 0.5;
  EXPECT_THROW(TrainDense(renders, photos, options, {}, {}), std::invalid_argument);
  options.shut_share = Options().shut_share;
  std::vector<PointFace> others = renders;
  others.back().dense.back().x += 1;
  EXPECT_THROW(TrainDense(others, photos, options, {}, {}), std::invalid_argument);
}

TEST(TrainDense, NamesWhatIsWrongWithItsOptions) {
  DenseTrainOptions options = Options();
  options.eye_crop = 16;
  EXPECT_THROW(TrainDense(Faces(30, 1), {}, options, {}, {}), std::invalid_argument);
  EXPECT_THROW(TrainDense(Faces(3, 1), {}, Options(), {}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
