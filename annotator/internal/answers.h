// What a model's heads make of rows of features, before any of it is called an intensity.
#pragma once

#include <cstddef>
#include <vector>

#include "annotator/internal/au_model_weights.h"

namespace auforge::annotator {

// Less of an AU's region than this and nothing is said of it.
inline constexpr float kLeastSeen = 0.3F;

struct Answers {
  std::vector<float> scores;                    // n x A, the mixture of the heads as the readout makes of it
  std::vector<float> inputs;                    // n x U of the readout; with `details`, or where there is one
  std::vector<float> seen;                      // n x A: visible share of each AU's region; empty: not known
  std::vector<float> differences;               // n x S of the halves, left - right; may be empty
  std::vector<float> kernel;                    // n x C of the first head; only with `details`
  std::vector<std::vector<float>> head_scores;  // n x A of each head; only with `details`
};

// features: n x the model's dimension. details: also what the quality of a face is judged by.
Answers Answer(const AuModel::Weights& weights, const float* features, std::size_t n, bool details);

// What the one answer is made of: the calibrated intensity of a score, 0..5; and those of all, n x A,
// whatever is hidden.
float IntensityOf(const AuCalibration& calibration, float score);
std::vector<float> IntensitiesOf(const AuModel::Weights& weights, const Answers& answers);

// kernel (n x C) times coefficients (C x width) plus bias (width).
std::vector<float> Linear(const std::vector<float>& kernel, const std::vector<float>& coefficients,
                          const std::vector<float>& bias, std::size_t n);

}  // namespace auforge::annotator
