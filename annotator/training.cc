#include "annotator/training.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>

#include "annotator/internal/answers.h"
#include "annotator/internal/quality_head.h"
#include "annotator/internal/training_steps.h"
#include "annotator/metrics.h"
#include "annotator/photo_readout.h"
#include "datasets/storage/bad_content.h"

namespace auforge::annotator {
namespace {

const char* ConfidenceClass(double r) { return r >= 0.6 ? "strong" : r >= 0.35 ? "fair" : "weak"; }

// The sum of some heads' scores of one AU, by their number.
std::vector<float> MeanScore(const std::vector<std::vector<float>>& heads, unsigned members, std::size_t a,
                             std::size_t au) {
  std::vector<float> mean;
  float count = 0;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    if ((members >> h & 1U) == 0) continue;
    const std::vector<float> scores = Column(heads[h], a, au);
    if (mean.empty()) mean.assign(scores.size(), 0.0F);
    for (std::size_t i = 0; i < scores.size(); ++i) mean[i] += scores[i];
    ++count;
  }
  for (float& v : mean) v /= count;
  return mean;
}

double CalibratedR(const std::vector<float>& scores, const std::vector<float>& labels) {
  const AuCalibration c = Calibrate(scores, labels);
  std::vector<float> intensity;
  for (const float s : scores) intensity.push_back(IntensityOf(c, s));
  return PearsonR(intensity, labels);
}

// For each AU the heads whose mean does best on the validation identities.
void ChooseHeads(const Training& t, const std::vector<std::vector<float>>& scores, AuModel::Weights& weights,
                 TrainReport& report) {
  const std::size_t heads = scores.size();
  weights.mix.assign(heads * t.a, 0.0F);
  weights.info.looks_at.assign(t.a, "");
  std::vector<double> best(t.a, -2);
  std::vector<unsigned> choice(t.a, 1);
  for (unsigned members = 1; members < 1U << heads; ++members) {
    HeadFigure figure;
    for (std::size_t h = 0; h < heads; ++h) {
      if ((members >> h & 1U) != 0) figure.heads += (figure.heads.empty() ? "" : "+") + weights.heads[h].name;
    }
    for (std::size_t j = 0; j < t.a; ++j) {
      const double r = CalibratedR(MeanScore(scores, members, t.a, j), Column(t.validation_labels, t.a, j));
      figure.r.push_back(r);
      if (r <= best[j]) continue;
      best[j] = r;
      choice[j] = members;
      weights.info.looks_at[j] = figure.heads;
    }
    report.heads.push_back(std::move(figure));
  }
  for (std::size_t j = 0; j < t.a; ++j) {
    const auto count = static_cast<float>(std::popcount(choice[j]));
    for (std::size_t h = 0; h < heads; ++h)
      weights.mix[h * t.a + j] = (choice[j] >> h & 1U) != 0 ? 1 / count : 0;
    const std::vector<float> score = MeanScore(scores, choice[j], t.a, j),
                             label = Column(t.validation_labels, t.a, j);
    const float own_threshold = 1;
    weights.calibration.push_back(
        Calibrate(score, label, !weights.ksda.empty() && t.options.ksda_nearest ? &own_threshold : nullptr));
    weights.info.confidence.emplace_back(ConfidenceClass(best[j]));
  }
}

// What the readout's refits are held back by: its inputs on people that the heads have not seen.
// They are returned, n x U of the validation rows.
std::vector<float> RememberRenders(const Training& t, AuModel::Weights& weights) {
  std::vector<float> inputs;
  InPieces(t.split.validation, [&](const std::vector<std::size_t>& piece) {
    const Answers answers = Answer(weights, Take(t.data.features, piece, t.dimension).data(), piece.size(), true);
    inputs.insert(inputs.end(), answers.inputs.begin(), answers.inputs.end());
  });
  weights.moments =
      MomentsOf(inputs, t.validation_labels, t.split.validation.size(), weights.ReadoutInputs(), t.a);
  return inputs;
}

// One AU's readout as a mixture: 1 - share of the heads' score, share of the net's intensity and logit in equal parts,
// each in units of its spread over renders, all in the units of the heads' score.
std::vector<float> MixtureRow(const RenderMoments& moments, std::size_t a, std::size_t j, double share) {
  const std::size_t u = moments.mean.size();
  const auto spread = [&](std::size_t k) { return std::sqrt(std::max(1e-12F, moments.covariance[k * u + k])); };
  std::vector<float> row(u, 0.0F);
  row[j] = static_cast<float>(1 - share);
  for (const std::size_t part : {a, 2 * a}) row[part + j] = static_cast<float>(share / 2) * spread(j) / spread(part + j);
  return row;
}

// How many photographs show an AU, and how many do not; 0 where they are not labelled for it.
std::pair<int, int> PhotographsOf(const TrainingData* photos, int au) {
  std::pair<int, int> count{0, 0};
  const auto column = photos != nullptr ? photos->schema.Find(au) : std::nullopt;
  for (std::size_t i = 0; column && i < photos->rows; ++i) {
    const float label = photos->labels[i * photos->schema.size() + *column];
    if (!std::isnan(label)) ++(label >= 1 ? count.first : count.second);
  }
  return count;
}

// The learnt net's own opinions beside the heads' scores. What photographs have taught the net counts on photographs;
// how much, renders cannot tell: there the share of the options holds, as far as it costs nothing on renders.
void MixInOpinions(const Training& t, const std::vector<float>& inputs, const TrainingData* photos,
                   AuModel::Weights& weights) {
  const std::size_t u = weights.ReadoutInputs(), n = t.split.validation.size();
  weights.readout.matrix.assign(t.a * u, 0.0F);
  weights.readout.bias.assign(t.a, 0.0F);
  for (std::size_t j = 0; j < t.a; ++j) {
    const std::vector<float> label = Column(t.validation_labels, t.a, j);
    const auto scores_with = [&](double share) {
      const std::vector<float> row = MixtureRow(weights.moments, t.a, j, share);
      std::vector<float> scores(n, 0.0F);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = j; k < u; k += t.a) scores[i] += row[k] * inputs[i * u + k];
      }
      return scores;
    };
    const std::vector<double> shares = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
    std::vector<double> r;
    for (const double share : shares) r.push_back(PearsonR(scores_with(share), label));
    auto best = static_cast<std::size_t>(std::max_element(r.begin(), r.end()) - r.begin());
    const auto [with, without] = PhotographsOf(photos, t.data.schema.numbers()[j]);
    if (std::min(with, without) >= t.options.readout.least_present) {
      for (std::size_t s = best; s < shares.size() && shares[s] <= t.options.net_share + 1e-9; ++s) {
        if (r[s] >= r[best] - t.options.readout.most_lost) best = s;
      }
    }
    const std::vector<float> row = MixtureRow(weights.moments, t.a, j, shares[best]);
    std::copy(row.begin(), row.end(), weights.readout.matrix.begin() + static_cast<std::ptrdiff_t>(j * u));
    weights.calibration[j] = Calibrate(scores_with(shares[best]), label);
    char share[16];
    std::snprintf(share, sizeof(share), "+net %.1f", shares[best]);
    if (shares[best] > 0) weights.info.looks_at[j] += share;
    weights.info.confidence[j] = ConfidenceClass(r[best]);
  }
}

constexpr float kMarkedSteps = 3, kMostGain = 6;

// Thresholds no lower than what stands out from most photos, for AUs that people do not show as a rule.
void RaiseThresholds(const Training& t, AuModel::Weights& weights) {
  const std::size_t n = t.data.unlabelled_group.size();
  if (n == 0 || t.options.photo_spread <= 0) return;
  std::vector<float> scores;
  InPieces(AllRows(n), [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> part =
        weights.Scores(Take(t.data.unlabelled, piece, t.dimension).data(), piece.size());
    scores.insert(scores.end(), part.begin(), part.end());
  });
  for (std::size_t j = 0; j < t.a; ++j) {
    const auto& common = t.options.common_aus;
    if (std::find(common.begin(), common.end(), t.data.schema.numbers()[j]) != common.end()) continue;
    const auto [centre, spread] = MedianAndSpread(Column(scores, t.a, j));
    AuCalibration& c = weights.calibration[j];
    const float threshold = centre + static_cast<float>(t.options.photo_spread) * spread;
    if (threshold <= c.threshold) continue;
    // A marked expression, three steps above being present, keeps its intensity.
    const float marked = kMarkedSteps / c.gain - (threshold - c.threshold);
    c.gain = std::min(kMostGain, kMarkedSteps / std::max(marked, kMarkedSteps / kMostGain));
    c.threshold = threshold;
  }
}

double SecondsAFace(const AuModel& model, const TrainingData& data, std::size_t dimension) {
  constexpr std::size_t kBatch = 32;
  if (data.rows < kBatch) return 0;
  const std::span<const float> rows = std::span(data.features).first(kBatch * dimension);
  model.Predict(rows, kBatch);
  const auto start = std::chrono::steady_clock::now();
  constexpr int kRounds = 5;
  for (int i = 0; i < kRounds; ++i) model.Predict(rows, kBatch);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / (kRounds * kBatch);
}

}  // namespace

// Whole identities go to one part; the parts depend on the seed alone, not on the order of the rows.
Split SplitByIdentity(const TrainingData& data, const TrainOptions& options) {
  const auto takes_part = [&data](std::size_t row) { return data.held_out.empty() || data.held_out[row] != 0; };
  std::set<std::int64_t> unique;
  for (std::size_t row = 0; row < data.rows; ++row) {
    if (takes_part(row)) unique.insert(data.identity[row]);
  }
  std::vector<std::int64_t> order(unique.begin(), unique.end());
  std::shuffle(order.begin(), order.end(), std::mt19937_64(options.seed));
  // Of people who are held out as a whole none is left to train on: they are parted between the other two.
  const double all = options.test_share + options.validation_share,
               test_share = data.held_out.empty() ? options.test_share : options.test_share / all,
               validation_share = data.held_out.empty() ? options.validation_share : 1 - test_share;
  std::map<std::int64_t, double> position;
  for (std::size_t i = 0; i < order.size(); ++i) {
    position[order[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(order.size());
  }
  Split split;
  for (std::size_t row = 0; row < data.rows; ++row) {
    const double at = position[data.identity[row]];
    auto& part = !takes_part(row)                      ? split.train
                 : at < test_share                     ? split.test
                 : at < test_share + validation_share ? split.validation
                                                       : split.train;
    // Copies teach; they are not judged.
    if (&part == &split.train || data.copy.empty() || data.copy[row] == 0) {
      part.push_back(row);
    } else if (&part == &split.validation) {
      split.validation_copies.push_back(row);
    }
  }
  if (options.train_rows > 0 && split.train.size() > options.train_rows) {
    split.train = Take(split.train, ChooseRows(split.train.size(), options.train_rows, options.seed), 1);
  }
  if (split.train.size() < 20 || split.validation.empty() || split.test.empty()) {
    throw datasets::storage::BadContent("train-au: " + std::to_string(data.rows) + " faces of " +
                                        std::to_string(order.size()) +
                                        " identities are too few to split; needs at least 20 to train on and some to judge by");
  }
  return split;
}

std::vector<float> Column(const std::vector<float>& matrix, std::size_t width, std::size_t column) {
  std::vector<float> values;
  for (std::size_t at = column; at < matrix.size(); at += width) values.push_back(matrix[at]);
  return values;
}

std::vector<std::size_t> AllRows(std::size_t n) {
  std::vector<std::size_t> rows(n);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

void LearnQuality(const Training& t, AuModel::Weights& weights) {
  if (t.data.evidence.empty()) return;
  t.Say("quality: errors on the faces to calibrate by");
  std::vector<std::size_t> rows = t.split.validation;
  rows.insert(rows.end(), t.split.validation_copies.begin(), t.split.validation_copies.end());
  std::sort(rows.begin(), rows.end());
  std::vector<float> kernel, cues, intensity;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> x = Take(t.data.features, piece, t.dimension);
    const Answers answers = Answer(weights, x.data(), piece.size(), true);
    const std::vector<float> intensities = IntensitiesOf(weights, answers);
    const std::vector<float> part =
        QualityCues(weights, answers, intensities, Take(t.data.evidence, piece, 1));
    kernel.insert(kernel.end(), answers.kernel.begin(), answers.kernel.end());
    cues.insert(cues.end(), part.begin(), part.end());
    intensity.insert(intensity.end(), intensities.begin(), intensities.end());
  });
  const FaceErrors errors = ErrorsOfFaces(intensity, Take(t.data.labels, rows, t.a), rows.size());
  weights.quality = LearnQualityHead(kernel, cues, errors.relative, Take(t.data.identity, rows, 1));
}

void Training::Say(const std::string& text) const {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (log) log(text);
}

TrainedModel TrainAuModel(const TrainingData& data, const TrainOptions& options,
                          const std::function<void(const std::string&)>& log, const TrainingData* photos) {
  const auto start = std::chrono::steady_clock::now();
  options.Validate();
  data.Validate();
  Training t{data,
             options,
             log,
             SplitByIdentity(data, options),
             data.features.size() / data.rows,
             data.schema.size(),
             {},
             {},
             {}};
  t.Say("split by identity: " + std::to_string(t.split.train.size()) + " faces to train on, " +
        std::to_string(t.split.validation.size()) + " to calibrate, " + std::to_string(t.split.test.size()) +
        " to judge");
  t.labels = Take(data.labels, t.split.train, t.a);
  t.sample_weights = data.weights.empty() ? std::vector<float>(t.labels.size(), 1.0F)
                                          : Take(data.weights, t.split.train, t.a);
  t.validation_labels = Take(data.labels, t.split.validation, t.a);

  auto weights = std::make_unique<AuModel::Weights>();
  weights->info.schema = data.schema;
  weights->info.features = data.spec;
  weights->info.learner = options.learner;
  if (!data.landmarker.empty()) weights->info.landmarker = data.landmarker;
  weights->info.provenance = options.provenance;
  weights->info.provisional = options.provisional;
  TrainReport report;
  std::vector<std::vector<float>> scores;
  for (LearntHead& learnt : LearnHeads(t)) {
    scores.push_back(std::move(learnt.validation_scores));
    weights->heads.push_back(std::move(learnt.head));
    if (weights->heads.size() > 1) continue;
    weights->ksda = std::move(learnt.ksda);
    weights->seen_coefficients = std::move(learnt.seen.coefficients);
    weights->seen_bias = std::move(learnt.seen.bias);
  }
  ChooseHeads(t, scores, *weights, report);
  weights->dimension = t.dimension;
  const std::vector<float> inputs = RememberRenders(t, *weights);
  if (weights->ReadoutInputs() > t.a) MixInOpinions(t, inputs, photos, *weights);
  RaiseThresholds(t, *weights);
  if (photos != nullptr) {
    t.Say("readout: " + std::to_string(photos->rows) + " labelled photographs");
    Refitted refitted = RefitOnPhotos(AuModel(std::move(weights)), *photos, options.readout, log);
    report.readout = std::move(refitted.figures);
    weights = std::make_unique<AuModel::Weights>(refitted.model.weights());
  }
  LearnSides(t, *weights);
  LearnQuality(t, *weights);

  AuModel model(std::move(weights));
  report.test = FiguresOf(model, data, t.split.test);
  report.quality = QualityFigureOf(model, data, t.split.test);
  report.sides = SideFiguresOf(model, data, t.split.test);
  auto judged = std::make_unique<AuModel::Weights>(model.weights());
  for (const AuFigure& f : report.test) {
    judged->info.held_out.push_back({static_cast<float>(f.r), static_cast<float>(f.icc),
                                     static_cast<float>(f.mae), static_cast<float>(f.auc),
                                     static_cast<float>(f.f1)});
  }
  report.train_rows = t.split.train.size();
  report.validation_rows = t.split.validation.size();
  report.test_rows = t.split.test.size();
  report.seconds_a_face = SecondsAFace(model, data, t.dimension);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {AuModel(std::move(judged)), std::move(report)};
}

}  // namespace auforge::annotator
