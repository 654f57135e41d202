// Where on a face Gabor filters look: landmarks, and skin that landmarks do not mark but expressions wrinkle.
#include <algorithm>
#include <array>

#include "features/align.h"
#include "features/gabor.h"
#include "features/shape.h"

namespace auforge::features {
namespace {

// The middle of two landmarks plus an offset in inter-ocular distances along the (level) eye line and downwards.
struct SkinPoint {
  std::size_t first, second;
  Point2 offset;
  std::size_t mirror;  // index in this table
};
constexpr std::array<SkinPoint, 19> kSkin{{
    {21, 22, {0, 0.06F}, 0},         // glabella
    {21, 22, {0, -0.32F}, 1},        // forehead
    {19, 19, {0, -0.25F}, 3},
    {24, 24, {0, -0.25F}, 2},
    {36, 36, {-0.18F, 0.05F}, 5},    // crow's feet
    {45, 45, {0.18F, 0.05F}, 4},
    {40, 41, {0, 0.18F}, 7},         // infraorbital
    {46, 47, {0, 0.18F}, 6},
    {28, 39, {0, 0.10F}, 9},         // side of the nose
    {28, 42, {0, 0.10F}, 8},
    {31, 48, {-0.05F, -0.08F}, 11},  // nasolabial fold, upper
    {35, 54, {0.05F, -0.08F}, 10},
    {48, 48, {-0.13F, 0.02F}, 13},   // nasolabial fold, lower
    {54, 54, {0.13F, 0.02F}, 12},
    {41, 48, {-0.08F, 0}, 15},       // cheek
    {46, 54, {0.08F, 0}, 14},
    {57, 8, {0, 0}, 16},             // chin
    {59, 6, {0.05F, 0}, 18},
    {55, 10, {-0.05F, 0}, 17},
}};
constexpr std::size_t kFirstInner = 17;

}  // namespace

std::vector<Point2> FacePoints(const Landmarks68& landmarks, GaborPoints points) {
  std::vector<Point2> result;
  if (points == GaborPoints::kEmotioNet) {
    for (const std::uint8_t i : ShapePoints()) result.push_back(landmarks[i]);
    return result;
  }
  result.assign(landmarks.begin() + kFirstInner, landmarks.end());
  const float unit = InterOcularDistance(landmarks);
  for (const SkinPoint& skin : kSkin) {
    const Point2 middle = Midpoint(landmarks[skin.first], landmarks[skin.second]);
    result.push_back({middle.x + unit * skin.offset.x, middle.y + unit * skin.offset.y});
  }
  return result;
}

std::vector<std::size_t> MirrorFacePoints(GaborPoints points) {
  std::vector<std::size_t> result;
  if (points == GaborPoints::kEmotioNet) {
    const auto all = ShapePoints();
    for (const std::uint8_t i : all) {
      const auto at = std::find(all.begin(), all.end(), static_cast<std::uint8_t>(MirrorLandmark(i)));
      result.push_back(static_cast<std::size_t>(at - all.begin()));
    }
    return result;
  }
  for (std::size_t i = kFirstInner; i < kLandmarkCount; ++i) result.push_back(MirrorLandmark(i) - kFirstInner);
  for (const SkinPoint& skin : kSkin) result.push_back(kLandmarkCount - kFirstInner + skin.mirror);
  return result;
}

}  // namespace auforge::features
