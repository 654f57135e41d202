#include "annotator/photo_readout.h"

#include <Eigen/Dense>
#include <array>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include "annotator/internal/answers.h"
#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/learner.h"
#include "annotator/internal/training_steps.h"
#include "annotator/metrics.h"

namespace auforge::annotator {
namespace {

// Row-major like everything that is stored.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

// A direction in which renders hardly vary costs at least this share of one in which they do.
constexpr double kFloor = 0.05;
// Where one level ends and the next begins: present, marked (C), severe (D); and what each boundary counts.
constexpr std::array<float, 3> kBoundaries = {1, 2.25F, 3.75F};
constexpr std::array<double, 3> kBoundaryWeights = {1, 0.5, 0.5};
// Fewer photographs than this on one side of a boundary say nothing about where it lies.
constexpr std::size_t kLeastAtBoundary = 5;
// With fewer photographs that show the AU neither its weights nor their cross-validation are more than noise: slope and
// thresholds alone are fitted. So they are where nobody can be left out.
constexpr std::size_t kFewest = 40;
// Stands for a penalty that lets no weight move.
constexpr double kUnmoved = 1e9;
constexpr int kNewtonSteps = 100;
constexpr float kMarked = 3, kLeastGain = 0.3F, kMostGain = 6;

// The inputs of the readout in units of their spread over renders.
struct Standard {
  Vector mean, spread;
  Matrix penalty;  // correlation + floor
};

Standard StandardOf(const RenderMoments& moments) {
  const auto u = static_cast<Eigen::Index>(moments.mean.size());
  Standard s{Vector(u), Vector(u), Matrix(u, u)};
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> covariance(
      moments.covariance.data(), u, u);
  for (Eigen::Index i = 0; i < u; ++i) {
    s.mean(i) = moments.mean[static_cast<std::size_t>(i)];
    s.spread(i) = std::sqrt(std::max(1e-12, static_cast<double>(covariance(i, i))));
  }
  s.penalty = s.spread.cwiseInverse().asDiagonal() * covariance.cast<double>() * s.spread.cwiseInverse().asDiagonal();
  s.penalty.diagonal().array() += kFloor;
  return s;
}

// The photographs that say something of one AU.
struct Photos {
  Matrix inputs;               // n x U, standardised
  Vector base;                 // n: the present score, in units of its spread over renders
  std::vector<float> level;    // n, 0..5
  std::vector<int> fold;       // n
};

// eta = slope * base + weights . inputs; P(level >= boundary k) = 1 / (1 + exp(cut_k - eta)).
struct Fit {
  Vector weights;
  double slope = 1;
  std::vector<double> cuts;
};

struct Boundary {
  float level;
  double weight;
};
std::vector<Boundary> BoundariesOf(const std::vector<float>& levels, const std::vector<Eigen::Index>& rows) {
  std::vector<Boundary> boundaries;
  for (std::size_t k = 0; k < kBoundaries.size(); ++k) {
    const auto above = static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](Eigen::Index i) {
      return levels[static_cast<std::size_t>(i)] >= kBoundaries[k];
    }));
    if (k == 0 || (above >= kLeastAtBoundary && rows.size() - above >= kLeastAtBoundary))
      boundaries.push_back({kBoundaries[k], kBoundaryWeights[k]});
  }
  return boundaries;
}

// Newton's method on the penalised likelihood; parameters: weights, slope, cuts.
Fit FitRows(const Photos& photos, const std::vector<Eigen::Index>& rows, const Matrix& penalty, double strength) {
  // Weights that a penalty holds at nothing are left out: beside it, what remains would be lost in the solution's rounding.
  const Eigen::Index u = strength < kUnmoved ? photos.inputs.cols() : 0, n = static_cast<Eigen::Index>(rows.size());
  const std::vector<Boundary> boundaries = BoundariesOf(photos.level, rows);
  const auto cuts = static_cast<Eigen::Index>(boundaries.size());
  Eigen::MatrixXd x(n, u + 1);
  for (Eigen::Index i = 0; i < n; ++i) {
    if (u > 0) x.row(i).head(u) = photos.inputs.row(rows[static_cast<std::size_t>(i)]);
    x(i, u) = photos.base(rows[static_cast<std::size_t>(i)]);
  }
  Vector theta = Vector::Zero(u + 1 + cuts);
  theta(u) = 1;
  for (Eigen::Index k = 0; k < cuts; ++k) theta(u + 1 + k) = 1.0 + 2.0 * static_cast<double>(k);
  const auto loss = [&](const Vector& at) {
    const Vector eta = x * at.head(u + 1);
    double sum = 0.05 * (at(u) - 1) * (at(u) - 1) + 0.5e-3 * at.tail(cuts).squaredNorm();
    if (u > 0) sum += 0.5 * strength * at.head(u).dot(penalty * at.head(u));
    for (Eigen::Index k = 0; k < cuts; ++k) {
      const Boundary& boundary = boundaries[static_cast<std::size_t>(k)];
      for (Eigen::Index i = 0; i < n; ++i) {
        const bool above = photos.level[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])] >= boundary.level;
        const double logit = (above ? 1 : -1) * (eta(i) - at(u + 1 + k));
        sum += boundary.weight * (std::log1p(std::exp(-std::abs(logit))) + std::max(0.0, -logit));
      }
    }
    return sum;
  };
  for (int step = 0; step < kNewtonSteps; ++step) {
    const Vector eta = x * theta.head(u + 1);
    Vector residual = Vector::Zero(n), curvature = Vector::Zero(n);
    Eigen::MatrixXd hessian = Eigen::MatrixXd::Zero(u + 1 + cuts, u + 1 + cuts);
    Vector gradient = Vector::Zero(u + 1 + cuts);
    for (Eigen::Index k = 0; k < cuts; ++k) {
      const Boundary& boundary = boundaries[static_cast<std::size_t>(k)];
      Vector bend(n);
      double sum = 0, bends = 0;
      for (Eigen::Index i = 0; i < n; ++i) {
        const double p = 1 / (1 + std::exp(theta(u + 1 + k) - eta(i)));
        const double above = photos.level[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)])] >= boundary.level ? 1 : 0;
        residual(i) += boundary.weight * (p - above);
        bend(i) = boundary.weight * std::max(1e-6, p * (1 - p));
        sum += boundary.weight * (p - above);
        bends += bend(i);
      }
      curvature += bend;
      gradient(u + 1 + k) = -sum + 1e-3 * theta(u + 1 + k);
      hessian(u + 1 + k, u + 1 + k) = bends + 1e-3;
      const Vector cross = -(x.transpose() * bend);
      hessian.block(0, u + 1 + k, u + 1, 1) = cross;
      hessian.block(u + 1 + k, 0, 1, u + 1) = cross.transpose();
    }
    gradient.head(u + 1) = x.transpose() * residual;
    if (u > 0) gradient.head(u) += strength * (penalty * theta.head(u));
    gradient(u) += 0.1 * (theta(u) - 1);
    hessian.topLeftCorner(u + 1, u + 1) = x.transpose() * (curvature.asDiagonal() * x);
    if (u > 0) hessian.topLeftCorner(u, u) += strength * penalty;
    hessian(u, u) += 0.1;
    Vector change = hessian.ldlt().solve(gradient);
    // Far from the optimum a whole step of Newton's can leave the region where the curvature holds.
    const double longest = 4.0, length = (x * change.head(u + 1)).cwiseAbs().maxCoeff();
    if (length > longest) change *= longest / length;
    // And one that leads uphill is too long: where labels are told apart wholly, curvature is nearly nothing.
    const double here = loss(theta);
    for (int halved = 0; halved < 40 && loss(theta - change) > here; ++halved) change *= 0.5;
    theta -= change;
    if (change.cwiseAbs().maxCoeff() < 1e-5) break;
  }
  Fit fit{Vector::Zero(photos.inputs.cols()), theta(u), {}};
  fit.weights.head(u) = theta.head(u);
  for (Eigen::Index k = 0; k < cuts; ++k) fit.cuts.push_back(theta(u + 1 + k));
  return fit;
}

double LogitOf(const Fit& fit, const Photos& photos, Eigen::Index row) {
  return fit.slope * photos.base(row) + photos.inputs.row(row).dot(fit.weights) - fit.cuts[0];
}

// Logits of presence, each from a fit without the people of its fold.
std::vector<float> LeftOut(const Photos& photos, int folds, const Matrix& penalty, double strength) {
  std::vector<float> logits(photos.level.size());
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<Eigen::Index> rows;
    for (std::size_t i = 0; i < photos.fold.size(); ++i) {
      if (photos.fold[i] != fold) rows.push_back(static_cast<Eigen::Index>(i));
    }
    const Fit fit = FitRows(photos, rows, penalty, strength);
    for (std::size_t i = 0; i < photos.fold.size(); ++i) {
      if (photos.fold[i] == fold) logits[i] = static_cast<float>(LogitOf(fit, photos, static_cast<Eigen::Index>(i)));
    }
  }
  return logits;
}

double MeanLogLoss(const std::vector<float>& logits, const std::vector<float>& levels) {
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double signed_logit = levels[i] >= 1 ? logits[i] : -static_cast<double>(logits[i]);
    sum += std::log1p(std::exp(-std::abs(signed_logit))) + std::max(0.0, -signed_logit);
  }
  return sum / static_cast<double>(logits.size());
}

// The score at which as large a share of the photographs lies above as is labelled present.
float ShareThreshold(std::vector<float> scores, std::size_t present) {
  std::sort(scores.begin(), scores.end(), std::greater<>());
  return (scores[present - 1] + scores[std::min(present, scores.size() - 1)]) / 2;
}

// One AU's row of the readout as it is fitted: of all inputs, in their own units.
struct Row {
  Vector matrix;
  double bias = 0;
};

class Refit {
 public:
  Refit(const AuModel& model, const TrainingData& photos, const ReadoutOptions& options,
        const std::function<void(const std::string&)>& log)
      : before_(model.weights()), options_(options), log_(log), standard_(StandardOf(before_.moments)) {
    u_ = before_.moments.mean.size();
    a_ = before_.info.schema.size();
    rows_ = photos.rows;
    for (std::size_t begin = 0; begin < photos.rows; begin += kPiece) {
      const std::size_t n = std::min(kPiece, photos.rows - begin);
      const Answers answers = Answer(before_, photos.features.data() + begin * before_.dimension, n, true);
      inputs_.insert(inputs_.end(), answers.inputs.begin(), answers.inputs.end());
      scores_.insert(scores_.end(), answers.scores.begin(), answers.scores.end());
    }
    fold_ = FoldsOf(photos);
  }

  Refitted Run(const TrainingData& photos) {
    auto weights = std::make_unique<AuModel::Weights>(before_);
    std::vector<ReadoutFigure> figures(a_);
    std::vector<std::optional<Photos>> of(a_);
    for (std::size_t j = 0; j < a_; ++j) of[j] = PhotosOf(j, photos, figures[j]);
    const std::vector<double> strengths = ChooseStrengths(of, figures);
    for (std::size_t j = 0; j < a_; ++j) {
      if (of[j]) RefitOne(j, *of[j], strengths[j], *weights, figures[j]);
    }
    return {AuModel(std::move(weights)), std::move(figures)};
  }

 private:
  static constexpr std::size_t kPiece = 512;

  std::vector<int> FoldsOf(const TrainingData& photos) const {
    const std::set<std::int64_t> unique(photos.identity.begin(), photos.identity.end());
    std::vector<std::int64_t> order(unique.begin(), unique.end());
    std::shuffle(order.begin(), order.end(), std::mt19937_64(options_.seed));
    std::map<std::int64_t, int> fold;
    for (std::size_t i = 0; i < order.size(); ++i) fold[order[i]] = static_cast<int>(i) % options_.folds;
    std::vector<int> folds;
    for (const std::int64_t person : photos.identity) folds.push_back(fold[person]);
    return folds;
  }

  // What the photographs say of an AU, or nothing and why.
  std::optional<Photos> PhotosOf(std::size_t j, const TrainingData& photos, ReadoutFigure& figure) const {
    figure.au = before_.info.schema.numbers()[j];
    const auto column = photos.schema.Find(figure.au);
    std::vector<std::size_t> rows;
    std::size_t claimed = 0;
    for (std::size_t i = 0; column && i < rows_; ++i) {
      const float label = photos.labels[i * photos.schema.size() + *column];
      if (std::isnan(label)) continue;
      rows.push_back(i);
      figure.present += label >= 1 ? 1 : 0;
      claimed += scores_[i * a_ + j] >= before_.calibration[j].threshold ? 1 : 0;
    }
    figure.rows = rows.size();
    const double r = RenderR(PresentRow(j), j);
    figure.render_r_before = figure.render_r_after = r;
    if (rows.empty()) {
      figure.why = "no photograph is labelled for it";
      return std::nullopt;
    }
    figure.share = static_cast<double>(figure.present) / static_cast<double>(rows.size());
    figure.share_before = static_cast<double>(claimed) / static_cast<double>(rows.size());
    const auto least = static_cast<std::size_t>(options_.least_present);
    if (figure.present < least || rows.size() - figure.present < least) {
      figure.why = std::to_string(figure.present) + " of " + std::to_string(rows.size()) +
                   " photographs show it; needs " + std::to_string(least) + " with and without";
      return std::nullopt;
    }
    const auto n = static_cast<Eigen::Index>(rows.size()), u = static_cast<Eigen::Index>(u_);
    Photos of{Matrix(n, u), Vector(n), {}, {}};
    const Row present = PresentRow(j);
    const double spread = SpreadOf(present.matrix);
    for (Eigen::Index i = 0; i < n; ++i) {
      const std::size_t row = rows[static_cast<std::size_t>(i)];
      for (Eigen::Index k = 0; k < u; ++k) {
        of.inputs(i, k) = (inputs_[row * u_ + static_cast<std::size_t>(k)] - standard_.mean(k)) / standard_.spread(k);
      }
      of.base(i) = (scores_[row * a_ + j] - present.bias - present.matrix.dot(standard_.mean)) / spread;
      of.level.push_back(photos.labels[row * photos.schema.size() + *column]);
      of.fold.push_back(fold_[row]);
    }
    std::vector<float> base(of.base.data(), of.base.data() + n), label = of.level;
    figure.auc_before = AreaUnderCurve(base, label);
    return of;
  }

  std::vector<double> ChooseStrengths(const std::vector<std::optional<Photos>>& of,
                                      std::vector<ReadoutFigure>& figures) const {
    std::vector<double> chosen(a_, kUnmoved);
    for (std::size_t j = 0; j < a_; ++j) {
      if (!of[j]) continue;
      if (log_)
        log_("AU" + std::to_string(figures[j].au) + ": " + std::to_string(figures[j].present) + " of " +
             std::to_string(figures[j].rows) + " photographs show it");
      if (std::min(figures[j].present, figures[j].rows - figures[j].present) < kFewest) continue;
      // Without other people nobody is left to judge weights by.
      if (const std::vector<int>& fold = of[j]->fold; std::all_of(fold.begin(), fold.end(), [&](int f) { return f == fold.front(); })) {
        if (log_) log_("AU" + std::to_string(figures[j].au) + ": of too few people to leave some out: scale and thresholds alone are fitted");
        continue;
      }
      double least = MeanLogLoss(LeftOut(*of[j], options_.folds, standard_.penalty, kUnmoved), of[j]->level);
      for (const double strength : options_.strengths) {
        const double loss = MeanLogLoss(LeftOut(*of[j], options_.folds, standard_.penalty, strength), of[j]->level);
        if (loss >= least) continue;
        least = loss;
        chosen[j] = strength;
      }
    }
    return chosen;
  }

  Row PresentRow(std::size_t j) const {
    Row row{Vector::Zero(static_cast<Eigen::Index>(u_)), 0};
    if (before_.readout.empty()) {
      row.matrix(static_cast<Eigen::Index>(j)) = 1;
      return row;
    }
    for (std::size_t k = 0; k < u_; ++k) row.matrix(static_cast<Eigen::Index>(k)) = before_.readout.matrix[j * u_ + k];
    row.bias = before_.readout.bias[j];
    return row;
  }

  // Standard deviation over renders of a linear function of the inputs.
  double SpreadOf(const Vector& matrix) const {
    const Vector scaled = matrix.cwiseProduct(standard_.spread);
    const double floor = kFloor * scaled.squaredNorm();
    return std::sqrt(std::max(1e-12, scaled.dot(standard_.penalty * scaled) - floor));
  }
  double RenderR(const Row& row, std::size_t j) const {
    const RenderMoments& m = before_.moments;
    if (m.label_deviation[j] <= 0) return 0;
    double cross = 0;
    for (std::size_t k = 0; k < u_; ++k) cross += row.matrix(static_cast<Eigen::Index>(k)) * m.cross[k * a_ + j];
    return cross / (SpreadOf(row.matrix) * m.label_deviation[j]);
  }

  // The fit in the inputs' own units, as spread over renders as the present score is.
  Row RowOf(const Fit& fit, std::size_t j, double& scale) const {
    const Row present = PresentRow(j);
    const double spread = SpreadOf(present.matrix);
    Row row{fit.slope / spread * present.matrix + fit.weights.cwiseQuotient(standard_.spread), 0};
    scale = spread / SpreadOf(row.matrix);
    row.matrix *= scale;
    row.bias = -row.matrix.dot(standard_.mean) - scale * fit.cuts[0];
    return row;
  }

  void RefitOne(std::size_t j, const Photos& photos, double strength, AuModel::Weights& weights, ReadoutFigure& figure) {
    std::vector<Eigen::Index> all(photos.level.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Eigen::Index>(i);
    Row row;
    double scale = 1;
    constexpr int kMostTries = 24;
    for (int attempt = 0; attempt < kMostTries; ++attempt, strength *= 2) {
      row = RowOf(FitRows(photos, all, standard_.penalty, strength), j, scale);
      figure.render_r_after = RenderR(row, j);
      if (figure.render_r_after >= figure.render_r_before - options_.most_lost) break;
    }
    std::vector<float> scores = JudgedScores(photos, row, strength, scale);
    figure.refitted = true;
    figure.strength = strength < kUnmoved ? strength : std::numeric_limits<double>::infinity();
    figure.auc_after = AreaUnderCurve(scores, photos.level);
    Put(row, j, weights);
    weights.calibration[j] = CalibrationOf(scores, photos.level, figure.present, weights.calibration[j].gain);
  }

  // Scores of the photographs by which the threshold is set and the figure made: of people left out in turn, where
  // weights were fitted to them; else their own, since slope and cut change no order.
  std::vector<float> JudgedScores(const Photos& photos, const Row& row, double strength, double scale) const {
    std::vector<float> scores;
    if (strength < kUnmoved) {
      scores = LeftOut(photos, options_.folds, standard_.penalty, strength);
      for (float& s : scores) s *= static_cast<float>(scale);  // 0: the cut of the logits, as in the row's bias
      return scores;
    }
    const double at_mean = row.matrix.dot(standard_.mean) + row.bias, spread = SpreadOf(row.matrix);
    for (Eigen::Index i = 0; i < photos.base.size(); ++i)
      scores.push_back(static_cast<float>(at_mean + spread * photos.base(i)));
    return scores;
  }

  void Put(const Row& row, std::size_t j, AuModel::Weights& weights) const {
    if (weights.readout.empty()) {
      weights.readout.matrix.assign(a_ * u_, 0.0F);
      weights.readout.bias.assign(a_, 0.0F);
      for (std::size_t i = 0; i < a_; ++i) weights.readout.matrix[i * u_ + i] = 1;
    }
    for (std::size_t k = 0; k < u_; ++k) weights.readout.matrix[j * u_ + k] = static_cast<float>(row.matrix(static_cast<Eigen::Index>(k)));
    weights.readout.bias[j] = static_cast<float>(row.bias);
  }

  static AuCalibration CalibrationOf(const std::vector<float>& scores, const std::vector<float>& levels,
                                     std::size_t present, float gain_before) {
    const float threshold = ShareThreshold(scores, present);
    AuCalibration calibration = Calibrate(scores, levels, &threshold);
    double score = 0, level = 0, count = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (levels[i] < kMarked) continue;
      score += scores[i];
      level += levels[i];
      ++count;
    }
    calibration.gain = gain_before;
    if (count >= kLeastAtBoundary && score / count > threshold) {
      calibration.gain = std::clamp(static_cast<float>((level / count - 1) / (score / count - threshold)), kLeastGain, kMostGain);
    }
    return calibration;
  }

  const AuModel::Weights& before_;
  const ReadoutOptions& options_;
  const std::function<void(const std::string&)>& log_;
  Standard standard_;
  std::size_t u_ = 0, a_ = 0, rows_ = 0;
  std::vector<float> inputs_, scores_;
  std::vector<int> fold_;
};

}  // namespace

RenderMoments MomentsOf(const std::vector<float>& rows, const std::vector<float>& labels, std::size_t n,
                        std::size_t inputs, std::size_t aus) {
  const auto u = static_cast<Eigen::Index>(inputs);
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> mapped(
      rows.data(), static_cast<Eigen::Index>(n), u);
  Matrix x = mapped.cast<double>();
  const Eigen::RowVectorXd mean = x.colwise().mean();
  x.rowwise() -= mean;
  const Matrix covariance = x.transpose() * x / static_cast<double>(n);
  RenderMoments moments;
  for (Eigen::Index k = 0; k < u; ++k) moments.mean.push_back(static_cast<float>(mean(k)));
  for (Eigen::Index k = 0; k < u * u; ++k) moments.covariance.push_back(static_cast<float>(covariance.data()[k]));
  moments.cross.assign(inputs * aus, 0.0F);
  moments.label_deviation.assign(aus, 0.0F);
  for (std::size_t j = 0; j < aus; ++j) {
    double sum = 0, squares = 0, known = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double label = labels[i * aus + j];
      if (std::isnan(label)) continue;
      sum += label;
      squares += label * label;
      ++known;
    }
    if (known < 2) continue;
    const double label_mean = sum / known;
    moments.label_deviation[j] = static_cast<float>(std::sqrt(std::max(0.0, squares / known - label_mean * label_mean)));
    Vector cross = Vector::Zero(u);
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isnan(labels[i * aus + j])) cross += (labels[i * aus + j] - label_mean) / known * x.row(static_cast<Eigen::Index>(i)).transpose();
    }
    for (std::size_t k = 0; k < inputs; ++k) moments.cross[k * aus + j] = static_cast<float>(cross(static_cast<Eigen::Index>(k)));
  }
  return moments;
}

void ReadoutOptions::Validate() const {
  const auto require = [](bool condition, const std::string& text) {
    if (!condition) throw std::invalid_argument("readout." + text);
  };
  require(folds >= 2 && folds <= 20, "folds = " + std::to_string(folds) + "; must be 2..20");
  require(least_present >= 2, "least_present = " + std::to_string(least_present) + "; must be >= 2");
  require(most_lost >= 0 && most_lost <= 1, "most_lost = " + std::to_string(most_lost) + "; must be 0..1");
  require(!strengths.empty() && std::all_of(strengths.begin(), strengths.end(), [](double s) { return s > 0; }),
          "strengths must be > 0, one at least");
}

Refitted RefitOnPhotos(const AuModel& model, const TrainingData& photos, const ReadoutOptions& options,
                       const std::function<void(const std::string&)>& log) {
  options.Validate();
  const AuModel::Weights& weights = model.weights();
  if (weights.moments.empty())
    throw std::invalid_argument("the model does not say how renders spread (it is older, or ksda); it cannot be refitted, only recalibrated");
  if (photos.rows == 0 || photos.features.size() != photos.rows * weights.dimension)
    throw std::invalid_argument("the photographs do not match the model's " + std::to_string(weights.dimension) + " features");
  return Refit(model, photos, options, log).Run(photos);
}

}  // namespace auforge::annotator
