#include "datasets/synthetic/dense_points.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {
namespace {

// The edges of the right eye's lids on ICT-FaceKit's mesh, from the outer corner to the inner: where they meet when the
// eye is shut. The left eye has the vertices opposite.
constexpr std::array<std::int32_t, 23> kUpperLid{1507, 1546, 1545, 1933, 1544, 1543, 1542, 1541, 1540, 1962, 1990, 1538,
                                                 1930, 1537, 1536, 1535, 1534, 1533, 1532, 1531, 1530, 1529, 1528};
constexpr std::array<std::int32_t, 25> kLowerLid{1507, 2243, 1623, 1508, 1509, 1510, 1511, 1512, 1513, 1514, 1515, 1516, 1517,
                                                 1518, 1519, 598,  1390, 1391, 709,  1377, 1525, 604,  672,  2235, 1528};
// Where points 1..7 of a lid lie between the corners, as shares of its length: where the teacher of photographs finds them
// on drawn faces, in the median (docs/landmarks.md).
constexpr std::array<float, 7> kUpperShare{0.09F, 0.19F, 0.325F, 0.49F, 0.63F, 0.77F, 0.9F},
    kLowerShare{0.12F, 0.234F, 0.36F, 0.54F, 0.7F, 0.84F, 0.945F};
// Landmarks along the lips, from the right corner to the left, and how many points they become between the corners.
constexpr std::array<std::size_t, 7> kOuterTop{48, 49, 50, 51, 52, 53, 54}, kOuterBottom{48, 59, 58, 57, 56, 55, 54};
constexpr std::array<std::size_t, 5> kInnerTop{60, 61, 62, 63, 64}, kInnerBottom{60, 67, 66, 65, 64};
constexpr std::size_t kBetweenCorners = 9;

std::int32_t Opposite(const FaceModel& model, std::int32_t vertex) {
  const Vec3 p = model.neutral[static_cast<std::size_t>(vertex)], wanted{-p.x, p.y, p.z};
  std::int32_t best = 0;
  for (std::int32_t v = 1; v < internal::kNarrowFaceEnd; ++v) {
    if (Length(model.neutral[static_cast<std::size_t>(v)] - wanted) < Length(model.neutral[static_cast<std::size_t>(best)] - wanted)) best = v;
  }
  return best;
}

// The point at `share`, 0..1, of a line's length.
Vec3 Along(std::span<const Vec3> line, float share) {
  float length = 0;
  for (std::size_t i = 1; i < line.size(); ++i) length += Length(line[i] - line[i - 1]);
  float left = share * length;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const float piece = Length(line[i] - line[i - 1]);
    if (left <= piece && piece > 0) return Mix(line[i - 1], line[i], left / piece);
    left -= piece;
  }
  return line.back();
}

// A smooth line through points (Catmull and Rom's), with `kSteps` pieces between each two.
std::vector<Vec3> Smooth(std::span<const Vec3> points) {
  constexpr int kSteps = 8;
  std::vector<Vec3> line{points.front()};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Vec3 b = points[i], c = points[i + 1], a = i > 0 ? points[i - 1] : b * 2 - c,
               d = i + 2 < points.size() ? points[i + 2] : c * 2 - b;
    for (int s = 1; s <= kSteps; ++s) {
      const float t = static_cast<float>(s) / kSteps;
      line.push_back((b * 2 + (c - a) * t + (a * 2 - b * 5 + c * 4 - d) * (t * t) + (b * 3 - a - c * 3 + d) * (t * t * t)) * 0.5F);
    }
  }
  return line;
}

template <typename Indices>
std::vector<Vec3> Picked(const Indices& indices, std::span<const Vec3> from) {
  std::vector<Vec3> points;
  for (const auto i : indices) points.push_back(from[static_cast<std::size_t>(i)]);
  return points;
}

void PlaceLips(std::span<const Vec3, features::kLandmarkCount> landmarks, std::span<Vec3> lips) {
  const auto ring = [&](const auto& top, const auto& bottom, std::span<Vec3> to) {
    const std::vector<Vec3> above = Smooth(Picked(top, landmarks)), below = Smooth(Picked(bottom, landmarks));
    for (std::size_t i = 0; i <= kBetweenCorners + 1; ++i) {
      const float share = static_cast<float>(i) / (kBetweenCorners + 1);
      to[i] = Along(above, share);
      if (i >= 1 && i <= kBetweenCorners) to[2 * (kBetweenCorners + 1) - i] = Along(below, share);
    }
  };
  ring(kOuterTop, kOuterBottom, lips.first(20));
  ring(kInnerTop, kInnerBottom, lips.last(20));
}

}  // namespace

DenseFacePoints::DenseFacePoints(const FaceModel& model) {
  const auto pupils = internal::PupilRings(model);  // left, right
  eyes_[0] = {{kUpperLid.begin(), kUpperLid.end()}, {kLowerLid.begin(), kLowerLid.end()}, pupils[1],
              internal::kRightIrisBegin, internal::kRightIrisEnd, -1};
  eyes_[1] = {{}, {}, pupils[0], internal::kLeftIrisBegin, internal::kLeftIrisEnd, 1};
  for (const std::int32_t v : kUpperLid) eyes_[1].upper.push_back(Opposite(model, v));
  for (const std::int32_t v : kLowerLid) eyes_[1].lower.push_back(Opposite(model, v));
}

std::array<Vec3, features::kDenseCount> DenseFacePoints::Place(std::span<const Vec3> shape,
                                                               std::span<const Vec3, features::kLandmarkCount> landmarks,
                                                               float iris_angle) const {
  std::array<Vec3, features::kDenseCount> points;
  for (std::size_t e = 0; e < eyes_.size(); ++e) {
    const Eye& eye = eyes_[e];
    const std::span<Vec3> to = std::span(points).subspan(e * features::kDenseEye, features::kDenseEye);
    const std::vector<Vec3> upper = Picked(eye.upper, shape), lower = Picked(eye.lower, shape);
    to[0] = upper.front();
    to[8] = upper.back();
    for (std::size_t i = 0; i < kUpperShare.size(); ++i) {
      to[1 + i] = Along(upper, kUpperShare[i]);
      to[15 - i] = Along(lower, kLowerShare[i]);
    }
    const internal::EyeBall ball = internal::MeasureEyeBall(shape, eye.ball_begin, eye.ball_end, eye.pupil);
    const Vec3 axis = Normalised(ball.pupil - ball.centre);
    const float angle = iris_angle * std::numbers::pi_v<float> / 180;
    const Vec3 middle = ball.centre + axis * (ball.radius * std::cos(angle));
    const auto rim = [&](Vec3 towards) {
      return middle + Normalised(towards - axis * Dot(towards, axis)) * (ball.radius * std::sin(angle));
    };
    const std::array<Vec3, 5> iris{middle, rim({eye.outwards, 0, 0}), rim({0, 1, 0}), rim({-eye.outwards, 0, 0}), rim({0, -1, 0})};
    std::copy(iris.begin(), iris.end(), to.begin() + features::kDenseLid);
  }
  PlaceLips(landmarks, std::span(points).subspan(2 * features::kDenseEye));
  return points;
}

}  // namespace auforge::datasets::synthetic
