// KSDA for every AU on one set of training rows: the distances are found once, each AU has its own kernel
// width.
#include <algorithm>
#include <cmath>

#include "annotator/internal/learner.h"
#include "annotator/internal/matrix_product.h"

namespace auforge::annotator {
namespace {

// Rows for all AUs: most AUs are rare, and a subclass of nobody teaches nothing. Half of the rows are drawn
// from those that show something.
std::vector<std::size_t> BalancedRows(const LearnerInput& input, std::size_t most, std::uint64_t seed) {
  if (input.n <= most) return ChooseRows(input.n, most, seed);
  std::vector<std::size_t> active, rest;
  for (std::size_t i = 0; i < input.n; ++i) {
    std::size_t shown = 0;
    for (std::size_t j = 0; j < input.aus; ++j) shown += input.labels[i * input.aus + j] >= 2 ? 1 : 0;
    (shown >= 2 ? active : rest).push_back(i);
  }
  std::vector<std::size_t> rows;
  const std::size_t half = std::min(active.size(), std::max(most / 2, most - std::min(most, rest.size())));
  for (const std::size_t i : ChooseRows(active.size(), half, seed)) rows.push_back(active[i]);
  for (const std::size_t i : ChooseRows(rest.size(), most - half, seed + 1)) rows.push_back(rest[i]);
  std::sort(rows.begin(), rows.end());
  return rows;
}

// A classifier that always says "not there", for an AU of which there is too little.
KsdaClassifier Silent(std::size_t rows) {
  KsdaClassifier none;
  none.gamma = 1;
  none.rows = rows;
  none.dimensions = 1;
  none.vectors.assign(rows, 0.0F);
  none.means = {0};
  none.letters = {0};
  return none;
}

KsdaClassifier LearnAu(const LearnerInput& input, const std::vector<std::size_t>& chosen,
                       const std::vector<float>& squared, std::size_t au, bool nearest_mean) {
  const std::size_t n = chosen.size();
  std::vector<std::size_t> used;
  std::vector<float> intensity;
  std::size_t active = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = chosen[i] * input.aus + au;
    if (std::isnan(input.labels[at]) || input.weights[at] <= 0) continue;
    used.push_back(i);
    intensity.push_back(input.labels[at]);
    active += input.labels[at] >= 1 ? 1 : 0;
  }
  KsdaOptions options;
  options.nearest_mean = nearest_mean;
  if (active < options.smallest || used.size() - active < options.smallest) return Silent(n);
  std::vector<float> part(used.size() * used.size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (std::size_t j = 0; j < used.size(); ++j) part[i * used.size() + j] = squared[used[i] * n + used[j]];
  }
  KsdaClassifier classifier = LearnKsdaClassifier(part, intensity, options);
  // Rows without this label take no part.
  std::vector<float> vectors(n * classifier.dimensions, 0.0F);
  for (std::size_t i = 0; i < used.size(); ++i) {
    std::copy_n(classifier.vectors.begin() + static_cast<std::ptrdiff_t>(i * classifier.dimensions),
                classifier.dimensions,
                vectors.begin() + static_cast<std::ptrdiff_t>(used[i] * classifier.dimensions));
  }
  classifier.rows = n;
  classifier.vectors = std::move(vectors);
  return classifier;
}

}  // namespace

std::vector<KsdaClassifier> LearnKsda(const LearnerInput& input, const TrainOptions& options, Head& head,
                                      const std::function<void(const std::string&)>& log) {
  const auto chosen = BalancedRows(input, static_cast<std::size_t>(options.ksda_rows), options.seed);
  const std::size_t n = chosen.size();
  head.centre_count = n;
  head.centres.resize(n * input.components);
  for (std::size_t i = 0; i < n; ++i) {
    std::copy_n(input.rows.begin() + static_cast<std::ptrdiff_t>(chosen[i] * input.components),
                input.components, head.centres.begin() + static_cast<std::ptrdiff_t>(i * input.components));
  }
  std::vector<float> squared =
      SquaredDistances(head.centres.data(), n, head.centres.data(), n, input.components);
  for (std::size_t i = 0; i < n; ++i) {  // symmetric to the bit, zero on the diagonal
    squared[i * n + i] = 0;
    for (std::size_t j = 0; j < i; ++j) squared[i * n + j] = squared[j * n + i];
  }
  std::vector<KsdaClassifier> classifiers;
  for (std::size_t au = 0; au < input.aus; ++au) {
    classifiers.push_back(LearnAu(input, chosen, squared, au, options.ksda_nearest));
    if (log) {
      const KsdaClassifier& c = classifiers.back();
      log("ksda: " + std::to_string(au + 1) + " of " + std::to_string(input.aus) + " AUs, " +
          std::to_string(c.letters.size()) + " subclasses, gamma " + std::to_string(c.gamma / input.gamma) +
          " times 1 / median squared distance");
    }
  }
  return classifiers;
}

std::vector<float> KsdaScores(const Head& head, const std::vector<KsdaClassifier>& classifiers,
                              const std::vector<float>& projected, std::size_t n) {
  const std::size_t c = head.centre_count, a = classifiers.size();
  const std::vector<float> squared =
      SquaredDistances(projected.data(), n, head.centres.data(), c, head.components);
  std::vector<float> scores(n * a), kernel(n * c);
  for (std::size_t j = 0; j < a; ++j) {
    const KsdaClassifier& classifier = classifiers[j];
    for (std::size_t i = 0; i < n * c; ++i) kernel[i] = std::exp(-classifier.gamma * squared[i]);
    std::vector<float> y(n * classifier.dimensions);
    MatrixProduct(kernel.data(), classifier.vectors.data(), y.data(), n, c, classifier.dimensions);
    for (std::size_t i = 0; i < n; ++i) {
      scores[i * a + j] =
          KsdaScore(classifier, std::span(y).subspan(i * classifier.dimensions, classifier.dimensions));
    }
  }
  return scores;
}

}  // namespace auforge::annotator
