#include "annotator/face_points.h"

namespace auforge::annotator {
namespace {

features::Point2 Mean(const features::Landmarks68& landmarks, std::size_t first, std::size_t last) {
  features::Point2 sum;
  for (std::size_t i = first; i <= last; ++i) sum = {sum.x + landmarks[i].x, sum.y + landmarks[i].y};
  const auto n = static_cast<float>(last - first + 1);
  return {sum.x / n, sum.y / n};
}

}  // namespace

FivePoints FivePointsOf(const features::Landmarks68& landmarks) {
  return {Mean(landmarks, 36, 41), Mean(landmarks, 42, 47), landmarks[30], landmarks[48], landmarks[54]};
}

}  // namespace auforge::annotator
