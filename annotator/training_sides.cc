// Learning the halves of the face: ridge regression of left - right on the odd part of the features.
#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "annotator/internal/half_rows.h"
#include "annotator/internal/training_steps.h"
#include "annotator/metrics.h"
#include "features/au_partition.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;

// A difference that a coder would see, and how many faces must show one on either side.
constexpr float kDiffers = 1;
constexpr std::size_t kLeastFaces = 10;
// By the number of rows; the one that does best on the validation identities is taken.
constexpr std::array<double, 6> kRidges{1e-4, 1e-3, 1e-2, 1e-1, 1, 100};
// Kernel values are smaller than components.
constexpr double kKernelShare = 0.03;
// A face without an AU has no halves to tell apart, and the answer will be capped by its intensity: it counts, but little.
constexpr float kPresent = 1, kAbsentWeight = 0.1F;
// A scale counts as if so many faces had said what all AUs say; and its bounds, beyond which halves cannot be told.
constexpr double kCommonRows = 20, kLeastScale = 0.3;

float DifferenceOf(const TrainingData& data, std::size_t row, std::size_t au) {
  const std::size_t at = row * data.schema.size() + au;
  return std::isnan(data.labels[at]) ? NAN : data.left[at] - data.right[at];
}

// AUs of which both halves are labelled, and differ in enough faces.
std::vector<std::uint32_t> SidedAus(const Training& t) {
  std::vector<std::uint32_t> aus;
  for (std::size_t j = 0; j < t.a; ++j) {
    if (!features::AuHasSides(t.data.schema.numbers()[j])) continue;
    std::size_t differ = 0;
    for (const std::size_t row : t.split.train) differ += std::abs(DifferenceOf(t.data, row, j)) >= kDiffers ? 1 : 0;
    if (differ >= kLeastFaces) aus.push_back(static_cast<std::uint32_t>(j));
  }
  return aus;
}

// The regions that AUs move on the subject's left.
std::vector<int> LeftRegions(const Training& t, const SideHead& sides) {
  std::vector<int> rois;
  for (const std::uint32_t j : sides.aus) {
    const auto of_au = features::AuRois(t.data.schema.numbers()[j], features::FaceSide::kLeft);
    rois.insert(rois.end(), of_au.begin(), of_au.end());
  }
  std::sort(rois.begin(), rois.end());
  rois.erase(std::unique(rois.begin(), rois.end()), rois.end());
  return rois;
}

// The machine that looks at one half: every face teaches twice, by its left and by its right.
void LearnHalf(const Training& t, SideHead& sides) {
  Head& half = sides.half;
  half.name = "half";
  half.blocks = LearnHalfFront(t.data, t.split.train, t.options, LeftRegions(t, sides), t.options.side_components);
  for (const BlockProjection& block : half.blocks) half.components += block.components;
  const std::size_t s = sides.aus.size(), n = 2 * t.split.train.size();
  std::vector<float> rows, labels, weights;
  for (const PairPart part : {PairPart::kFirst, PairPart::kSecond}) {
    InPieces(t.split.train, [&](const std::vector<std::size_t>& piece) {
      const std::vector<float> projected = ProjectBlocks(
          half.blocks, part, Take(t.data.features, piece, t.dimension).data(), piece.size(), t.dimension);
      rows.insert(rows.end(), projected.begin(), projected.end());
    });
    const std::vector<float>& of_half = part == PairPart::kFirst ? t.data.left : t.data.right;
    for (std::size_t i = 0; i < t.split.train.size(); ++i) {
      for (const std::uint32_t j : sides.aus) {
        const std::size_t at = t.split.train[i] * t.a + j;
        labels.push_back(std::isnan(t.data.labels[at]) ? NAN : of_half[at]);
        weights.push_back(t.sample_weights[i * t.a + j]);
      }
    }
  }
  RoundHalfRows(rows, half.components);
  half.gamma = MedianGamma(rows, n, half.components, t.options.seed);
  TrainOptions options = t.options;
  options.centres = t.options.half_centres;
  LearnNystrom({rows, labels, weights, n, half.components, s, half.gamma}, options, half);
}

// Centres are faces of training that show something.
void TakeCentres(const Training& t, const Head& head, SideHead& sides) {
  std::vector<std::size_t> expressive;
  for (const std::size_t row : t.split.train) {
    const bool shows = std::any_of(sides.aus.begin(), sides.aus.end(),
                                   [&](std::uint32_t j) { return std::abs(DifferenceOf(t.data, row, j)) >= kDiffers; });
    if (shows) expressive.push_back(row);
  }
  const auto wanted = static_cast<std::size_t>(t.options.side_centres);
  const std::vector<std::size_t> rows = Take(expressive, ChooseRows(expressive.size(), wanted, t.options.seed), 1);
  sides.centre_count = rows.size();
  if (rows.empty()) return;
  const std::vector<float> features = Take(t.data.features, rows, t.dimension);
  sides.even_centres = head.Project(features.data(), rows.size(), t.dimension);
  sides.odd_centres = ProjectBlocks(sides.blocks, PairPart::kOdd, features.data(), rows.size(), t.dimension);
  // Each factor of the kernel falls to exp(-1/2) at the median distance of faces.
  sides.even_gamma = MedianGamma(sides.even_centres, rows.size(), head.components, t.options.seed) / 2;
  sides.odd_gamma = MedianGamma(sides.odd_centres, rows.size(), sides.components, t.options.seed) / 2;
}

Matrix DesignOf(const Training& t, const Head& head, const SideHead& sides, const std::vector<std::size_t>& rows) {
  const std::size_t width = sides.components + sides.centre_count;
  Matrix design(static_cast<Index>(rows.size()), static_cast<Index>(width));
  std::size_t done = 0;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> features = Take(t.data.features, piece, t.dimension);
    const std::vector<float> even = head.Project(features.data(), piece.size(), t.dimension);
    const std::vector<float> part = sides.Design(features.data(), even, piece.size(), t.dimension);
    std::copy(part.begin(), part.end(), design.data() + done * width);
    done += piece.size();
  });
  return design;
}

Matrix HalfDifferencesOf(const Training& t, const SideHead& sides, const std::vector<std::size_t>& rows) {
  const std::size_t s = sides.aus.size();
  Matrix all(static_cast<Index>(rows.size()), static_cast<Index>(s));
  std::size_t done = 0;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> part =
        sides.HalfDifferences(Take(t.data.features, piece, t.dimension).data(), piece.size(), t.dimension);
    std::copy(part.begin(), part.end(), all.data() + done * s);
    done += piece.size();
  });
  return all;
}

// Normal equations of one AU, over the rows that label it and show enough of it.
struct Normal {
  Eigen::MatrixXd gram;
  Eigen::VectorXd right;
  double rows = 0;  // sum of their weights
};
Normal NormalOf(const Training& t, const Matrix& design, const Eigen::MatrixXf& gram, std::size_t au,
                const Eigen::VectorXf& known_before) {
  Eigen::VectorXf target(design.rows());
  std::vector<Index> missing, shown;
  for (std::size_t i = 0; i < t.split.train.size(); ++i) {
    const std::size_t row = t.split.train[i];
    const auto at = static_cast<Index>(i);
    const float d = DifferenceOf(t.data, row, au);
    const bool is_known = !std::isnan(d) && t.sample_weights[i * t.a + au] > 0;
    const bool is_shown = is_known && t.data.labels[row * t.a + au] >= kPresent;
    target(at) = is_known ? (is_shown ? 1.0F : kAbsentWeight) * (d - known_before(at)) : 0;
    if (!is_known) missing.push_back(at);
    if (is_shown) shown.push_back(at);
  }
  const auto gram_of = [&](const std::vector<Index>& rows) {
    const Matrix part = design(rows, Eigen::all);
    return Eigen::MatrixXf(part.transpose() * part);
  };
  const Eigen::MatrixXf known = kAbsentWeight * (gram - gram_of(missing)) + (1 - kAbsentWeight) * gram_of(shown);
  return {known.cast<double>(), (design.transpose() * target).cast<double>(),
          kAbsentWeight * static_cast<double>(t.split.train.size() - missing.size()) +
              (1 - kAbsentWeight) * static_cast<double>(shown.size())};
}

// Differences by estimate and by label, of faces that show the AU.
struct ShownDifferences {
  std::vector<float> estimate, label;
};
ShownDifferences OnThoseThatShowIt(const Training& t, const Eigen::VectorXf& estimate, std::size_t au) {
  ShownDifferences shown;
  for (std::size_t i = 0; i < t.split.validation.size(); ++i) {
    const std::size_t row = t.split.validation[i];
    const float d = DifferenceOf(t.data, row, au);
    if (std::isnan(d) || !(t.data.labels[row * t.a + au] >= kPresent)) continue;
    shown.estimate.push_back(estimate(static_cast<Index>(i)));
    shown.label.push_back(d);
  }
  return shown;
}

// Sums over the faces whose halves differ as a coder would see.
struct Slope {
  double product = 0, square = 0;
  double rows = 0;
  double Value() const { return square > 0 ? product / square : 1; }
};
Slope SlopeOf(const ShownDifferences& shown) {
  Slope slope;
  for (std::size_t i = 0; i < shown.label.size(); ++i) {
    if (std::abs(shown.label[i]) < kDiffers) continue;
    slope.product += static_cast<double>(shown.estimate[i]) * shown.label[i];
    slope.square += static_cast<double>(shown.estimate[i]) * shown.estimate[i];
    slope.rows += 1;
  }
  return slope;
}

// What makes differences as large as the labels', least squares, where the halves differ: by far most faces are even,
// and a fit on all of them would say so of every face. An AU with few such faces goes by what all AUs have in common.
std::vector<float> ScalesOf(const std::vector<Slope>& slopes) {
  Slope all;
  for (const Slope& slope : slopes) {
    all.product += slope.product;
    all.square += slope.square;
  }
  std::vector<float> scales;
  for (const Slope& slope : slopes) {
    const double scale = (slope.rows * slope.Value() + kCommonRows * all.Value()) / (slope.rows + kCommonRows);
    scales.push_back(static_cast<float>(std::clamp(scale, kLeastScale, 1 / kLeastScale)));
  }
  return scales;
}

}  // namespace

void LearnSides(const Training& t, AuModel::Weights& weights) {
  if (t.data.left.empty() || t.options.side_components == 0 || !t.options.mirror_average) return;
  SideHead sides;
  sides.aus = SidedAus(t);
  if (sides.aus.empty()) return;
  t.Say("halves: " + std::to_string(sides.aus.size()) + " AUs");
  const Head& head = weights.heads[0];
  sides.blocks = LearnOddFront(t.data, t.split.train, t.options, t.options.side_components);
  for (const BlockProjection& block : sides.blocks) sides.components += block.components;
  LearnHalf(t, sides);
  TakeCentres(t, head, sides);
  sides.Prepare();
  const std::size_t s = sides.aus.size(), width = sides.components + sides.centre_count;
  const Matrix design = DesignOf(t, head, sides, t.split.train), held = DesignOf(t, head, sides, t.split.validation);
  const Matrix halves = HalfDifferencesOf(t, sides, t.split.train),
               held_halves = HalfDifferencesOf(t, sides, t.split.validation);
  const Eigen::MatrixXf gram = design.transpose() * design;
  sides.coefficients.assign(width * s, 0.0F);
  std::vector<Slope> slopes(s);
  for (std::size_t k = 0; k < s; ++k) {
    const Normal normal = NormalOf(t, design, gram, sides.aus[k], halves.col(static_cast<Index>(k)));
    double best = -2;
    for (const double ridge : kRidges) {
      Eigen::MatrixXd system = normal.gram;
      system.diagonal().head(static_cast<Index>(sides.components)).array() += ridge * normal.rows;
      system.diagonal().tail(static_cast<Index>(sides.centre_count)).array() += kKernelShare * ridge * normal.rows;
      const Eigen::VectorXf solution = system.llt().solve(normal.right).cast<float>();
      const ShownDifferences shown =
          OnThoseThatShowIt(t, held * solution + held_halves.col(static_cast<Index>(k)), sides.aus[k]);
      const double r = PearsonR(shown.estimate, shown.label);
      if (!(r > best)) continue;
      best = r;
      for (std::size_t i = 0; i < width; ++i) sides.coefficients[i * s + k] = solution(static_cast<Index>(i));
      slopes[k] = SlopeOf(shown);
    }
  }
  sides.scale = ScalesOf(slopes);
  weights.sides = std::move(sides);
}

WithHalves LearnHalves(const AuModel& model, const TrainingData& data, const TrainOptions& options,
                       const std::function<void(const std::string&)>& log) {
  options.Validate();
  data.Validate();
  if (!(data.schema == model.info().schema) || !(data.spec == model.info().features))
    throw std::invalid_argument("halves: the faces are labelled for other AUs, or described by other features, than the model's");
  Training t{data, options, log, SplitByIdentity(data, options), data.features.size() / data.rows, data.schema.size(), {}, {}, {}};
  t.labels = Take(data.labels, t.split.train, t.a);
  t.sample_weights = data.weights.empty() ? std::vector<float>(t.labels.size(), 1.0F)
                                          : Take(data.weights, t.split.train, t.a);
  auto weights = std::make_unique<AuModel::Weights>(model.weights());
  weights->sides = {};
  LearnSides(t, *weights);
  if (weights->sides.empty())
    throw std::invalid_argument("halves: too few faces are labelled with halves that differ; needs renders");
  WithHalves result{AuModel(std::move(weights)), {}};
  result.test = SideFiguresOf(result.model, data, t.split.test);
  return result;
}

std::vector<SideFigure> SideFiguresOf(const AuModel& model, const TrainingData& data,
                                      const std::vector<std::size_t>& rows) {
  std::vector<SideFigure> figures;
  if (data.left.empty() || model.weights().sides.empty()) return figures;
  const std::size_t dimension = data.features.size() / std::max<std::size_t>(1, data.rows);
  const features::AuSchema& schema = model.info().schema;
  const std::size_t a = schema.size(), width = data.schema.size();
  std::vector<float> whole, left, right;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    for (const auto& e : model.Predict(Take(data.features, piece, dimension), piece.size())) {
      whole.insert(whole.end(), e.intensity.begin(), e.intensity.end());
      left.insert(left.end(), e.left.begin(), e.left.end());
      right.insert(right.end(), e.right.begin(), e.right.end());
    }
  });
  for (const std::uint32_t j : model.weights().sides.aus) {
    const auto column = data.schema.Find(schema.numbers()[j]);
    if (!column) continue;
    SideFigure& figure = figures.emplace_back();
    figure.au = schema.numbers()[j];
    std::vector<float> label, label_left, label_right;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t at = rows[i] * width + *column;
      const bool is_known = !std::isnan(DifferenceOf(data, rows[i], *column));
      label.push_back(is_known ? data.labels[at] : NAN);
      label_left.push_back(is_known ? data.left[at] : NAN);
      label_right.push_back(is_known ? data.right[at] : NAN);
      if (!is_known) continue;
      ++figure.rows;
      const float wanted = data.left[at] - data.right[at], found = left[i * a + j] - right[i * a + j];
      if (std::abs(wanted) < kDiffers) continue;
      ++figure.differ;
      figure.stronger += wanted * found > 0 ? 1 : 0;
    }
    figure.whole = PearsonR(Column(whole, a, j), label);
    figure.left = PearsonR(Column(left, a, j), label_left);
    figure.right = PearsonR(Column(right, a, j), label_right);
  }
  return figures;
}

std::vector<SideFigure> EvaluateSides(const AuModel& model, const TrainingData& data) {
  return SideFiguresOf(model, data, AllRows(data.rows));
}

}  // namespace auforge::annotator
