#include "annotator/internal/answers.h"

#include <algorithm>
#include <cmath>
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
  // Below this the line bends into an exponential that never reaches zero (value and slope go on): faces without the
  // AU keep their order, which a clamp at zero would throw away.
  constexpr float kKnee = 0.25F;
  const float line = 1 + calibration.gain * (score - calibration.threshold);
  return line >= kKnee ? std::min(line, 5.0F) : kKnee * std::exp((line - kKnee) / kKnee);
}

std::vector<float> IntensitiesOf(const AuModel::Weights& weights, const Answers& answers) {
  const std::size_t a = weights.calibration.size();
  std::vector<float> intensities(answers.scores.size());
  for (std::size_t i = 0; i < intensities.size(); ++i)
    intensities[i] = IntensityOf(weights.calibration[i % a], answers.scores[i]);
  return intensities;
}

namespace {

constexpr const char* kLearnt = "learnt";

// Where the components of the learnt features stand in a head's projected rows, and how many there are.
std::pair<std::size_t, std::size_t> LearntComponents(const Head& head) {
  std::size_t begin = 0;
  for (const BlockProjection& block : head.blocks) {
    if (block.name == kLearnt) return {begin, block.components};
    begin += block.components;
  }
  return {0, 0};
}

// n x U
std::vector<float> InputsOfReadout(const AuModel::Weights& w, const std::vector<float>& scores,
                                   const std::vector<float>& projected, std::size_t n) {
  const std::size_t a = w.info.schema.size(), u = w.ReadoutInputs(), components = w.heads[0].components;
  const auto [begin, count] = LearntComponents(w.heads[0]);
  std::vector<float> inputs(n * u);
  for (std::size_t i = 0; i < n; ++i) {
    std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(i * a), a, inputs.begin() + static_cast<std::ptrdiff_t>(i * u));
    std::copy_n(projected.begin() + static_cast<std::ptrdiff_t>(i * components + begin), count,
                inputs.begin() + static_cast<std::ptrdiff_t>(i * u + a));
  }
  return inputs;
}

// scores = inputs matrix' + bias, summed in the order of the inputs.
void ReadOut(const Readout& readout, const std::vector<float>& inputs, std::size_t n, std::vector<float>& scores) {
  const std::size_t a = readout.bias.size(), u = readout.matrix.size() / a;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < a; ++j) {
      float sum = readout.bias[j];
      for (std::size_t k = 0; k < u; ++k) sum = std::fma(readout.matrix[j * u + k], inputs[i * u + k], sum);
      scores[i * a + j] = sum;
    }
  }
}

}  // namespace

std::size_t AuModel::Weights::ReadoutInputs() const {
  return info.schema.size() + LearntComponents(heads[0]).second;
}

Answers Answer(const AuModel::Weights& w, const float* features, std::size_t n, bool details) {
  const std::size_t a = w.info.schema.size();
  Answers answers;
  answers.scores.assign(n * a, 0.0F);
  std::vector<float> first_projected;
  for (std::size_t h = 0; h < w.heads.size(); ++h) {
    const Head& head = w.heads[h];
    std::vector<float> projected = head.Project(features, n, w.dimension);
    const bool sees = h == 0 && !w.seen_bias.empty(), keeps = h == 0 && details;
    std::vector<float> kernel;
    if (w.ksda.empty() || sees || keeps) kernel = head.Kernel(projected, n);
    std::vector<float> scores = w.ksda.empty() ? Linear(kernel, head.coefficients, head.bias, n)
                                               : KsdaScores(head, w.ksda, projected, n);
    if (h == 0 && !w.sides.empty()) answers.differences = w.sides.Differences(features, projected, n, w.dimension);
    if (sees) answers.seen = Linear(kernel, w.seen_coefficients, w.seen_bias, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < a; ++j) answers.scores[i * a + j] += w.mix[h * a + j] * scores[i * a + j];
    }
    if (keeps) answers.kernel = std::move(kernel);
    if (details) answers.head_scores.push_back(std::move(scores));
    if (h == 0) first_projected = std::move(projected);
  }
  if (details || !w.readout.empty()) answers.inputs = InputsOfReadout(w, answers.scores, first_projected, n);
  if (!w.readout.empty()) ReadOut(w.readout, answers.inputs, n, answers.scores);
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
