#include "tools/au/closed_lids.h"

#include <algorithm>
#include <utility>

namespace auforge::tools {

void CloseLids(features::Landmarks68& landmarks, std::size_t eye, float intensity, float chance) {
  constexpr float kClosing = 1, kClosed = 3;  // intensities of AU45
  constexpr float kLeast = 0.10F, kMost = 0.18F, kHalfOpen = 0.22F;  // height of the eye to its width
  if (!(intensity > kClosing)) return;
  const float closed = std::min((intensity - kClosing) / (kClosed - kClosing), 1.0F);
  const float wanted = kHalfOpen + (kLeast + (kMost - kLeast) * chance - kHalfOpen) * closed;
  const auto distance = [&](std::size_t i, std::size_t j) {
    return features::Distance(landmarks[eye + i], landmarks[eye + j]);
  };
  const float height = (distance(1, 5) + distance(2, 4)) / 2, width = distance(0, 3);
  if (!(height > wanted * width)) return;
  const float keep = wanted * width / height;
  for (const auto& [upper, lower] : {std::pair{eye + 1, eye + 5}, {eye + 2, eye + 4}}) {
    features::Point2 &a = landmarks[upper], &b = landmarks[lower];
    const features::Point2 middle = features::Midpoint(a, b);
    a = {middle.x + (a.x - middle.x) * keep, middle.y + (a.y - middle.y) * keep};
    b = {middle.x + (b.x - middle.x) * keep, middle.y + (b.y - middle.y) * keep};
  }
}

}  // namespace auforge::tools
