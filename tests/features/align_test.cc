#include "features/align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "tests/support/faces.h"

namespace auforge::features {
namespace {

Similarity Turned(float scale, float degrees, float tx, float ty) {
  const float angle = degrees * 3.14159265F / 180;
  return {scale * std::cos(angle), scale * std::sin(angle), tx, ty};
}

TEST(FitSimilarity, RecoversAKnownTransform) {
  const Similarity truth = Turned(1.7F, 23, -40, 12);
  const Landmarks68 source = tests::ShakenFace(1, 5);
  const Landmarks68 target = Transform(truth, source);
  const Similarity found = FitSimilarity(source, target);
  EXPECT_NEAR(found.a, truth.a, 1e-4);
  EXPECT_NEAR(found.b, truth.b, 1e-4);
  EXPECT_NEAR(found.tx, truth.tx, 0.02);
  EXPECT_NEAR(found.ty, truth.ty, 0.02);
}

TEST(FitSimilarity, RefusesWhatHasNoAnswer) {
  const std::vector<Point2> one(1), two(2), three(3);
  EXPECT_THROW(FitSimilarity(one, one), std::invalid_argument);
  EXPECT_THROW(FitSimilarity(two, three), std::invalid_argument);
  EXPECT_THROW(FitSimilarity(two, two), std::invalid_argument);  // both at the origin
}

TEST(Similarity, InverseUndoes) {
  const Similarity s = Turned(0.4F, -70, 8, 99);
  const Point2 p = s.Inverse()(s({31, -7}));
  EXPECT_NEAR(p.x, 31, 1e-3);
  EXPECT_NEAR(p.y, -7, 1e-3);
}

TEST(Mirror, TwiceIsTheSame) {
  const Landmarks68 face = tests::ShakenFace(2, 4);
  const Landmarks68 twice = Mirror(Mirror(face, 256), 256);
  for (std::size_t i = 0; i < face.size(); ++i) {
    EXPECT_NEAR(face[i].x, twice[i].x, 1e-3) << i;
    EXPECT_NEAR(face[i].y, twice[i].y, 1e-3) << i;
  }
}

TEST(Mirror, ExchangesTheEyes) {
  const Landmarks68 face = tests::NeutralFace();
  const Landmarks68 mirrored = Mirror(face, 256);
  EXPECT_LT(mirrored[36].x, mirrored[45].x) << "36 must stay the eye with the smaller x";
  // A symmetric face about x = 128 is its own mirror image.
  for (std::size_t i = 0; i < face.size(); ++i) EXPECT_NEAR(mirrored[i].x, face[i].x, 0.5) << i;
}

TEST(CropFromImage, PutsTheEyesWhereAsked) {
  const AlignOptions options{.size = 200, .inter_ocular = 0.4F, .eye_height = 0.35F};
  const Landmarks68 turned = Transform(Turned(2.5F, 30, 17, -60), tests::NeutralFace());
  const Landmarks68 in_crop = Transform(CropFromImage(turned, options), turned);
  const Point2 middle = Midpoint(RightEyeCentre(in_crop), LeftEyeCentre(in_crop));
  EXPECT_NEAR(middle.x, 100, 2);
  EXPECT_NEAR(middle.y, 70, 3);
  EXPECT_NEAR(InterOcularDistance(in_crop), 80, 3);
  EXPECT_NEAR(RightEyeCentre(in_crop).y, LeftEyeCentre(in_crop).y, 1) << "the eye line must be level";
}

TEST(Warp, IdentityKeepsEveryPixel) {
  const cv::Mat image = tests::Texture(64, 48, 3, 3);
  EXPECT_EQ(cv::norm(Warp(image, {}, 64, 48), image, cv::NORM_INF), 0);
}

TEST(Warp, KeepsPixelCentresAtOneHalf) {
  // Doubling maps the centre of pixel 10 (10.5) to 21, the border between pixels 20 and 21: a ramp shows any shift.
  cv::Mat ramp(40, 40, CV_8UC1);
  for (int x = 0; x < 40; ++x) ramp.col(x).setTo(5 * x);
  const cv::Mat doubled = Warp(ramp, {2, 0, 0, 0}, 80, 80);
  for (int x = 4; x < 76; ++x) {
    const double expected = 5 * ((x + 0.5) / 2 - 0.5);
    EXPECT_NEAR(doubled.at<std::uint8_t>(40, x), expected, 1) << x;
  }
}

TEST(Warp, AveragesWhenItShrinks) {
  // A fine checkerboard must become grey, not a moiré of black and white.
  cv::Mat board(512, 512, CV_8UC1);
  for (int y = 0; y < board.rows; ++y) {
    for (int x = 0; x < board.cols; ++x) board.at<std::uint8_t>(y, x) = (x + y) % 2 == 0 ? 0 : 255;
  }
  const cv::Mat small = Warp(board, {0.125F, 0, 0, 0}, 64, 64);
  double low = 0, high = 0;
  cv::minMaxLoc(small(cv::Rect(4, 4, 56, 56)), &low, &high);
  EXPECT_GT(low, 110);
  EXPECT_LT(high, 145);
}

TEST(AlignFace, LandmarksFollowTheirPixels) {
  // A white dot on a landmark must be at the transformed landmark in the crop.
  cv::Mat image(256, 256, CV_8UC1, cv::Scalar(0));
  const Landmarks68 face = tests::NeutralFace();
  const Point2 nose = face[30];
  cv::circle(image, {static_cast<int>(nose.x * 16 - 8), static_cast<int>(nose.y * 16 - 8)}, 4 * 16, cv::Scalar(255), cv::FILLED,
             cv::LINE_AA, 4);
  const AlignedFace aligned = AlignFace(image, face, {.size = 256});
  const cv::Moments m = cv::moments(aligned.crop);
  const Point2 expected = aligned.crop_from_image(nose);
  EXPECT_NEAR(m.m10 / m.m00 + 0.5, expected.x, 0.2);
  EXPECT_NEAR(m.m01 / m.m00 + 0.5, expected.y, 0.2);
}

TEST(AlignOptions, NamesWhatIsWrong) {
  try {
    AlignOptions{.size = 4}.Validate();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "align.size = 4; must be >= 16 pixels");
  }
  EXPECT_THROW(AlignOptions{.inter_ocular = 2}.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
