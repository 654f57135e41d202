#include "annotator/landmark_look.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "annotator/landmarker.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::Point2;

// BoxAround's numbers.
constexpr std::size_t kFirstInner = 17;
constexpr double kBoxOfSpread = 3.48, kBoxBelow = 0.03;
constexpr float kMeanSpread = 0.7306F;       // of features::MeanFace()
constexpr Point2 kMeanInner{0, 0.4436F};     // the middle of its box
constexpr float kFirstOfBox = 1.6F;          // side of the first look in boxes
constexpr float kSecondSide = 3.2F;          // of the second, inter-ocular distances
constexpr Point2 kSecondCentre{0, 0.69F};    // half-way between brows and a dropped chin

}  // namespace

Point2 LandmarkLook::PointOf(std::size_t landmark, Point2 offset) const {
  const Point2 mean = features::MeanFace()[landmark];
  const float half = static_cast<float>(side) / 2;
  return {half + unit * (mean.x - centre.x + offset.x), half + unit * (mean.y - centre.y + offset.y)};
}

Point2 LandmarkLook::OffsetOf(std::size_t landmark, Point2 point) const {
  const Point2 mean = features::MeanFace()[landmark];
  const float half = static_cast<float>(side) / 2;
  return {(point.x - half) / unit + centre.x - mean.x, (point.y - half) / unit + centre.y - mean.y};
}

LandmarkLook FirstLook(int side) {
  const float box = static_cast<float>(kBoxOfSpread) * kMeanSpread;  // inter-ocular distances
  return {side, static_cast<float>(side) / (kFirstOfBox * box), kMeanInner};
}

LandmarkLook SecondLook(int side) { return {side, static_cast<float>(side) / kSecondSide, kSecondCentre}; }

features::Similarity LookAtBox(const features::Box& box, int side) {
  const float half = static_cast<float>(side) / 2;
  const float scale = static_cast<float>(side) / (kFirstOfBox * std::max({box.width, box.height, 1.0F}));
  return {scale, 0, half - scale * (box.x + box.width / 2), half - scale * (box.y + box.height / 2)};
}

features::Similarity LookAtPoints(const features::Landmarks68& points, std::span<const std::size_t> used, int side) {
  const LandmarkLook look = SecondLook(side);
  std::vector<Point2> from, to;
  const auto add = [&](std::size_t i) {
    from.push_back(points[i]);
    to.push_back(look.PointOf(i, {}));
  };
  if (used.empty()) {
    for (std::size_t i = 0; i < points.size(); ++i) add(i);
  } else {
    for (const std::size_t i : used) add(i);
  }
  const bool is_one = std::all_of(from.begin(), from.end(), [&](Point2 p) { return p == from[0]; });
  const features::Similarity place = is_one ? features::Similarity{0, 0, 0, 0} : features::FitSimilarity(from, to);
  constexpr float kLeastScale = 1e-4F, kMostScale = 1e4F;
  const bool is_face = place.Scale() > kLeastScale && place.Scale() < kMostScale;
  return is_face ? place : LookAtBox(BoxAround(points), side);
}

features::Box BoxAround(const features::Landmarks68& points) {
  constexpr std::size_t kCount = features::kLandmarkCount - kFirstInner;
  double x = 0, y = 0, squares = 0;
  for (std::size_t i = kFirstInner; i < points.size(); ++i) x += points[i].x / kCount, y += points[i].y / kCount;
  for (std::size_t i = kFirstInner; i < points.size(); ++i)
    squares += std::pow(points[i].x - x, 2) + std::pow(points[i].y - y, 2);
  const double spread = std::sqrt(squares / kCount);
  const auto side = static_cast<float>(kBoxOfSpread * spread);
  return {static_cast<float>(x) - side / 2, static_cast<float>(y + kBoxBelow * spread) - side / 2, side, side};
}

}  // namespace auforge::annotator
