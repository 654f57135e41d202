#include "annotator/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include "annotator/internal/learner.h"
#include "annotator/metrics.h"

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
    (at < options.test_share                              ? split.test
     : at < options.test_share + options.validation_share ? split.validation
                                                          : split.train)
        .push_back(row);
  }
  Require(split.train.size() >= 20 && !split.validation.empty() && !split.test.empty(),
          "train-au: " + std::to_string(data.rows) + " faces of " + std::to_string(order.size()) +
              " identities are too few to split; needs at least 20 to train on and some to judge by");
  return split;
}

// Rows of a matrix.
std::vector<float> Take(const std::vector<float>& matrix, const std::vector<std::size_t>& rows, std::size_t width) {
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

// Predictions in pieces, so that memory stays small.
std::vector<float> ProjectRows(const AuModel::Weights& weights, const TrainingData& data,
                               const std::vector<std::size_t>& rows, std::size_t dimension) {
  std::vector<float> projected;
  projected.reserve(rows.size() * weights.components);
  constexpr std::size_t kPiece = 512;
  for (std::size_t begin = 0; begin < rows.size(); begin += kPiece) {
    const std::vector<std::size_t> piece(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                         rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + kPiece)));
    const std::vector<float> features = Take(data.features, piece, dimension);
    const std::vector<float> part = weights.Project(features.data(), piece.size(), dimension);
    projected.insert(projected.end(), part.begin(), part.end());
  }
  return projected;
}

std::vector<AuFigure> Figures(const AuModel& model, const TrainingData& data, const std::vector<std::size_t>& rows) {
  const std::size_t a = data.schema.size();
  const std::size_t dimension = data.features.size() / std::max<std::size_t>(1, data.rows);
  std::vector<float> predicted;
  constexpr std::size_t kPiece = 512;
  for (std::size_t begin = 0; begin < rows.size(); begin += kPiece) {
    const std::vector<std::size_t> piece(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                         rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + kPiece)));
    for (const auto& estimate : model.Predict(Take(data.features, piece, dimension), piece.size())) {
      predicted.insert(predicted.end(), estimate.intensity.begin(), estimate.intensity.end());
    }
  }
  const features::AuSchema& schema = model.info().schema;
  const std::vector<float> labels = Take(data.labels, rows, a);
  std::vector<AuFigure> figures;
  for (std::size_t j = 0; j < a; ++j) {
    const auto column = schema.Find(data.schema.numbers()[j]);
    if (!column) continue;
    figures.push_back(FigureOf(data.schema.numbers()[j], Column(predicted, schema.size(), *column), Column(labels, a, j)));
  }
  return figures;
}

}  // namespace

void TrainingData::Validate() const {
  const std::size_t a = schema.size();
  const std::size_t dimension = features::FeatureExtractor(spec).Dimension();
  Require(features.size() == rows * dimension && labels.size() == rows * a && identity.size() == rows &&
              (weights.empty() || weights.size() == rows * a),
          "training data: the arrays do not match " + std::to_string(rows) + " rows");
  for (std::size_t j = 0; j < a; ++j) {
    bool varies = false;
    float first = NAN;
    for (std::size_t i = 0; i < rows; ++i) {
      const float v = labels[i * a + j];
      if (std::isnan(v)) continue;
      Require(v >= 0 && v <= 5, "training data: row " + std::to_string(i) + ": AU" + std::to_string(schema.numbers()[j]) +
                                    " = " + std::to_string(v) + "; must be 0..5");
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
  Require(learner == "nystrom" || learner == "svm", "train.learner = " + learner + "; must be nystrom or svm");
  check(centres >= 1 && centres <= 8192, "centres", centres, "1..8192");
  check(svm_rows >= 50 && svm_rows <= 20000, "svm_rows", svm_rows, "50..20000");
  check(svm_c > 0, "svm_c", svm_c, "> 0");
  check(svm_epsilon >= 0, "svm_epsilon", svm_epsilon, ">= 0");
  check(shape_components >= 1 && gabor_components >= 1 && hog_components >= 1, "components", shape_components, ">= 1");
  check(whitening >= 0 && whitening <= 1, "whitening", whitening, "0..1");
  check(gamma_scale > 0, "gamma_scale", gamma_scale, "> 0");
  check(ridge > 0, "ridge", ridge, "> 0");
  check(validation_share >= 0.02 && validation_share <= 0.5, "validation_share", validation_share, "0.02..0.5");
  check(test_share >= 0.02 && test_share <= 0.5, "test_share", test_share, "0.02..0.5");
}

TrainedModel TrainAuModel(const TrainingData& data, const TrainOptions& options,
                          const std::function<void(const std::string&)>& log) {
  const auto start = std::chrono::steady_clock::now();
  const auto say = [&log](const std::string& text) {
    if (log) log(text);
  };
  options.Validate();
  data.Validate();
  const std::size_t a = data.schema.size();
  const std::size_t dimension = data.features.size() / data.rows;
  const Split split = SplitByIdentity(data, options);
  say("split by identity: " + std::to_string(split.train.size()) + " faces to train on, " +
      std::to_string(split.validation.size()) + " to calibrate, " + std::to_string(split.test.size()) + " to judge");

  auto weights = std::make_unique<AuModel::Weights>();
  weights->info.schema = data.schema;
  weights->info.features = data.spec;
  weights->info.learner = options.learner;
  weights->info.provenance = options.provenance;
  weights->info.provisional = options.provisional;
  say("principal axes of " + std::to_string(dimension) + " features");
  weights->blocks = LearnFront(data, split.train, options);
  for (const BlockProjection& block : weights->blocks) weights->components += block.components;
  const std::vector<float> rows = ProjectRows(*weights, data, split.train, dimension);
  weights->gamma = static_cast<float>(options.gamma_scale) *
                   MedianGamma(rows, split.train.size(), weights->components, options.seed);

  const std::vector<float> labels = Take(data.labels, split.train, a);
  const std::vector<float> sample_weights = data.weights.empty() ? std::vector<float>(split.train.size() * a, 1.0F)
                                                                 : Take(data.weights, split.train, a);
  const LearnerInput input{rows, labels, sample_weights, split.train.size(), weights->components, a, weights->gamma};
  say("learner " + options.learner);
  if (options.learner == "svm") {
    LearnSvm(input, options, *weights, log);
  } else {
    LearnNystrom(input, options, *weights);
  }

  const std::vector<float> validation_rows = ProjectRows(*weights, data, split.validation, dimension);
  const std::vector<float> scores = weights->Scores(validation_rows, split.validation.size());
  const std::vector<float> validation_labels = Take(data.labels, split.validation, a);
  for (std::size_t j = 0; j < a; ++j) {
    const std::vector<float> score = Column(scores, a, j);
    const std::vector<float> label = Column(validation_labels, a, j);
    weights->calibration.push_back(Calibrate(score, label));
    weights->info.confidence.emplace_back(ConfidenceClass(PearsonR(score, label)));
  }
  TrainedModel result{AuModel(std::move(weights)), {}};
  result.report.test = Figures(result.model, data, split.test);
  result.report.train_rows = split.train.size();
  result.report.validation_rows = split.validation.size();
  result.report.test_rows = split.test.size();
  result.report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<AuFigure> EvaluateAuModel(const AuModel& model, const TrainingData& data) {
  std::vector<std::size_t> rows(data.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
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
