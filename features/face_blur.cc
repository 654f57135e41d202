#include "features/face_blur.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace auforge::features {
namespace {

constexpr double kCircumscribed = 1.42;  // semi-axes of the ellipse through a box's corners, in halves of its sides
constexpr double kRim = 0.12;            // of the semi-axes, in which the ellipse fades outwards
constexpr int kColourStep = 8;           // of 256: 5 bits a channel

cv::Mat FewColours(const cv::Mat& part) {
  cv::Mat few;
  cv::resize(part, few, {std::min(kBlurColumns, part.cols), std::min(kBlurRows, part.rows)}, 0, 0, cv::INTER_AREA);
  few.forEach<cv::Vec3b>([](cv::Vec3b& colour, const int*) {
    for (int c = 0; c < 3; ++c) colour[c] = static_cast<std::uint8_t>(colour[c] / kColourStep * kColourStep + kColourStep / 2);
  });
  cv::Mat smooth;
  cv::resize(few, smooth, part.size(), 0, 0, cv::INTER_LINEAR);
  return smooth;
}

}  // namespace

Box HeadAround(const Box& face) {
  return {face.x - 0.1F * face.width, face.y - 0.25F * face.height, 1.2F * face.width, 1.4F * face.height};
}

Box Union(const Box& a, const Box& b) {
  const float left = std::min(a.x, b.x), top = std::min(a.y, b.y);
  return {left, top, std::max(a.x + a.width, b.x + b.width) - left, std::max(a.y + a.height, b.y + b.height) - top};
}

Box BoundingBox(const Landmarks68& landmarks) {
  Box box{landmarks[0].x, landmarks[0].y, 0, 0};
  for (const Point2& point : landmarks) box = Union(box, {point.x, point.y, 0, 0});
  return box;
}

void BlurFace(cv::Mat& image, const Box& box) {
  if (!(box.width > 0 && box.height > 0)) return;
  const double centre_x = static_cast<double>(box.x) + box.width / 2.0, centre_y = static_cast<double>(box.y) + box.height / 2.0;
  const double across = kCircumscribed * box.width / 2.0, down = kCircumscribed * box.height / 2.0, rim = 1 + kRim;
  const auto within = [](double value, int end) { return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(end))); };
  const int left = within(std::floor(centre_x - rim * across), image.cols), right = within(std::ceil(centre_x + rim * across), image.cols);
  const int top = within(std::floor(centre_y - rim * down), image.rows), bottom = within(std::ceil(centre_y + rim * down), image.rows);
  if (left >= right || top >= bottom) return;
  cv::Mat part = image(cv::Rect(left, top, right - left, bottom - top));
  const cv::Mat smooth = FewColours(part);
  for (int y = 0; y < part.rows; ++y) {
    for (int x = 0; x < part.cols; ++x) {
      const double radius = std::hypot((left + x + 0.5 - centre_x) / across, (top + y + 0.5 - centre_y) / down);
      if (radius >= rim) continue;
      const double share = radius <= 1 ? 1 : (rim - radius) / kRim;
      const cv::Vec3b from = part.at<cv::Vec3b>(y, x), to = smooth.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c)
        part.at<cv::Vec3b>(y, x)[c] = static_cast<std::uint8_t>(std::lround(share * to[c] + (1 - share) * from[c]));
    }
  }
}

}  // namespace auforge::features
