// What every kernel learner takes and gives: projected rows and labels in, a head's centres with coefficients
// out.
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
  // Pictures without labels, projected; those of one group show the same face (u x components, u). May be
  // empty.
  std::vector<float> unlabelled = {};
  std::vector<std::int64_t> group = {};
  std::vector<std::uint8_t> is_common = {};  // A: see TrainOptions::common_aus; empty = none
};

// Each fills centre_count, centres, coefficients and bias of `head` (whose gamma and components are set).
void LearnNystrom(const LearnerInput& input, const TrainOptions& options, Head& head);
void LearnSvm(const LearnerInput& input, const TrainOptions& options, Head& head,
              const std::function<void(const std::string&)>& log);
// Fills centre_count and centres of `head` and one classifier for each AU.
std::vector<KsdaClassifier> LearnKsda(const LearnerInput& input, const TrainOptions& options, Head& head,
                                      const std::function<void(const std::string&)>& log);
// Ridge regression of `targets` (n x width, none missing) on a head's given centres: coefficients C x width,
// bias width.
struct Regression {
  std::vector<float> coefficients, bias;
};
Regression RegressOnCentres(const Head& head, const std::vector<float>& rows,
                            const std::vector<float>& targets, std::size_t n, std::size_t width,
                            double ridge);
// At most `most` of 0..n-1, drawn by `seed`, rising.
std::vector<std::size_t> ChooseRows(std::size_t n, std::size_t most, std::uint64_t seed);

// The front end from training rows (n x dimension): means, scales and principal axes of each block. Columns
// with is_used 0 are left out; with options.mirror_average each column is averaged with its mirror image.
std::vector<BlockProjection> LearnFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                        const TrainOptions& options,
                                        const std::vector<std::uint8_t>& is_used);
// The same of the odd part of every pair of mirrored columns (half their difference), `components` axes a block.
std::vector<BlockProjection> LearnOddFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                           const TrainOptions& options, int components);
// The same of the columns that look at these regions of one half alone, each beside its mirror image.
std::vector<BlockProjection> LearnHalfFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                            const TrainOptions& options, const std::vector<int>& rois,
                                            int components);
// 1 / median squared distance of projected rows, from 2,000 random pairs.
float MedianGamma(const std::vector<float>& rows, std::size_t n, std::size_t components, std::uint64_t seed);

// Threshold, gain and slope from scores and labels; centre and spread from those without the AU.
// `fixed_threshold`: the learner's own decision (KSDA's nearest mean), not to be moved.
AuCalibration Calibrate(const std::vector<float>& scores, const std::vector<float>& labels,
                        const float* fixed_threshold = nullptr);
// Median and median absolute deviation (at least 1e-4) of the values that are numbers.
std::pair<float, float> MedianAndSpread(std::vector<float> values);

}  // namespace auforge::annotator
