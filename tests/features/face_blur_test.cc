#include "features/face_blur.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <random>

#include "tests/support/faces.h"

namespace auforge::features {
namespace {

constexpr Box kFace{80, 60, 100, 120};

bool IsInside(int x, int y, const Box& box) {
  return cv::Rect_<float>(box.x, box.y, box.width, box.height).contains({static_cast<float>(x), static_cast<float>(y)});
}

TEST(FaceBlur, LeavesTheRestAsItIs) {
  const cv::Mat image = tests::Texture(300, 260, 3, 1);
  cv::Mat blurred = image.clone();
  BlurFace(blurred, kFace);
  EXPECT_EQ(blurred.size(), image.size());
  int changed_inside = 0, inside = 0;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      const bool is_same = image.at<cv::Vec3b>(y, x) == blurred.at<cv::Vec3b>(y, x);
      if (IsInside(x, y, kFace)) {
        ++inside;
        changed_inside += is_same ? 0 : 1;
      }
      const double far = std::hypot((x + 0.5 - 130) / 50, (y + 0.5 - 120) / 60);
      EXPECT_TRUE(is_same || far <= 1.7) << x << " " << y;
    }
  }
  EXPECT_GT(changed_inside, 0.95 * inside);
}

// Whatever stood in the face: where the twelve means are the same, the picture is. Nobody can tell from it which it was.
TEST(FaceBlur, NothingButTwelveColoursIsLeftOfAFace) {
  // The whole picture lies in the ellipse, and its cells are of whole pixels.
  const int width = 30 * kBlurColumns, height = 30 * kBlurRows;
  const Box box{-40, -40, static_cast<float>(width + 80), static_cast<float>(height + 80)};
  const cv::Mat image = tests::Texture(width, height, 3, 2);
  cv::Mat other = image.clone();
  std::mt19937 random(3);
  for (int row = 0; row < kBlurRows; ++row) {
    for (int column = 0; column < kBlurColumns; ++column) {
      std::vector<cv::Vec3b> pixels;
      cv::Mat cell = other(cv::Rect(30 * column, 30 * row, 30, 30));
      for (int y = 0; y < 30; ++y) pixels.insert(pixels.end(), cell.ptr<cv::Vec3b>(y), cell.ptr<cv::Vec3b>(y) + 30);
      std::shuffle(pixels.begin(), pixels.end(), random);
      for (int y = 0; y < 30; ++y) std::copy_n(pixels.begin() + 30 * y, 30, cell.ptr<cv::Vec3b>(y));
    }
  }
  ASSERT_GT(cv::norm(image, other, cv::NORM_INF), 20);
  cv::Mat blurred = image.clone();
  BlurFace(blurred, box);
  BlurFace(other, box);
  EXPECT_EQ(cv::norm(blurred, other, cv::NORM_INF), 0);
}

TEST(FaceBlur, BoxesBeyondThePictureAreCut) {
  cv::Mat image = tests::Texture(60, 50, 3, 4);
  const cv::Mat before = image.clone();
  BlurFace(image, {500, 500, 40, 40});
  BlurFace(image, {-500, 10, 40, 40});
  BlurFace(image, {10, 10, 0, 40});
  EXPECT_EQ(cv::norm(before, image, cv::NORM_INF), 0);
  BlurFace(image, {-20, -30, 40, 50});
  BlurFace(image, {55, 45, 30, 30});
  BlurFace(image, {30, 30, 1, 1});
  BlurFace(image, {-1000, -1000, 5000, 5000});
  EXPECT_GT(cv::norm(before, image, cv::NORM_INF), 0);
}

TEST(FaceBlur, HeadsAreLargerThanFaces) {
  const Box head = HeadAround(kFace);
  EXPECT_LT(head.x, kFace.x);
  EXPECT_LT(head.y, kFace.y);
  EXPECT_GT(head.x + head.width, kFace.x + kFace.width);
  EXPECT_GT(head.y + head.height, kFace.y + kFace.height);
  const Box around = BoundingBox(tests::NeutralFace());
  for (const Point2& point : tests::NeutralFace()) {
    EXPECT_TRUE(point.x >= around.x && point.x <= around.x + around.width && point.y >= around.y && point.y <= around.y + around.height);
  }
  EXPECT_EQ(Union({0, 0, 1, 1}, {2, -1, 1, 1}), (Box{0, -1, 3, 2}));
}

}  // namespace
}  // namespace auforge::features
