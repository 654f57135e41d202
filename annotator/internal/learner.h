// What every kernel learner takes and gives: projected rows and labels in, centres with coefficients out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "annotator/internal/au_model_weights.h"
#include "annotator/training.h"

namespace auforge::annotator {

struct LearnerInput {
  const std::vector<float>& rows;     // n x components, projected
  const std::vector<float>& labels;   // n x A, NaN = missing
  const std::vector<float>& weights;  // n x A
  std::size_t n = 0;
  std::size_t components = 0;
  std::size_t aus = 0;
  float gamma = 0;
};

// Each fills centre_count, centres, coefficients and bias of `weights`.
void LearnNystrom(const LearnerInput& input, const TrainOptions& options, AuModel::Weights& weights);
void LearnSvm(const LearnerInput& input, const TrainOptions& options, AuModel::Weights& weights,
              const std::function<void(const std::string&)>& log);

// The front end from training rows (n x dimension): means, scales and principal axes of each block.
std::vector<BlockProjection> LearnFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                        const TrainOptions& options);
// 1 / median squared distance of projected rows, from 2,000 random pairs.
float MedianGamma(const std::vector<float>& rows, std::size_t n, std::size_t components, std::uint64_t seed);
// Threshold, gain and slope from scores and labels of the validation part (or of the training part, when that has
// both classes and validation does not).
AuCalibration Calibrate(const std::vector<float>& scores, const std::vector<float>& labels);

}  // namespace auforge::annotator
