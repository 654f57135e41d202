// Relief of the skin: the furrows and bulges that belong to AUs and to age. Made once for a page of the
// face's texture, then mixed for each picture. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/face_atlas.h"

namespace auforge::datasets::synthetic {

// How a person's skin folds.
struct WrinkleStyle {
  float rest = 0.2F;        // 0..1, depth of folds without any expression
  float expression = 0.7F;  // 0..1, depth that expressions add
  int variant = 0;          // which set of folds, >= 0
};

class WrinkleMaps {
 public:
  static constexpr int kVariants = 3;
  // atlas: need not outlive the maps.
  WrinkleMaps(const FaceModel& model, const FaceAtlas& atlas);

  // Adds folds to a relief (SkinTextures::face_relief, of the atlas' side): those at rest and those of each
  // half's AUs.
  void Add(const WrinkleStyle& style, const Expression& expression, cv::Mat& relief) const;
  // A smooth relief of the right size.
  cv::Mat Smooth() const;

 private:
  struct Patch {
    int x = 0, y = 0, width = 0, height = 0;  // texels
    std::vector<std::int8_t>
        values;  // as in SkinTextures::face_relief, but the furrow's shade 0..127 instead of light
  };
  struct Fold {
    std::size_t au;  // column of the catalogue
    float rest;      // depth of this fold in an old face at rest, share of its depth at intensity 5
    std::vector<Patch> left, right;  // a variant each
  };

  int side_;
  std::vector<Fold> folds_;
};

}  // namespace auforge::datasets::synthetic
