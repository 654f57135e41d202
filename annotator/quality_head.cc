#include "annotator/internal/quality_head.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "annotator/internal/answers.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// By the number of rows. Kernel values are small beside standardised cues and get less.
constexpr double kKernelRidge = 1e-3, kCueRidge = 1e-2;
constexpr float kMostDeviations = 3;

// Mean absolute error as a smooth function of the mean label: 1, e, sqrt e, e^2.
Eigen::Vector4d Basis(double expression) {
  return {1, expression, std::sqrt(expression), expression * expression};
}

// Standardised cues and their squares, appended to the kernel: n x (C + 2 Q).
Matrix Design(const QualityHead& head, const std::vector<float>& kernel, const std::vector<float>& cues,
              std::size_t n) {
  const std::size_t c = kernel.size() / std::max<std::size_t>(1, n);
  Matrix design(static_cast<Index>(n), static_cast<Index>(c + 2 * kQualityCues));
  for (std::size_t i = 0; i < n; ++i) {
    float* row = design.row(static_cast<Index>(i)).data();
    std::copy_n(kernel.data() + i * c, c, row);
    for (std::size_t q = 0; q < kQualityCues; ++q) {
      const float z = std::clamp((cues[i * kQualityCues + q] - head.centre[q]) / head.spread[q],
                                 -kMostDeviations, kMostDeviations);
      row[c + q] = z;
      row[c + kQualityCues + q] = z * z;
    }
  }
  return design;
}

void Standardise(const std::vector<float>& cues, QualityHead& head) {
  const std::size_t n = cues.size() / kQualityCues;
  for (std::size_t q = 0; q < kQualityCues; ++q) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) sum += cues[i * kQualityCues + q];
    const double mean = sum / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += std::pow(cues[i * kQualityCues + q] - mean, 2);
    head.centre.push_back(static_cast<float>(mean));
    head.spread.push_back(static_cast<float>(std::max(1e-6, std::sqrt(squares / static_cast<double>(n)))));
  }
}

// Ridge regression on the rows whose weight is 1.
void Fit(const Matrix& design, const std::vector<float>& target, const std::vector<std::uint8_t>& is_used,
         QualityHead& head) {
  std::vector<Index> rows;
  for (std::size_t i = 0; i < is_used.size(); ++i) {
    if (is_used[i] != 0) rows.push_back(static_cast<Index>(i));
  }
  const Matrix x = design(rows, Eigen::all);
  const Eigen::VectorXf all = Eigen::Map<const Eigen::VectorXf>(target.data(), design.rows());
  const Eigen::VectorXf y = all(rows);
  const float mean = y.mean();
  const Eigen::MatrixXf gram = x.transpose() * x;
  MatrixXd normal = gram.cast<double>();
  const auto n = static_cast<double>(rows.size());
  const Index cues = 2 * static_cast<Index>(kQualityCues), centres = x.cols() - cues;
  normal.diagonal().head(centres).array() += kKernelRidge * n;
  normal.diagonal().tail(cues).array() += kCueRidge * n;
  const Eigen::VectorXf right = x.transpose() * (y.array() - mean).matrix();
  const VectorXd solution = normal.llt().solve(right.cast<double>());
  head.coefficients.assign(static_cast<std::size_t>(x.cols()), 0.0F);
  for (Index k = 0; k < x.cols(); ++k)
    head.coefficients[static_cast<std::size_t>(k)] = static_cast<float>(solution(k));
  head.bias = mean;
}

std::vector<float> Apply(const QualityHead& head, const Matrix& design) {
  const Eigen::Map<const Eigen::VectorXf> w(head.coefficients.data(), design.cols());
  std::vector<float> errors(static_cast<std::size_t>(design.rows()));
  for (Index i = 0; i < design.rows(); ++i) {
    // Row by row, in order: a face's figure does not depend on its batch.
    float sum = head.bias;
    for (Index k = 0; k < design.cols(); ++k) sum += design(i, k) * w(k);
    errors[static_cast<std::size_t>(i)] = sum;
  }
  return errors;
}

// Slope and middle of the logistic map by Newton's method on the log-likelihood, with a weak pull (Platt
// 1999).
void FitMap(const std::vector<float>& expected, const std::vector<float>& relative, QualityHead& head) {
  double slope = 2, offset = slope * kPoorError;  // p(good) = 1 / (1 + exp(slope e - offset))
  for (int iteration = 0; iteration < 40; ++iteration) {
    Eigen::Vector2d gradient(-0.1 * (slope - 2), 0);
    Eigen::Matrix2d curvature = Eigen::Vector2d(0.1, 1e-6).asDiagonal();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Eigen::Vector2d x(-expected[i], 1);
      const double p = 1 / (1 + std::exp(-(slope * x(0) + offset)));
      gradient += ((relative[i] <= kPoorError ? 1 : 0) - p) * x;
      curvature += p * (1 - p) * x * x.transpose();
    }
    const Eigen::Vector2d step = curvature.ldlt().solve(gradient);
    slope = std::clamp(slope + step(0), 0.1, 50.0);
    offset = std::clamp(offset + step(1), -100.0, 100.0);
  }
  head.slope = static_cast<float>(slope);
  head.middle = static_cast<float>(offset / slope);
}

}  // namespace

FaceErrors ErrorsOfFaces(std::span<const float> intensity, std::span<const float> label, std::size_t n) {
  const std::size_t a = n > 0 ? label.size() / n : 0;
  FaceErrors errors;
  Eigen::Matrix4d normal = Eigen::Matrix4d::Identity() * 1e-6;
  Eigen::Vector4d right = Eigen::Vector4d::Zero();
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0, labels = 0, known = 0;
    for (std::size_t j = i * a; j < (i + 1) * a; ++j) {
      if (std::isnan(label[j])) continue;
      sum += std::abs(intensity[j] - label[j]);
      labels += label[j];
      ++known;
    }
    errors.absolute.push_back(known > 0 ? static_cast<float>(sum / known)
                                        : std::numeric_limits<float>::quiet_NaN());
    errors.expression.push_back(known > 0 ? static_cast<float>(labels / known) : 0);
    if (known == 0) continue;
    const Eigen::Vector4d basis = Basis(labels / known);
    normal += basis * basis.transpose();
    right += basis * (sum / known);
  }
  const Eigen::Vector4d usual = normal.ldlt().solve(right);
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = std::max(0.05, usual.dot(Basis(errors.expression[i])));
    errors.relative.push_back(static_cast<float>(errors.absolute[i] / expected));
  }
  return errors;
}

std::vector<float> QualityCues(const AuModel::Weights& weights, const Answers& answers,
                               std::span<const float> intensity, std::span<const QualityEvidence> evidence) {
  const std::size_t n = evidence.size(), a = weights.calibration.size(), heads = answers.head_scores.size();
  const std::size_t c = n > 0 ? answers.kernel.size() / n : 0;
  std::vector<float> cues;
  cues.reserve(n * kQualityCues);
  for (std::size_t i = 0; i < n; ++i) {
    const float* k = answers.kernel.data() + i * c;
    float near = 0, nearest = 0, apart = 0, brink = 0, shown = 0, seen = 0, least_seen = 1;
    for (std::size_t centre = 0; centre < c; ++centre) {
      near += k[centre];
      nearest = std::max(nearest, k[centre]);
    }
    for (std::size_t j = 0; j < a; ++j) {
      const std::size_t at = i * a + j;
      float others = 0, share = 0;
      for (std::size_t h = 1; h < heads; ++h) {
        others += weights.mix[h * a + j] * answers.head_scores[h][at];
        share += weights.mix[h * a + j];
      }
      if (share > 0)
        apart += weights.calibration[j].gain * std::abs(others / share - answers.head_scores[0][at]);
      brink += std::exp(-2 * std::abs(intensity[at] - 1));
      shown += intensity[at];
      const float visible = answers.seen.empty() ? 1 : std::clamp(answers.seen[at], 0.0F, 1.0F);
      seen += visible;
      least_seen = std::min(least_seen, visible);
    }
    const auto aus = static_cast<float>(a);
    const QualityEvidence& e = evidence[i];
    const std::initializer_list<float> values = {std::clamp(e.detector_score, -1.0F, 3.0F),
                                                 std::abs(e.pose.yaw) / 30,
                                                 std::abs(e.pose.pitch) / 30,
                                                 std::log(std::max(e.sharpness, 0.02F)),
                                                 10 * e.landmark_misfit,
                                                 std::log(std::max(e.inter_ocular, 4.0F) / 40),
                                                 std::log(std::max(near, 1e-6F)),
                                                 nearest,
                                                 apart / aus,
                                                 brink / aus,
                                                 shown / aus,
                                                 seen / aus,
                                                 least_seen};
    static_assert(kQualityCues == 13);
    cues.insert(cues.end(), values);
  }
  return cues;
}

QualityHead LearnQualityHead(const std::vector<float>& kernel, const std::vector<float>& cues,
                             const std::vector<float>& relative, const std::vector<std::int64_t>& identity) {
  const std::size_t n = relative.size();
  QualityHead head;
  Standardise(cues, head);
  const Matrix design = Design(head, kernel, cues, n);
  std::set<std::int64_t> people(identity.begin(), identity.end());
  std::vector<std::uint8_t> fold(n, 0), all(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    const auto rank = std::distance(people.begin(), people.find(identity[i]));
    fold[i] = static_cast<std::uint8_t>(rank % 2);
    if (!std::isfinite(relative[i])) all[i] = 0;
  }
  std::vector<float> expected, actual;
  for (const int left_out : {0, 1}) {
    std::vector<std::uint8_t> is_used = all;
    for (std::size_t i = 0; i < n; ++i) is_used[i] = all[i] != 0 && fold[i] != left_out ? 1 : 0;
    if (people.size() < 2) is_used = all;
    Fit(design, relative, is_used, head);
    const std::vector<float> errors = Apply(head, design);
    for (std::size_t i = 0; i < n; ++i) {
      if (all[i] == 0 || fold[i] != left_out) continue;
      expected.push_back(errors[i]);
      actual.push_back(relative[i]);
    }
  }
  FitMap(expected, actual, head);
  Fit(design, relative, all, head);
  return head;
}

std::vector<float> ExpectedErrors(const QualityHead& head, const std::vector<float>& kernel,
                                  const std::vector<float>& cues, std::size_t n) {
  return Apply(head, Design(head, kernel, cues, n));
}

float QualityOf(const QualityHead& head, float expected_error) {
  return 1 / (1 + std::exp(std::clamp(head.slope * (expected_error - head.middle), -30.0F, 30.0F)));
}

}  // namespace auforge::annotator
