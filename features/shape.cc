#include "features/shape.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

#include "features/align.h"

namespace auforge::features {
namespace {

constexpr std::array<Triangle, kTriangleCount> kTriangles{{
    {0, 1, 36}, {0, 17, 36}, {1, 2, 41}, {1, 36, 41}, {2, 3, 31}, {2, 31, 41}, {3, 4, 48}, {3, 31, 48},
    {4, 5, 48}, {5, 6, 59}, {5, 48, 59}, {6, 7, 58}, {6, 58, 59}, {7, 8, 58}, {8, 9, 56}, {8, 56, 57},
    {8, 57, 58}, {9, 10, 56}, {10, 11, 55}, {10, 55, 56}, {11, 12, 54}, {11, 54, 55}, {12, 13, 54},
    {13, 14, 35}, {13, 35, 54}, {14, 15, 46}, {14, 35, 46}, {15, 16, 45}, {15, 45, 46}, {16, 26, 45},
    {17, 18, 36}, {18, 19, 37}, {18, 36, 37}, {19, 20, 23}, {19, 20, 37}, {19, 23, 24}, {20, 21, 22},
    {20, 21, 38}, {20, 22, 23}, {20, 37, 38}, {21, 22, 27}, {21, 27, 39}, {21, 38, 39}, {22, 23, 43},
    {22, 27, 42}, {22, 42, 43}, {23, 24, 44}, {23, 43, 44}, {24, 25, 44}, {25, 26, 45}, {25, 44, 45},
    {27, 28, 39}, {27, 28, 42}, {28, 29, 39}, {28, 29, 42}, {29, 30, 31}, {29, 30, 35}, {29, 31, 40},
    {29, 35, 47}, {29, 39, 40}, {29, 42, 47}, {30, 31, 32}, {30, 32, 33}, {30, 33, 34}, {30, 34, 35},
    {31, 32, 49}, {31, 40, 41}, {31, 48, 49}, {32, 33, 50}, {32, 49, 50}, {33, 34, 52}, {33, 50, 51},
    {33, 51, 52}, {34, 35, 53}, {34, 52, 53}, {35, 46, 47}, {35, 53, 54}, {36, 37, 41}, {37, 38, 40},
    {37, 40, 41}, {38, 39, 40}, {42, 43, 47}, {43, 44, 47}, {44, 45, 46}, {44, 46, 47}, {48, 49, 59},
    {49, 50, 61}, {49, 59, 67}, {49, 61, 67}, {50, 51, 61}, {51, 52, 63}, {51, 61, 62}, {51, 62, 63},
    {52, 53, 63}, {53, 54, 55}, {53, 55, 65}, {53, 63, 65}, {55, 56, 65}, {56, 57, 66}, {56, 65, 66},
    {57, 58, 66}, {58, 59, 67}, {58, 66, 67}, {61, 62, 66}, {61, 66, 67}, {62, 63, 65}, {62, 65, 66},
}};

constexpr std::array<std::uint8_t, kShapePointCount> MakePoints() {
  std::array<std::uint8_t, kShapePointCount> points{};
  std::size_t next = 0;
  for (std::uint8_t i = 0; i < kLandmarkCount; ++i) {
    if (i != 60 && i != 64) points[next++] = i;
  }
  return points;
}
constexpr std::array<std::uint8_t, kShapePointCount> kPoints = MakePoints();

// Angle at `at` between the rays to `p` and `q`.
float Angle(Point2 at, Point2 p, Point2 q) {
  const float ux = p.x - at.x, uy = p.y - at.y;
  const float vx = q.x - at.x, vy = q.y - at.y;
  return std::atan2(std::abs(ux * vy - uy * vx), ux * vx + uy * vy);
}

}  // namespace

std::span<const Triangle, kTriangleCount> ShapeTriangles() { return kTriangles; }
std::array<std::uint8_t, kShapePointCount> ShapePoints() { return kPoints; }

Landmarks68 NormaliseShape(const Landmarks68& landmarks) {
  const Point2 right = RightEyeCentre(landmarks);
  const Point2 left = LeftEyeCentre(landmarks);
  const float distance = Distance(right, left);
  if (!(distance > 0)) throw std::invalid_argument("shape: the eye centres coincide; these are no landmarks of a face");
  const float scale = kShapeInterOcular / distance;
  const float cosine = (left.x - right.x) / distance;
  const float sine = (left.y - right.y) / distance;
  const Similarity turn{scale * cosine, -scale * sine, 0, 0};
  const Point2 centre = turn(Midpoint(right, left));
  return Transform({turn.a, turn.b, -centre.x, -centre.y}, landmarks);
}

void ShapeFeatures(const Landmarks68& landmarks, std::span<float> out) {
  if (out.size() != kShapeFeatureCount) {
    throw std::invalid_argument("shape: room for " + std::to_string(out.size()) + " features; needs 2466");
  }
  const Landmarks68 shape = NormaliseShape(landmarks);
  std::array<float, kShapePointCount> x, y;
  for (std::size_t i = 0; i < kShapePointCount; ++i) {
    x[i] = shape[kPoints[i]].x;
    y[i] = shape[kPoints[i]].y;
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < kShapePointCount; ++i) {
    for (std::size_t j = i + 1; j < kShapePointCount; ++j) {
      const float dx = x[i] - x[j], dy = y[i] - y[j];
      out[next++] = std::sqrt(dx * dx + dy * dy);
    }
  }
  for (const Triangle& triangle : kTriangles) {
    for (std::size_t corner = 0; corner < 3; ++corner) {
      out[next++] =
          Angle(shape[triangle[corner]], shape[triangle[(corner + 1) % 3]], shape[triangle[(corner + 2) % 3]]);
    }
  }
}

std::vector<std::uint8_t> ShapeFeatureLandmarks(std::size_t feature) {
  if (feature < kShapeDistanceCount) {
    std::size_t first = 0, row = kShapePointCount - 1;
    while (feature >= row) {
      feature -= row--;
      ++first;
    }
    return {kPoints[first], kPoints[first + 1 + feature]};
  }
  const std::size_t angle = feature - kShapeDistanceCount;
  const Triangle& t = kTriangles.at(angle / 3);
  return {t[angle % 3], t[(angle + 1) % 3], t[(angle + 2) % 3]};  // the corner of the angle first
}

std::vector<std::size_t> MirrorShapeFeatures() {
  // A distance by its two landmarks; an angle by its corner and the other two.
  using Key = std::array<std::uint8_t, 3>;
  const auto key = [](std::vector<std::uint8_t> landmarks) {
    if (landmarks.size() == 2) {
      std::sort(landmarks.begin(), landmarks.end());
      return Key{landmarks[0], landmarks[1], 255};
    }
    std::sort(landmarks.begin() + 1, landmarks.end());
    return Key{landmarks[0], landmarks[1], landmarks[2]};
  };
  std::map<Key, std::size_t> at;
  for (std::size_t f = 0; f < kShapeFeatureCount; ++f) at[key(ShapeFeatureLandmarks(f))] = f;
  std::vector<std::size_t> mirror;
  for (std::size_t f = 0; f < kShapeFeatureCount; ++f) {
    std::vector<std::uint8_t> landmarks = ShapeFeatureLandmarks(f);
    for (std::uint8_t& l : landmarks) l = static_cast<std::uint8_t>(MirrorLandmark(l));
    const auto found = at.find(key(std::move(landmarks)));
    mirror.push_back(found == at.end() ? kNoMirrorFeature : found->second);
  }
  return mirror;
}

}  // namespace auforge::features
