// Plain geometric types that flow through the whole chain. Values only; free to copy and share between threads.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>

namespace auforge::features {

// A position in pixels. x grows to the right, y downwards; the centre of the top-left pixel is (0.5, 0.5).
struct Point2 {
  float x = 0;
  float y = 0;
  friend bool operator==(const Point2&, const Point2&) = default;
};

inline float Distance(Point2 a, Point2 b) { return std::hypot(a.x - b.x, a.y - b.y); }
inline Point2 Midpoint(Point2 a, Point2 b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }

// Axis-aligned rectangle in pixels: left, top, size. May reach outside its image.
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
  friend bool operator==(const Box&, const Box&) = default;
};

// Intersection over union of two boxes, 0..1; 0 where both are empty.
inline float Overlap(const Box& a, const Box& b) {
  const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  return width * height / (a.width * a.height + b.width * b.height - width * height);
}

// The iBUG-68 landmarks, 0-based: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth.
// "Right" in anatomical terms (the subject's) is the smaller x in an unmirrored picture: 36-41 is the right eye.
inline constexpr std::size_t kLandmarkCount = 68;
using Landmarks68 = std::array<Point2, kLandmarkCount>;

// A similarity transform without reflection: target = [a -b; b a] source + (tx, ty).
// Variables are named target_from_source.
struct Similarity {
  float a = 1;
  float b = 0;
  float tx = 0;
  float ty = 0;

  Point2 operator()(Point2 p) const { return {a * p.x - b * p.y + tx, b * p.x + a * p.y + ty}; }
  float Scale() const { return std::hypot(a, b); }
  // requires: Scale() > 0.
  Similarity Inverse() const {
    const float n = a * a + b * b;
    const Similarity inverse{a / n, -b / n, 0, 0};
    const Point2 t = inverse({tx, ty});
    return {inverse.a, inverse.b, -t.x, -t.y};
  }
  friend bool operator==(const Similarity&, const Similarity&) = default;
};

// One face found in an image.
struct Detection {
  Box box;
  float score = 0;  // the detector's own confidence; its range depends on the detector
  // Right and left eye, nose, right and left corner of the mouth, from detectors that tell them.
  std::optional<std::array<Point2, 5>> points = std::nullopt;
};

// Rotation of the head in degrees. yaw > 0: the subject turns to the image's right; pitch > 0: up; roll > 0: the
// head leans to the image's right (clockwise as seen).
struct HeadPose {
  float yaw = 0;
  float pitch = 0;
  float roll = 0;
};

}  // namespace auforge::features
