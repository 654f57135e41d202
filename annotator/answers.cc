#include "annotator/internal/answers.h"

#include <algorithm>
#include <stdexcept>

#include "annotator/internal/matrix_product.h"

namespace auforge::annotator {

std::vector<float> Linear(const std::vector<float>& kernel, const std::vector<float>& coefficients,
                          const std::vector<float>& bias, std::size_t n) {
  const std::size_t a = bias.size();
  std::vector<float> scores(n * a);
  MatrixProduct(kernel.data(), coefficients.data(), scores.data(), n, coefficients.size() / a, a);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < a; ++j) scores[i * a + j] += bias[j];
  }
  return scores;
}

float IntensityOf(const AuCalibration& calibration, float score) {
  return std::clamp(1 + calibration.gain * (score - calibration.threshold), 0.0F, 5.0F);
}

std::vector<float> IntensitiesOf(const AuModel::Weights& weights, const Answers& answers) {
  const std::size_t a = weights.calibration.size();
  std::vector<float> intensities(answers.scores.size());
  for (std::size_t i = 0; i < intensities.size(); ++i)
    intensities[i] = IntensityOf(weights.calibration[i % a], answers.scores[i]);
  return intensities;
}

Answers Answer(const AuModel::Weights& w, const float* features, std::size_t n, bool details) {
  const std::size_t a = w.info.schema.size();
  Answers answers;
  answers.scores.assign(n * a, 0.0F);
  for (std::size_t h = 0; h < w.heads.size(); ++h) {
    const Head& head = w.heads[h];
    const std::vector<float> projected = head.Project(features, n, w.dimension);
    const bool sees = h == 0 && !w.seen_bias.empty(), keeps = h == 0 && details;
    std::vector<float> kernel;
    if (w.ksda.empty() || sees || keeps) kernel = head.Kernel(projected, n);
    std::vector<float> scores = w.ksda.empty() ? Linear(kernel, head.coefficients, head.bias, n)
                                               : KsdaScores(head, w.ksda, projected, n);
    if (sees) answers.seen = Linear(kernel, w.seen_coefficients, w.seen_bias, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < a; ++j) answers.scores[i * a + j] += w.mix[h * a + j] * scores[i * a + j];
    }
    if (keeps) answers.kernel = std::move(kernel);
    if (details) answers.head_scores.push_back(std::move(scores));
  }
  return answers;
}

std::vector<float> HeadScores(const Head& head, const std::vector<float>& projected, std::size_t n,
                              std::size_t aus) {
  if (head.bias.size() != aus) throw std::invalid_argument("head " + head.name + " has no coefficients");
  return Linear(head.Kernel(projected, n), head.coefficients, head.bias, n);
}

std::vector<float> AuModel::Weights::Scores(const float* features, std::size_t n) const {
  return Answer(*this, features, n, false).scores;
}

}  // namespace auforge::annotator
