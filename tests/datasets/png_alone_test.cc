// The PNG of builds without OpenCV's imgcodecs, read by those that have it.
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "datasets/internal/other_formats.h"
#include "tests/support/faces.h"

namespace auforge::datasets {
namespace {

TEST(PngAlone, IsReadAsItWas) {
  ASSERT_FALSE(ReadsOtherFormats()) << "the test has linked the other one";
  for (const int channels : {1, 3}) {
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(7, 3), cv::Size(640, 480)}) {
      const cv::Mat picture = tests::Texture(size.width, size.height, channels, 5);
      const cv::Mat read = cv::imdecode(PngOf(picture), cv::IMREAD_UNCHANGED);
      ASSERT_EQ(read.type(), picture.type());
      EXPECT_EQ(cv::norm(read, picture, cv::NORM_INF), 0) << size << " " << channels;
    }
  }
  // A part of a picture, whose lines do not follow each other.
  const cv::Mat whole = tests::Texture(20, 20, 3, 6), part = whole(cv::Rect(3, 4, 10, 9));
  EXPECT_EQ(cv::norm(cv::imdecode(PngOf(part), cv::IMREAD_UNCHANGED), part, cv::NORM_INF), 0);
  EXPECT_TRUE(PngOf({}).empty());
  EXPECT_TRUE(PngOf(cv::Mat(4, 4, CV_32FC3)).empty());
}

}  // namespace
}  // namespace auforge::datasets
