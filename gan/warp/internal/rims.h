// Openings of the face as they lie in a picture: their rims, what lies between them, and rims that are brought together.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "gan/warp/internal/seams.h"

namespace auforge::warp::internal {

struct Opening {
  Rim upper, lower;
};
// cm between the lips from which on a photo shows what lies behind.
inline constexpr float kOwnGap = 0.12F;
// The rims of a seam whose vertices lie `at`; where they cross, both lie in the middle.
Opening Trace(const Seam& seam, std::span<const features::Point2> at);
// CV_32FC1, 0..1: how much of each pixel lies in the opening. blur: pixels.
cv::Mat OpeningMask(const Opening& opening, cv::Size size, float blur);
// The opening's surroundings within a picture; margin: pixels.
cv::Rect BoxOf(const Opening& opening, int margin, cv::Size size);
// Pixels.
float LargestGap(const Opening& opening);
// The same as a part of the distance of the corners.
float GapByWidth(const Opening& opening);
float LargestMove(const Opening& before, const Opening& after);
// The place of a rim nearest to a share of the way between the corners.
inline std::size_t RimPlace(float share) {
  const float k = std::clamp(share, 0.0F, 1.0F) * (kRimPoints - 1);
  return static_cast<std::size_t>(k + 0.5F);
}

// Where a pixel lies in an opening: across from -1 to 1 at the corners, and cm below the upper rim and above the lower.
struct InOpening {
  float across = 0, below_upper = 0, above_lower = 0;
  std::size_t Place() const { return RimPlace((across + 1) / 2); }
};
// opening: must outlive the frame.
class OpeningFrame {
 public:
  OpeningFrame(const Opening& opening, float pixels_per_cm) : opening_(opening), px_(pixels_per_cm) {
    const features::Point2 a = opening.upper.front(), b = opening.upper.back();
    length_ = std::max(1.0F, features::Distance(a, b));
    along_ = {(b.x - a.x) / length_, (b.y - a.y) / length_};
  }
  InOpening At(features::Point2 p) const {
    const features::Point2 o = opening_.upper.front();
    const float along = ((p.x - o.x) * along_.x + (p.y - o.y) * along_.y) / length_;
    const std::size_t k = RimPlace(along);
    const auto down = [&](features::Point2 q) { return ((q.y - o.y) * along_.x - (q.x - o.x) * along_.y) / px_; };
    return {2 * along - 1, down(p) - down(opening_.upper[k]), down(opening_.lower[k]) - down(p)};
  }

  // Unit, across the line between the corners.
  features::Point2 Down() const { return {-along_.y, along_.x}; }

 private:
  const Opening& opening_;
  float px_, length_ = 1;
  features::Point2 along_;
};

enum class Gap { kExactly, kAtMost };
// Brings two rims to a share of the gap that they had before, and the skin near them along. upper_moves: the upper rim's part
// of the way, 0..1; reach_upper, reach_lower: cm of skin that follow.
struct Closing {
  Gap gap = Gap::kExactly;
  float share = 1, upper_moves = 0.5F, reach_upper = 1, reach_lower = 1;
};
void Close(const Seam& seam, const Opening& before, const Closing& closing, std::vector<features::Point2>& at);

// The upper lip of a mouth that shows its teeth hangs from muscles that are drawn up already: from `before` it rises by no more
// than `most` cm, which it nears softly, and skin within its reach is held back with it.
void HoldBackUpperLip(const Seam& mouth, const Opening& before, float most, float pixels_per_cm, std::vector<features::Point2>& at);

// Lids of an eye that was shut part, as far as they do not yet: in the middle to `least` of the eye's width.
void Part(const Seam& eye, float least, std::vector<features::Point2>& at);

// How far outside the rims that landmarks tell (cm) a photo's lips surely are, and no teeth.
struct LipEdges {
  std::array<float, kRimPoints> upper{}, lower{};
};
// Lips that close, or that leave the teeth they showed, are taken from there, so that no teeth stay between them or go along.
// from: where each vertex is taken from.
void TakeFromOutside(const Seam& mouth, const Opening& before, const Opening& after, const LipEdges& edges, float pixels_per_cm,
                     std::vector<features::Point2>& from);

}  // namespace auforge::warp::internal
