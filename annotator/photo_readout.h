// The last layer of a model, taught by labelled photographs.
//
// Photographs with labels are few, precious, and of another kind than the renders that a model is trained on. So
// nothing before the last layer moves. What is said of a face, the heads' scores of all AUs and the opinions of the
// learnt net on them, u (U numbers), gets a linear readout
//
//   score_j = m_j . u + b_j,   at first a mixture of the heads' and the net's own word on AU j,
//
// whose change is fitted to the photographs by cumulative logits (McCullagh 1980: one slope, a threshold for each
// level) and held back by what it would change on renders: the penalty is the strength times w' (C + eps I) w with C
// the correlation of u over renders, which the model carries with it. Strengths are chosen by cross-validation over
// people. An AU for which there are too few photographs keeps its readout; so does one that would lose more
// correlation with the labels of renders than allowed, until a stronger penalty holds it.
//
// Thresholds are then set so that the share of photographs with the AU is the labelled one, on predictions for people
// left out in turn.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/readout_options.h"
#include "annotator/training.h"

namespace auforge::annotator {

struct Refitted {
  AuModel model;
  std::vector<ReadoutFigure> figures;  // per AU of the model
};

// photos: features of the model's spec, labels NaN where not known. Throws std::invalid_argument when the rows do not
// match the model, or it carries no moments of renders (models of older versions).
Refitted RefitOnPhotos(const AuModel& model, const TrainingData& photos, const ReadoutOptions& options,
                       const std::function<void(const std::string&)>& log);

}  // namespace auforge::annotator
