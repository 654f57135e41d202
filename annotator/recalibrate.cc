#include "annotator/recalibrate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

// A crawl's spread changes a scale by no more than this factor: its AUs differ too, not only its pictures.
constexpr float kMostScale = 2;

// n x A, transposed to a vector for each AU.
std::vector<std::vector<float>> ScoresByAu(const AuModel& model, std::span<const float> features,
                                           std::size_t n) {
  const AuModel::Weights& weights = model.weights();
  if (n == 0 || features.size() != n * weights.dimension) {
    throw std::invalid_argument("calibrate: the rows do not match the model's " +
                                std::to_string(weights.dimension) + " features");
  }
  const std::size_t a = weights.info.schema.size();
  std::vector<std::vector<float>> by_au(a);
  constexpr std::size_t kPiece = 512;
  for (std::size_t begin = 0; begin < n; begin += kPiece) {
    const std::size_t count = std::min(kPiece, n - begin);
    const std::vector<float> scores = weights.Scores(features.data() + begin * weights.dimension, count);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < a; ++j) by_au[j].push_back(scores[i * a + j]);
    }
  }
  return by_au;
}

double ShareAbove(const std::vector<float>& scores, float threshold) {
  const auto above =
      std::count_if(scores.begin(), scores.end(), [threshold](float s) { return s >= threshold; });
  return static_cast<double>(above) / static_cast<double>(std::max<std::size_t>(1, scores.size()));
}

Recalibrated Finish(const AuModel& model, std::unique_ptr<AuModel::Weights> weights,
                    const std::vector<std::vector<float>>& scores) {
  std::vector<AuShift> shifts;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const AuCalibration &before = model.weights().calibration[j], &after = weights->calibration[j];
    shifts.push_back({weights->info.schema.numbers()[j], before.threshold, after.threshold, before.gain,
                      after.gain, ShareAbove(scores[j], before.threshold),
                      ShareAbove(scores[j], after.threshold)});
  }
  return {AuModel(std::move(weights)), std::move(shifts)};
}

}  // namespace

std::pair<float, float> ScaleOf(const AuModel& model, std::size_t index) {
  const AuCalibration& c = model.weights().calibration.at(index);
  return {c.threshold, c.gain};
}

void RecalibrateOptions::Validate() const {
  if (!(k >= 0.5 && k <= 20))
    throw std::invalid_argument("calibrate.k = " + std::to_string(k) + "; must be 0.5..20");
}

Recalibrated RecalibrateOnUnlabelled(const AuModel& model, std::span<const float> features, std::size_t n,
                                     const RecalibrateOptions& options) {
  options.Validate();
  constexpr std::size_t kLeastFaces = 20;
  if (n < kLeastFaces) {
    throw std::invalid_argument("calibrate: " + std::to_string(n) +
                                " faces are too few to tell what is usual; needs 20 and more");
  }
  const auto scores = ScoresByAu(model, features, n);
  auto weights = std::make_unique<AuModel::Weights>(model.weights());
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const int au = weights->info.schema.numbers()[j];
    if (std::find(options.keep.begin(), options.keep.end(), au) != options.keep.end()) continue;
    const auto [centre, spread] = MedianAndSpread(scores[j]);
    AuCalibration& c = weights->calibration[j];
    const float scale = std::clamp(c.spread / spread, 1 / kMostScale, kMostScale);
    c.threshold = centre + static_cast<float>(options.k) * spread;
    c.gain *= scale;
    c.slope *= scale;
    c.centre = centre;
    c.spread = spread;
  }
  return Finish(model, std::move(weights), scores);
}

Recalibrated RecalibrateOnLabels(const AuModel& model, const TrainingData& data) {
  const auto scores = ScoresByAu(model, data.features, data.rows);
  auto weights = std::make_unique<AuModel::Weights>(model.weights());
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const auto column = data.schema.Find(weights->info.schema.numbers()[j]);
    if (!column) continue;
    std::vector<float> labels;
    bool active = false, inactive = false;
    for (std::size_t i = 0; i < data.rows; ++i) {
      labels.push_back(data.labels[i * data.schema.size() + *column]);
      active = active || labels.back() >= 1;
      inactive = inactive || labels.back() < 1;
    }
    if (active && inactive) weights->calibration[j] = Calibrate(scores[j], labels);
  }
  return Finish(model, std::move(weights), scores);
}

Recalibrated RecalibrateToNeutral(const AuModel& model, std::span<const float> features, std::size_t n) {
  const auto scores = ScoresByAu(model, features, n);
  auto weights = std::make_unique<AuModel::Weights>(model.weights());
  for (std::size_t j = 0; j < scores.size(); ++j) {
    AuCalibration& c = weights->calibration[j];
    const float neutral = MedianAndSpread(scores[j]).first;
    c.threshold += neutral - c.centre;
    c.centre = neutral;
  }
  return Finish(model, std::move(weights), scores);
}

}  // namespace auforge::annotator
