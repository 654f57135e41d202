// Where the nets of a landmarker look, and what their answers mean: a square of the picture for each, in which the
// mean face has its place; the net says how far each point is from that. Pure functions.
#pragma once

#include <span>

#include "features/types.h"

namespace auforge::annotator {

// Of a square crop: where the middle of the mean face's eyes lies and how large it is there.
struct LandmarkLook {
  int side = 0;                 // pixels of the crop
  float unit = 1;               // pixels of one inter-ocular distance of the mean face
  features::Point2 centre;      // what of the mean face lies in the crop's middle, inter-ocular distances
  // The crop's point for an answer: an offset from the mean face's point i, inter-ocular distances.
  features::Point2 PointOf(std::size_t landmark, features::Point2 offset) const;
  features::Point2 OffsetOf(std::size_t landmark, features::Point2 point) const;
};

// First look: an upright square about the detector's box, wide enough for heads that lean and boxes that are off.
LandmarkLook FirstLook(int side);
features::Similarity LookAtBox(const features::Box& box, int side);
// Second look: turned, sized and placed by points that are known roughly. used: as many landmarks as are to be gone
// by, all when empty. Falls back on the box about the points where they are no face.
LandmarkLook SecondLook(int side);
features::Similarity LookAtPoints(const features::Landmarks68& points, std::span<const std::size_t> used, int side);

}  // namespace auforge::annotator
