// Fits a trained model's thresholds and scales to other pictures, other labels or one person's face. What the
// model looks at stays as it is. Pure functions: each returns a new model.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/training.h"

namespace auforge::annotator {

struct RecalibrateOptions {
  double k = 3;                             // threshold = median + k * median absolute deviation, 0.5..20
  std::vector<int> keep = {6, 12, 25, 26};  // AUs that are left alone: half of all photographed people smile,
                                            // so that their median is no resting face
  void Validate() const;  // throws std::invalid_argument naming field and value
};

// What became of one AU; shares are of the rows that were looked at, 0..1.
struct AuShift {
  int au = 0;
  float threshold_before = 0, threshold_after = 0;  // scores
  float gain_before = 1, gain_after = 1;
  double present_before = 0, present_after = 0;
};

// Threshold (a score) and gain of the AU in the schema's place `index`.
std::pair<float, float> ScaleOf(const AuModel& model, std::size_t index);

struct Recalibrated {
  AuModel model;
  std::vector<AuShift> shifts;  // per AU
};

// Unlabelled pictures of the target kind: an AU is present where its score stands out from what most faces
// have there; the scale follows the spread of the scores. features: n x the model's dimension, n >= 20.
Recalibrated RecalibrateOnUnlabelled(const AuModel& model, std::span<const float> features, std::size_t n,
                                     const RecalibrateOptions& options);
// Labelled pictures of the target kind: thresholds of the best F1, scales and probabilities anew, for every
// AU of which both classes are there.
Recalibrated RecalibrateOnLabels(const AuModel& model, const TrainingData& data);
// A person's own resting face: the median of the rows reads as the resting faces of training do, and what is
// seen later is measured from there. features: n >= 1 rows of that person, most of them at rest.
Recalibrated RecalibrateToNeutral(const AuModel& model, std::span<const float> features, std::size_t n);

}  // namespace auforge::annotator
