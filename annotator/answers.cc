#include "annotator/internal/answers.h"

#include <algorithm>
#include <cmath>
#include <optional>
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

// For each AU of the model its place among the opinions of the net, where it has one.
std::vector<std::optional<std::size_t>> PlacesOfOpinions(const AuModel::Weights& w) {
  std::vector<std::optional<std::size_t>> places;
  const std::vector<int>& aus = w.info.features.net->opinion_aus();
  for (const int au : w.info.schema.numbers()) {
    const auto at = std::find(aus.begin(), aus.end(), au);
    places.push_back(at == aus.end() ? std::nullopt : std::optional<std::size_t>(at - aus.begin()));
  }
  return places;
}

// n x U
std::vector<float> InputsOfReadout(const AuModel::Weights& w, const std::vector<float>& scores, const float* features,
                                   std::size_t n) {
  const std::size_t a = w.info.schema.size(), u = w.ReadoutInputs();
  if (u == a) return scores;
  const features::LearntNet& net = *w.info.features.net;
  const std::size_t size = net.channels(), count = net.opinion_aus().size();
  const auto places = PlacesOfOpinions(w);
  std::vector<float> inputs(n * u, 0.0F), embedding(size), opinions(2 * count);
  for (std::size_t i = 0; i < n; ++i) {
    std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(i * a), a, inputs.begin() + static_cast<std::ptrdiff_t>(i * u));
    // The net's block is the last one of a row: the embedding of the face, then of its mirror image.
    const float* own = features + (i + 1) * w.dimension - 2 * size;
    for (std::size_t d = 0; d < size; ++d) embedding[d] = (own[d] + own[size + d]) / 2;
    net.Opinions(embedding, opinions);
    for (std::size_t j = 0; j < a; ++j) {
      if (!places[j]) continue;
      inputs[i * u + a + j] = opinions[*places[j]];
      inputs[i * u + 2 * a + j] = opinions[count + *places[j]];
    }
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
  const bool has_opinions = info.features.net != nullptr && !info.features.net->opinion_aus().empty();
  return (has_opinions ? 3 : 1) * info.schema.size();
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
    if (h == 0 && !w.sides.empty()) answers.differences = w.sides.Differences(features, projected, n, w.dimension);
    if (sees) answers.seen = Linear(kernel, w.seen_coefficients, w.seen_bias, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < a; ++j) answers.scores[i * a + j] += w.mix[h * a + j] * scores[i * a + j];
    }
    if (keeps) answers.kernel = std::move(kernel);
    if (details) answers.head_scores.push_back(std::move(scores));
  }
  if (details || !w.readout.empty()) answers.inputs = InputsOfReadout(w, answers.scores, features, n);
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
