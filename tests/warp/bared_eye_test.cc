// Eyes drawn twice, half covered and wide open: what is painted must be what the lid had covered.
#include "gan/warp/internal/bared_eye.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace auforge::warp::internal {
namespace {

using features::Point2;

constexpr int kWidth = 240, kHeight = 160;
constexpr float kPx = 60, kLeft = 35, kRight = 205, kCorners = 90;  // pixels of a centimetre; the corners
const Point2 kIris{112, 84};
constexpr float kRadius = 0.58F * kPx;
const cv::Vec3f kSkin{0.55F, 0.65F, 0.85F}, kWhite{0.86F, 0.88F, 0.90F}, kBlue{0.60F, 0.45F, 0.30F};

// An opening whose lids are arcs that rise and hang so far, pixels.
Opening Arcs(float up, float down) {
  Opening opening;
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    const float t = static_cast<float>(k) / (kRimPoints - 1), arc = std::sin(t * 3.14159265F), x = kLeft + t * (kRight - kLeft);
    opening.upper[k] = {x, kCorners - up * arc};
    opening.lower[k] = {x, kCorners + down * arc};
  }
  return opening;
}

cv::Mat Eye(const Opening& opening) {
  cv::Mat picture(kHeight, kWidth, CV_32FC3);
  const OpeningFrame frame(opening, kPx);
  picture.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const Point2 p{static_cast<float>(at[1]) + 0.5F, static_cast<float>(at[0]) + 0.5F};
    const InOpening in = frame.At(p);
    c = kSkin;
    if (std::abs(in.across) >= 1 || in.below_upper < 0 || in.above_lower < 0) return;
    const float off = features::Distance(p, kIris) / kRadius;
    c = off < 0.35F ? cv::Vec3f(0.03F, 0.03F, 0.03F) : off < 1 ? kBlue : kWhite;
    if (in.below_upper < 0.05F) c = {0.1F, 0.1F, 0.1F};  // lashes
  });
  return picture;
}

const Opening kHalf = Arcs(28, 26), kWide = Arcs(52, 26);

TEST(BaredEye, FindsTheIrisUnderItsLid) {
  const auto iris = FindIris(kHalf, kPx, Eye(kHalf));
  ASSERT_TRUE(iris.has_value());
  EXPECT_NEAR(iris->along, (kIris.x - kLeft) / kPx, 0.08);
  EXPECT_NEAR(iris->down, (kIris.y - kCorners) / kPx, 0.10);
  EXPECT_NEAR(iris->radius, kRadius / kPx, 0.07);
}

TEST(BaredEye, FindsNoneWhereThereIsNone) {
  EXPECT_FALSE(FindIris(kHalf, kPx, cv::Mat(kHeight, kWidth, CV_32FC3, cv::Scalar(0.4, 0.5, 0.6))).has_value());
  EXPECT_FALSE(FindIris(Arcs(2, 2), kPx, Eye(Arcs(2, 2))).has_value()) << "too narrow to tell";
}

TEST(BaredEye, PaintsWhatTheLidHadCovered) {
  const cv::Mat source = Eye(kHalf), truth = Eye(kWide);
  const auto iris = FindIris(kHalf, kPx, source);
  ASSERT_TRUE(iris.has_value());
  cv::Mat painted = source.clone();
  PaintBared(*iris, kHalf, kWide, kPx, source, {0, 0}, painted);
  const OpeningFrame half(kHalf, kPx), wide(kWide, kPx);
  int pixels = 0, right = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const Point2 p{static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F};
      const InOpening was = half.At(p), is = wide.At(p);
      const auto &c = painted.at<cv::Vec3f>(y, x), &t = truth.at<cv::Vec3f>(y, x);
      if (was.below_upper > 0.3F) {
        EXPECT_EQ(c, source.at<cv::Vec3f>(y, x)) << "the photo's own eye stays: " << x << ' ' << y;
      }
      if (std::abs(was.across) > 0.75F || was.below_upper > -0.02F || is.below_upper < 0.15F) continue;
      ++pixels;
      right += cv::norm(c - t) < 0.25 ? 1 : 0;
    }
  }
  ASSERT_GT(pixels, 500);
  // The rest lies at the iris's rim: it is found to a twentieth of a centimetre.
  EXPECT_GT(right, 0.75 * pixels);
}

TEST(BaredEye, GreyStaysGrey) {
  cv::Mat grey = Eye(kHalf);
  grey.forEach<cv::Vec3f>([](cv::Vec3f& c, const int*) { c = cv::Vec3f::all(c[1]); });
  const auto iris = FindIris(kHalf, kPx, grey);
  ASSERT_TRUE(iris.has_value());
  PaintBared(*iris, kHalf, kWide, kPx, grey.clone(), {0, 0}, grey);
  grey.forEach<cv::Vec3f>([](const cv::Vec3f& c, const int*) { EXPECT_TRUE(c[0] == c[1] && c[1] == c[2]); });
}

}  // namespace
}  // namespace auforge::warp::internal
