// From a learner's score to the one answer: intensity, presence, probability.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "annotator/internal/learner.h"
#include "annotator/metrics.h"

namespace auforge::annotator {
namespace {

double MeanScore(const std::vector<float>& scores, const std::vector<float>& labels, double low, double high,
                 double& mean_label) {
  double sum = 0, label_sum = 0, n = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(labels[i]) || labels[i] < low || labels[i] > high) continue;
    sum += scores[i];
    label_sum += labels[i];
    ++n;
  }
  mean_label = n > 0 ? label_sum / n : 0;
  return n > 0 ? sum / n : 0;
}

// Slope of a logistic curve through 1/2 at the threshold, by Newton's method on the log-likelihood with a
// weak pull to a finite value (Platt 1999; separable data would send it to infinity).
double LogisticSlope(const std::vector<float>& scores, const std::vector<float>& labels, double threshold) {
  double slope = 2;
  for (int iteration = 0; iteration < 30; ++iteration) {
    double gradient = -0.05 * (slope - 2), curvature = 0.05;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (std::isnan(labels[i])) continue;
      const double x = scores[i] - threshold;
      const double p = 1 / (1 + std::exp(-slope * x));
      gradient += ((labels[i] >= 1 ? 1 : 0) - p) * x;
      curvature += p * (1 - p) * x * x;
    }
    slope = std::clamp(slope + gradient / curvature, 0.1, 50.0);
  }
  return slope;
}

}  // namespace

std::pair<float, float> MedianAndSpread(std::vector<float> values) {
  std::erase_if(values, [](float v) { return std::isnan(v); });
  if (values.empty()) return {0, 1};
  const auto median = [](std::vector<float>& v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
  };
  const float centre = median(values);
  for (float& v : values) v = std::abs(v - centre);
  return {centre, std::max(1e-4F, median(values))};
}

AuCalibration Calibrate(const std::vector<float>& scores, const std::vector<float>& labels,
                        const float* fixed_threshold) {
  AuCalibration result{1, 1, 2, 0, 1};
  std::vector<float> inactive;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (labels[i] < 1) inactive.push_back(scores[i]);
  }
  std::tie(result.centre, result.spread) = MedianAndSpread(std::move(inactive));
  const double threshold =
      fixed_threshold != nullptr ? static_cast<double>(*fixed_threshold) : BestF1Threshold(scores, labels);
  if (std::isnan(threshold)) return result;  // one class only: trust the regression as it is
  result.threshold = static_cast<float>(threshold);
  // Ridge regression shrinks towards the mean; stretch so that the marked expressions come out at their
  // intensity.
  double label_high = 0;
  const double score_high = MeanScore(scores, labels, 3, 5, label_high);
  const double stretch = (label_high - 1) / std::max(1e-3, score_high - threshold);
  result.gain = static_cast<float>(std::clamp(label_high > 0 ? stretch : 1.0, 0.5, 6.0));
  if (fixed_threshold != nullptr) result.gain = 1;  // its scores are intensities already
  result.slope = static_cast<float>(LogisticSlope(scores, labels, threshold));
  return result;
}

}  // namespace auforge::annotator
