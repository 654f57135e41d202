// How a head of hair is cut and combed.
#pragma once

#include "datasets/synthetic/person.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic::internal {

struct Cut {
  float top = 4, sides = 2;     // length, cm
  float lift = 0.4F;            // 0 lies flat .. 1 stands up
  float weight = 0.3F;          // how much it falls
  float curl = 0;               // amplitude, cm
  float wave = 3;               // cm
  float layer = 0.3F;           // thickness over the scalp, cm
  float part = 0;               // x of the parting
  Vec3 top_direction{0, 0, 1};  // combed
  bool parted = false, back = false;
  int ribbons = 900;
  float width = 0.7F;    // cm
  float density = 0.8F;  // FaceScene: share covered
  float floor = -99;     // cut straight at this height, cm
};

Cut CutOf(const Person& person, Random& random);

}  // namespace auforge::datasets::synthetic::internal
