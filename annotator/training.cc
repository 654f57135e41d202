#include "annotator/training.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "annotator/internal/learner.h"
#include "annotator/metrics.h"
#include "features/au_partition.h"

namespace auforge::annotator {
namespace {

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

struct Split {
  std::vector<std::size_t> train, validation, test;
};

// Whole identities go to one part; the parts depend on the seed alone, not on the order of the rows.
Split SplitByIdentity(const TrainingData& data, const TrainOptions& options) {
  std::set<std::int64_t> unique(data.identity.begin(), data.identity.end());
  std::vector<std::int64_t> order(unique.begin(), unique.end());
  std::shuffle(order.begin(), order.end(), std::mt19937_64(options.seed));
  std::map<std::int64_t, double> position;
  for (std::size_t i = 0; i < order.size(); ++i) {
    position[order[i]] = (static_cast<double>(i) + 0.5) / static_cast<double>(order.size());
  }
  Split split;
  for (std::size_t row = 0; row < data.rows; ++row) {
    const double at = position[data.identity[row]];
    auto& part = at < options.test_share                              ? split.test
                 : at < options.test_share + options.validation_share ? split.validation
                                                                      : split.train;
    // Copies teach; they are not judged.
    if (&part == &split.train || data.copy.empty() || data.copy[row] == 0) part.push_back(row);
  }
  Require(split.train.size() >= 20 && !split.validation.empty() && !split.test.empty(),
          "train-au: " + std::to_string(data.rows) + " faces of " + std::to_string(order.size()) +
              " identities are too few to split; needs at least 20 to train on and some to judge by");
  return split;
}

// Rows of a matrix.
std::vector<float> Take(const std::vector<float>& matrix, const std::vector<std::size_t>& rows,
                        std::size_t width) {
  std::vector<float> taken(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(matrix.begin() + static_cast<std::ptrdiff_t>(rows[i] * width), width,
                taken.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  return taken;
}

std::vector<float> Column(const std::vector<float>& matrix, std::size_t width, std::size_t column) {
  std::vector<float> values;
  for (std::size_t at = column; at < matrix.size(); at += width) values.push_back(matrix[at]);
  return values;
}

const char* ConfidenceClass(double r) { return r >= 0.6 ? "strong" : r >= 0.35 ? "fair" : "weak"; }

AuFigure FigureOf(int au, const std::vector<float>& predicted, const std::vector<float>& label) {
  AuFigure figure;
  figure.au = au;
  for (const float v : label) {
    figure.rows += !std::isnan(v);
    figure.active += v >= 1;
  }
  figure.r = PearsonR(predicted, label);
  figure.icc = Icc31(predicted, label);
  figure.mae = MeanAbsoluteError(predicted, label);
  figure.auc = AreaUnderCurve(predicted, label);
  figure.f1 = F1(predicted, label);
  return figure;
}

// In pieces, so that memory stays small.
constexpr std::size_t kPiece = 512;

template <typename Work>
std::vector<float> InPieces(const std::vector<float>& features, const std::vector<std::size_t>& rows,
                            std::size_t dimension, const Work& work) {
  std::vector<float> all;
  for (std::size_t begin = 0; begin < rows.size(); begin += kPiece) {
    const std::vector<std::size_t> piece(
        rows.begin() + static_cast<std::ptrdiff_t>(begin),
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + kPiece)));
    const std::vector<float> part = work(Take(features, piece, dimension), piece.size());
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<float> ProjectRows(const Head& head, const std::vector<float>& features,
                               const std::vector<std::size_t>& rows, std::size_t dimension) {
  return InPieces(features, rows, dimension, [&](const std::vector<float>& x, std::size_t n) {
    return head.Project(x.data(), n, dimension);
  });
}

std::vector<std::size_t> AllRows(std::size_t n) {
  std::vector<std::size_t> rows(n);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

std::vector<AuFigure> Figures(const AuModel& model, const TrainingData& data,
                              const std::vector<std::size_t>& rows) {
  const std::size_t a = data.schema.size();
  const std::size_t dimension = data.features.size() / std::max<std::size_t>(1, data.rows);
  const std::vector<float> predicted =
      InPieces(data.features, rows, dimension, [&](const std::vector<float>& x, std::size_t n) {
        std::vector<float> intensity;
        for (const auto& e : model.Predict(x, n))
          intensity.insert(intensity.end(), e.intensity.begin(), e.intensity.end());
        return intensity;
      });
  const features::AuSchema& schema = model.info().schema;
  const std::vector<float> labels = Take(data.labels, rows, a);
  std::vector<AuFigure> figures;
  for (std::size_t j = 0; j < a; ++j) {
    const auto column = schema.Find(data.schema.numbers()[j]);
    if (!column) continue;
    figures.push_back(
        FigureOf(data.schema.numbers()[j], Column(predicted, schema.size(), *column), Column(labels, a, j)));
  }
  return figures;
}

}  // namespace

void TrainingData::Validate() const {
  const std::size_t a = schema.size();
  const std::size_t dimension = features::FeatureExtractor(spec).Dimension();
  Require(features.size() == rows * dimension && labels.size() == rows * a && identity.size() == rows &&
              (weights.empty() || weights.size() == rows * a) && (seen.empty() || seen.size() == rows * a) &&
              (copy.empty() || copy.size() == rows) &&
              unlabelled.size() == unlabelled_group.size() * dimension,
          "training data: the arrays do not match " + std::to_string(rows) + " rows");
  for (std::size_t j = 0; j < a; ++j) {
    bool varies = false;
    float first = NAN;
    for (std::size_t i = 0; i < rows; ++i) {
      const float v = labels[i * a + j];
      if (std::isnan(v)) continue;
      Require(v >= 0 && v <= 5, "training data: row " + std::to_string(i) + ": AU" +
                                    std::to_string(schema.numbers()[j]) + " = " + std::to_string(v) +
                                    "; must be 0..5");
      if (std::isnan(first)) first = v;
      varies = varies || v != first;
    }
    Require(varies, "training data: AU" + std::to_string(schema.numbers()[j]) +
                        " never varies; leave it out or add faces that show it");
  }
}

void TrainOptions::Validate() const {
  const auto check = [](bool good, const char* field, double value, const char* constraint) {
    Require(good, std::string("train.") + field + " = " + std::to_string(value) + "; must be " + constraint);
  };
  Require(learner == "nystrom" || learner == "svm" || learner == "ksda",
          "train.learner = " + learner + "; must be nystrom, svm or ksda");
  check(centres >= 1 && centres <= 8192, "centres", centres, "1..8192");
  check(svm_rows >= 50 && svm_rows <= 20000, "svm_rows", svm_rows, "50..20000");
  check(svm_c > 0, "svm_c", svm_c, "> 0");
  check(svm_epsilon >= 0, "svm_epsilon", svm_epsilon, ">= 0");
  check(ksda_rows >= 50 && ksda_rows <= 8000, "ksda_rows", ksda_rows, "50..8000");
  check(consistency >= 0, "consistency", consistency, ">= 0");
  check(prevalence >= 0, "prevalence", prevalence, ">= 0");
  check(shape_components >= 1 && gabor_components >= 1 && hog_components >= 1, "components", shape_components,
        ">= 1");
  check(whitening >= 0 && whitening <= 1, "whitening", whitening, "0..1");
  check(gamma_scale > 0, "gamma_scale", gamma_scale, "> 0");
  check(ridge > 0, "ridge", ridge, "> 0");
  check(validation_share >= 0.02 && validation_share <= 0.5, "validation_share", validation_share,
        "0.02..0.5");
  check(test_share >= 0.02 && test_share <= 0.5, "test_share", test_share, "0.02..0.5");
}

namespace {

// The heads: which columns each looks at. The upper and the lower part of the face are the regions of the AU
// partition's groups 1..4 (brows, eyes, cheeks, nose) and 5..8 (mouth and chin).
struct View {
  std::string name;
  std::vector<std::uint8_t> is_used;
};
std::vector<View> Views(const features::FeatureSpec& spec, const TrainOptions& options) {
  const features::FeatureExtractor extractor(spec);
  std::vector<View> views{{"whole", std::vector<std::uint8_t>(extractor.Dimension(), 1)}};
  const bool has_parts = options.local_heads && options.learner != "ksda";
  for (const bool upper : {true, false}) {
    if (!has_parts) break;
    std::vector<int> rois;
    for (const features::AuGroup& group : features::AuGroups()) {
      if ((group.number <= 4) == upper) rois.insert(rois.end(), group.rois.begin(), group.rois.end());
    }
    views.push_back({upper ? "upper" : "lower", extractor.LocalColumns(rois)});
  }
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    const auto& kept = options.blocks;
    if (kept.empty() || std::find(kept.begin(), kept.end(), block.name) != kept.end()) continue;
    for (View& view : views) {
      std::fill_n(view.is_used.begin() + static_cast<std::ptrdiff_t>(block.begin), block.size,
                  std::uint8_t{0});
    }
  }
  return views;
}

// What all steps share.
struct Training {
  const TrainingData& data;
  const TrainOptions& options;
  const std::function<void(const std::string&)>& log;
  Split split;
  std::size_t dimension, a;
  std::vector<float> labels, sample_weights, validation_labels;

  void Say(const std::string& text) const {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (log) log(text);
  }
};

struct LearntHead {
  Head head;
  std::vector<KsdaClassifier> ksda;
  std::vector<float> validation_scores;  // n x A
  Regression seen;                       // of the first head, where the data says what is hidden
};

LearntHead LearnHead(const Training& t, const View& view, bool is_first) {
  LearntHead result;
  Head& head = result.head;
  head.name = view.name;
  t.Say("head " + view.name + ": principal axes");
  head.blocks = LearnFront(t.data, t.split.train, t.options, view.is_used);
  for (const BlockProjection& block : head.blocks) head.components += block.components;
  const std::vector<float> rows = ProjectRows(head, t.data.features, t.split.train, t.dimension);
  head.gamma = static_cast<float>(t.options.gamma_scale) *
               MedianGamma(rows, t.split.train.size(), head.components, t.options.seed);
  LearnerInput input{rows, t.labels,  t.sample_weights, t.split.train.size(), head.components,
                     t.a,  head.gamma};
  const std::size_t unlabelled = t.data.unlabelled_group.size();
  input.unlabelled = ProjectRows(head, t.data.unlabelled, AllRows(unlabelled), t.dimension);
  input.group = t.data.unlabelled_group;
  for (const int au : t.data.schema.numbers()) {
    const auto& common = t.options.common_aus;
    input.is_common.push_back(std::find(common.begin(), common.end(), au) != common.end());
  }
  t.Say("head " + view.name + ": learner " + t.options.learner + " on " + std::to_string(head.components) +
        " components");
  if (t.options.learner == "svm") {
    LearnSvm(input, t.options, head, t.log);
  } else if (t.options.learner == "ksda") {
    result.ksda = LearnKsda(input, t.options, head, t.log);
  } else {
    LearnNystrom(input, t.options, head);
  }
  if (is_first && !t.data.seen.empty()) {
    const std::vector<float> seen = Take(t.data.seen, t.split.train, t.a);
    result.seen = RegressOnCentres(head, rows, seen, t.split.train.size(), t.a, t.options.ridge);
  }
  const std::vector<float> validation = ProjectRows(head, t.data.features, t.split.validation, t.dimension);
  const std::size_t n = t.split.validation.size();
  result.validation_scores = result.ksda.empty() ? HeadScores(head, validation, n, t.a)
                                                 : KsdaScores(head, result.ksda, validation, n);
  t.Say("head " + view.name + ": done");
  return result;
}

// All heads, on up to options.jobs threads; they share nothing but the data.
std::vector<LearntHead> LearnHeads(const Training& t) {
  const std::vector<View> views = Views(t.data.spec, t.options);
  std::vector<LearntHead> heads(views.size());
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < views.size(); i = next++) {
      try {
        heads[i] = LearnHead(t, views[i], i == 0);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < t.options.jobs; ++i) threads.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
  return heads;
}

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
  for (const float s : scores) intensity.push_back(std::clamp(1 + c.gain * (s - c.threshold), 0.0F, 5.0F));
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
    weights.calibration.push_back(Calibrate(score, label, weights.ksda.empty() ? nullptr : &own_threshold));
    weights.info.confidence.emplace_back(ConfidenceClass(best[j]));
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

TrainedModel TrainAuModel(const TrainingData& data, const TrainOptions& options,
                          const std::function<void(const std::string&)>& log) {
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

  AuModel model(std::move(weights));
  report.test = Figures(model, data, t.split.test);
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

std::vector<AuFigure> EvaluateAuModel(const AuModel& model, const TrainingData& data) {
  std::vector<std::size_t> rows = AllRows(data.rows);
  if (!data.copy.empty()) std::erase_if(rows, [&data](std::size_t i) { return data.copy[i] != 0; });
  return Figures(model, data, rows);
}

AuFigure MeanFigure(const std::vector<AuFigure>& figures) {
  AuFigure mean;
  double n = 0;
  for (const AuFigure& f : figures) {
    if (std::isnan(f.auc)) continue;
    ++n;
    mean.rows += f.rows;
    mean.active += f.active;
    mean.r += f.r;
    mean.icc += f.icc;
    mean.mae += f.mae;
    mean.auc += f.auc;
    mean.f1 += f.f1;
  }
  if (n == 0) return mean;
  for (double* value : {&mean.r, &mean.icc, &mean.mae, &mean.auc, &mean.f1}) *value /= n;
  return mean;
}

}  // namespace auforge::annotator
