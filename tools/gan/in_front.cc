#include "tools/gan/in_front.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "features/align.h"

namespace auforge::tools {
namespace {

// In inter-ocular distances: how wide the skin around a pixel is, how far the hair line lies above the brows, how far lashes, brows
// and the nose's wings reach beyond their landmarks, and how far a frame's soft edge does.
constexpr float kAround = 0.25F, kForehead = 0.6F, kBeyondBrow = 0.10F, kBeyondNose = 0.10F, kBeyondLids = 0.10F,
                kBeyondEye = 0.02F, kEdge = 0.05F;
// Of luma, 0..1: folds and shades differ from the skin around them by less than the first; a frame by more than the second.
constexpr float kShade = 0.06F, kThing = 0.12F;

using Landmarks = features::Landmarks68;

void FillHull(const Landmarks& landmarks, int first, int last, cv::Mat& mask) {
  std::vector<cv::Point> points, hull;
  for (int i = first; i <= last; ++i)
    points.emplace_back(cvRound(landmarks[static_cast<std::size_t>(i)].x), cvRound(landmarks[static_cast<std::size_t>(i)].y));
  cv::convexHull(points, hull);
  cv::fillConvexPoly(mask, hull, 255);
}

cv::Mat Dilated(const cv::Mat& mask, float radius) {
  const int side = 2 * std::max(0, static_cast<int>(std::lround(radius))) + 1;
  cv::Mat wide;
  cv::dilate(mask, wide, cv::getStructuringElement(cv::MORPH_ELLIPSE, {side, side}));
  return wide;
}

// From the forehead down to the nose, between the jaw's ends. CV_8UC1.
cv::Mat UpperFace(const Landmarks& landmarks, cv::Size size, float eyes) {
  const features::Point2 top = features::Midpoint(features::RightEyeCentre(landmarks), features::LeftEyeCentre(landmarks)),
                         chin = landmarks[8];
  const float height = std::max(1e-3F, features::Distance(top, chin));
  const cv::Point2f up(kForehead * eyes * (top.x - chin.x) / height, kForehead * eyes * (top.y - chin.y) / height);
  std::vector<cv::Point> points, hull;
  const auto add = [&](std::size_t i, cv::Point2f by) { points.emplace_back(cv::Point2f(landmarks[i].x, landmarks[i].y) + by); };
  for (std::size_t i = 17; i < 27; ++i) add(i, up);
  for (const std::size_t i : {0U, 1U, 2U, 14U, 15U, 16U, 31U, 33U, 35U}) add(i, {});
  cv::convexHull(points, hull);
  cv::Mat mask = cv::Mat::zeros(size, CV_8UC1);
  cv::fillConvexPoly(mask, hull, 255);
  return mask;
}

// What is dark of itself. CV_8UC1.
cv::Mat Features(const Landmarks& landmarks, bool lids_move, cv::Size size, float eyes) {
  const auto of = [&](std::initializer_list<std::pair<int, int>> parts, float beyond) {
    cv::Mat mask = cv::Mat::zeros(size, CV_8UC1);
    for (const auto& [first, last] : parts) FillHull(landmarks, first, last, mask);
    return Dilated(mask, beyond * eyes);
  };
  // The sides of the nose below a bridge of glasses lie in its own shade.
  return of({{17, 21}, {22, 26}}, kBeyondBrow) | of({{29, 35}}, kBeyondNose) |
         of({{36, 41}, {42, 47}}, lids_move ? kBeyondLids : kBeyondEye);
}

// picture: no more than the upper face needs.
cv::Mat OfUpperFace(const cv::Mat& picture, const cv::Mat& face, const Landmarks& landmarks, bool lids_move, float eyes) {
  const cv::Mat own = Features(landmarks, lids_move, picture.size(), eyes);
  cv::Mat luma, weight, sum, weights;
  cv::cvtColor(picture, luma, cv::COLOR_BGR2GRAY);
  luma.convertTo(luma, CV_32F, 1 / 255.0);
  // The skin around: of the face alone, without what is dark of itself.
  cv::Mat(face & ~own).convertTo(weight, CV_32F, 1 / 255.0);
  const double sigma = static_cast<double>(std::max(1.0F, kAround * eyes));
  cv::GaussianBlur(luma.mul(weight), sum, {}, sigma);
  cv::GaussianBlur(weight, weights, {}, sigma);
  cv::Mat in_front = cv::Mat::zeros(picture.size(), CV_32FC1);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      if (weight.at<float>(y, x) <= 0) continue;
      const float skin = sum.at<float>(y, x) / std::max(1e-4F, weights.at<float>(y, x));
      const float t = std::clamp((std::abs(luma.at<float>(y, x) - skin) - kShade) / (kThing - kShade), 0.0F, 1.0F);
      in_front.at<float>(y, x) = t * t * (3 - 2 * t);
    }
  }
  cv::Mat result = 1 - Dilated(in_front, kEdge * eyes);
  if (const double soft = static_cast<double>(kEdge * eyes) / 2; soft > 0.3) cv::GaussianBlur(result, result, {}, soft);
  return result;
}

}  // namespace

cv::Mat BehindWhatStandsInFront(const cv::Mat& picture, const Landmarks& landmarks, bool lids_move) {
  const float eyes = features::InterOcularDistance(landmarks);
  cv::Mat result(picture.size(), CV_32FC1, cv::Scalar(1));
  const cv::Mat face = UpperFace(landmarks, picture.size(), eyes);
  const int rim = static_cast<int>(std::lround(2 * kEdge * eyes)) + 1;
  cv::Rect part = cv::boundingRect(face);
  if (part.empty()) return result;
  part = cv::Rect(part.x - rim, part.y - rim, part.width + 2 * rim, part.height + 2 * rim) & cv::Rect({}, picture.size());
  Landmarks there = landmarks;
  for (features::Point2& p : there) p = {p.x - static_cast<float>(part.x), p.y - static_cast<float>(part.y)};
  OfUpperFace(picture(part), face(part), there, lids_move, eyes).copyTo(result(part));
  return result;
}

}  // namespace auforge::tools
