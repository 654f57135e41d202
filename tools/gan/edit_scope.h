// What an edit may touch: the parts of the face that the AUs asked for move, and how far it goes from the face as it
// is. Pure functions.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "features/au_schema.h"
#include "features/types.h"

namespace auforge::tools {

struct EditScope {
  std::vector<int> aus;             // FACS numbers that are to change; empty: no part of the face is spared
  float strength = 1;               // 0: the face is asked for as it is; 1: an edit as the generator draws it
  features::Landmarks68 landmarks{};  // in shares of the crop's side, so that they fit a crop of any size
};

// own, wanted: what the face shows and what is asked of it, 0..1 for each AU of the schema. An AU that differs by less
// than a fiftieth is the same; the strength rises from there to 1, so that edits go on from "as it is" without a jump.
EditScope ScopeOf(const features::AuSchema& schema, std::span<const float> own, std::span<const float> wanted,
                  const features::Landmarks68& landmarks_in_crop, int crop_size);
// Of a standard crop whose landmarks are not known: those of a mean face.
EditScope ScopeOf(const features::AuSchema& schema, std::span<const float> own, std::span<const float> wanted);

// CV_32FC1, size x size, 0..1: how much of a change stays, strength included. It is 1 beyond the regions of the AUs
// (features/au_partition.h), as far as skin, cheeks and the jaw's outline move with them, and falls to 0 softly. The
// opening of the eyes changes only for AUs of the lids.
cv::Mat ScopeMask(const EditScope& scope, int size);

// Whether an AU moves the lids.
bool MovesLids(int au);

}  // namespace auforge::tools
