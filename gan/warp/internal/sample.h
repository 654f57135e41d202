// Reading pictures between their pixels.
#pragma once

#include <algorithm>
#include <opencv2/core/mat.hpp>

#include "features/types.h"

namespace auforge::warp::internal {

// Bilinear; the nearest place outside the picture. picture: CV_32FC3, pixel centres at .5.
inline cv::Vec3f At(const cv::Mat& picture, features::Point2 p) {
  const float fx = std::clamp(p.x - 0.5F, 0.0F, static_cast<float>(picture.cols - 1));
  const float fy = std::clamp(p.y - 0.5F, 0.0F, static_cast<float>(picture.rows - 1));
  const int x = static_cast<int>(fx), y = static_cast<int>(fy);
  const int x1 = std::min(x + 1, picture.cols - 1), y1 = std::min(y + 1, picture.rows - 1);
  const float ax = fx - static_cast<float>(x), ay = fy - static_cast<float>(y);
  return (picture.at<cv::Vec3f>(y, x) * (1 - ax) + picture.at<cv::Vec3f>(y, x1) * ax) * (1 - ay) +
         (picture.at<cv::Vec3f>(y1, x) * (1 - ax) + picture.at<cv::Vec3f>(y1, x1) * ax) * ay;
}

// 0..1 of a display colour, BGR.
inline float Luma(const cv::Vec3f& c) { return 0.114F * c[0] + 0.587F * c[1] + 0.299F * c[2]; }

}  // namespace auforge::warp::internal
