#include "tools/au/emotion_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>

namespace auforge::tools {
namespace {

constexpr std::size_t kPiece = 512;

// n x A, hidden AUs as 0.
std::vector<float> Intensities(const annotator::AuModel& model, const annotator::TrainingData& data) {
  const std::size_t dimension = data.features.size() / std::max<std::size_t>(1, data.rows);
  std::vector<float> all;
  for (std::size_t begin = 0; begin < data.rows; begin += kPiece) {
    const std::size_t n = std::min(kPiece, data.rows - begin);
    for (const auto& estimate : model.Predict(std::span(data.features).subspan(begin * dimension, n * dimension), n))
      all.insert(all.end(), estimate.intensity.begin(), estimate.intensity.end());
  }
  return all;
}

}  // namespace

EmotionFit FitEmotions(const annotator::AuModel& model, const annotator::TrainingData& data) {
  const std::vector<int>& aus = model.info().schema.numbers();
  const std::size_t a = aus.size(), width = data.schema.size();
  const std::vector<float> intensity = Intensities(model, data);
  std::vector<float> label(data.rows * a, NAN);
  EmotionFit fit;
  for (std::size_t j = 0; j < a; ++j) {
    const auto column = data.schema.Find(aus[j]);
    if (!column) continue;
    std::vector<float> estimates, labels;
    for (std::size_t i = 0; i < data.rows; ++i) {
      label[i * a + j] = data.labels[i * width + *column];
      estimates.push_back(intensity[i * a + j]);
      labels.push_back(label[i * a + j]);
    }
    const annotator::AuEvidence learnt = annotator::FitEvidence(estimates, labels, {aus[j], 0, 0});
    if (learnt.marked != learnt.absent) fit.evidence.push_back(learnt);
  }
  const std::size_t categories = annotator::EmotionNames().size();
  fit.labelled.assign(categories, 0);
  fit.estimated = fit.agreed = fit.labelled;
  std::vector<std::uint8_t> known(a);
  for (std::size_t i = 0; i < data.rows; ++i) {
    const std::span<float> row = std::span(label).subspan(i * a, a);
    for (std::size_t j = 0; j < a; ++j) {
      known[j] = std::isnan(row[j]) ? 0 : 1;
      if (known[j] == 0) row[j] = 0;
    }
    if (std::find(known.begin(), known.end(), 1) == known.end()) continue;
    const auto by_label = annotator::EmotionNearest(model.info().schema, row, known).category;
    const auto by_estimate =
        annotator::EmotionNearest(model.info().schema, std::span(intensity).subspan(i * a, a), known).category;
    ++fit.labelled[by_label];
    ++fit.estimated[by_estimate];
    if (by_label == by_estimate) ++fit.agreed[by_label];
  }
  return fit;
}

std::string EmotionText(const EmotionFit& fit) {
  std::string text = "evidence of an AU at estimates 0 and 3: log P(estimate | shown) / P(estimate | not shown)\n";
  char line[160];
  for (const annotator::AuEvidence& e : fit.evidence) {
    std::snprintf(line, sizeof(line), "  {%d, %.2fF, %.2fF},\n", e.au, static_cast<double>(e.absent),
                  static_cast<double>(e.marked));
    text += line;
  }
  std::snprintf(line, sizeof(line), "%-24s %9s %9s %9s\n", "nearest emotion", "by labels", "by AUs", "by both");
  text += line;
  const std::vector<std::string> names = annotator::EmotionNames();
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (fit.labelled[c] + fit.estimated[c] == 0) continue;
    std::snprintf(line, sizeof(line), "%-24s %9zu %9zu %9zu\n", names[c].c_str(), fit.labelled[c], fit.estimated[c],
                  fit.agreed[c]);
    text += line;
  }
  return text;
}

}  // namespace auforge::tools
