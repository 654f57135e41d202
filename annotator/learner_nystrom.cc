// Nyström kernel ridge regression (Williams & Seeger 2001; Rudi, Camoriano & Rosasco 2015): m shared centres,
// all AUs in one set of coefficients.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Data may be grouped by person or place: centres are drawn from all of it.
void TakeCentres(const LearnerInput& input, std::size_t wanted, std::uint64_t seed, Head& head) {
  const auto chosen = ChooseRows(input.n, wanted, seed);
  head.centre_count = chosen.size();
  head.centres.resize(chosen.size() * input.components);
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    std::copy_n(input.rows.begin() + static_cast<std::ptrdiff_t>(chosen[c] * input.components),
                input.components, head.centres.begin() + static_cast<std::ptrdiff_t>(c * input.components));
  }
}

// Scatter of the kernel rows of one face's pictures about their mean, by the number of pictures: a penalty on
// scores that change with mirroring, compression and scale.
Eigen::MatrixXd Inconsistency(const Matrix& kernel, const std::vector<std::int64_t>& group) {
  Matrix centred = kernel;
  std::map<std::int64_t, std::vector<Eigen::Index>> members;
  for (std::size_t i = 0; i < group.size(); ++i) members[group[i]].push_back(static_cast<Eigen::Index>(i));
  for (const auto& [key, rows] : members) {
    Eigen::RowVectorXf mean = Eigen::RowVectorXf::Zero(kernel.cols());
    for (const Eigen::Index i : rows) mean += kernel.row(i);
    mean /= static_cast<float>(rows.size());
    for (const Eigen::Index i : rows) centred.row(i) -= mean;
  }
  return (centred.transpose() * centred).cast<double>() / static_cast<double>(kernel.rows());
}

// K' W K for one AU from that of all rows: only rows whose weight is not 1 are gone through again.
Eigen::MatrixXd WeightedGram(const Matrix& kernel, const Eigen::MatrixXf& gram,
                             const Eigen::VectorXf& weight) {
  std::vector<Eigen::Index> other;
  for (Eigen::Index i = 0; i < weight.size(); ++i) {
    if (weight(i) != 1) other.push_back(i);
  }
  if (other.empty()) return gram.cast<double>();
  const Matrix part = kernel(other, Eigen::all);
  const Eigen::VectorXf excess = weight(other).array() - 1;
  const Eigen::MatrixXf correction = part.transpose() * (excess.asDiagonal() * part);
  return (gram + correction).cast<double>();
}

// Cholesky, which is blocked and fast; the slower pivoted form where rounding has made the matrix indefinite.
Eigen::MatrixXd Solve(const Eigen::MatrixXd& normal, const Eigen::MatrixXd& right) {
  const Eigen::LLT<Eigen::MatrixXd> cholesky(normal);
  if (cholesky.info() == Eigen::Success) return cholesky.solve(right);
  return normal.ldlt().solve(right);
}

struct Column {
  Eigen::VectorXf weight, target;  // target less its mean
  double weight_sum = 0, mean = 0;
};
Column LabelsOf(const LearnerInput& input, std::size_t au) {
  const auto n = static_cast<Eigen::Index>(input.n);
  Column column{Eigen::VectorXf(n), Eigen::VectorXf(n)};
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * input.aus + au;
    const bool is_labelled = !std::isnan(input.labels[at]);
    column.weight(i) = is_labelled ? input.weights[at] : 0;
    column.target(i) = is_labelled ? input.labels[at] : 0;
    column.weight_sum += column.weight(i);
    column.mean += static_cast<double>(column.weight(i)) * column.target(i);
  }
  if (column.weight_sum > 0) column.mean /= column.weight_sum;
  column.target.array() -= static_cast<float>(column.mean);
  return column;
}

}  // namespace

std::vector<std::size_t> ChooseRows(std::size_t n, std::size_t most, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  const std::size_t m = std::min(n, most);
  for (std::size_t i = 0; i < m; ++i) {
    std::uniform_int_distribution<std::size_t> rest(i, n - 1);
    std::swap(order[i], order[rest(random)]);
  }
  order.resize(m);
  std::sort(order.begin(), order.end());
  return order;
}

void LearnNystrom(const LearnerInput& input, const TrainOptions& options, Head& head) {
  TakeCentres(input, static_cast<std::size_t>(options.centres), options.seed, head);
  const std::size_t m = head.centre_count;
  const std::vector<float> kernel_values = head.Kernel(input.rows, input.n);
  const std::vector<float> centre_values = head.Kernel(head.centres, m);
  const auto width = static_cast<Eigen::Index>(m);
  const Eigen::Map<const Matrix> mapped(kernel_values.data(), static_cast<Eigen::Index>(input.n), width);
  const Matrix kernel = mapped;
  const Eigen::MatrixXd centre_kernel =
      Eigen::Map<const Matrix>(centre_values.data(), width, width).cast<double>();
  const Eigen::MatrixXf gram = kernel.transpose() * kernel;

  const std::size_t u = input.group.size();
  Eigen::MatrixXd inconsistency;
  Eigen::VectorXd unlabelled_mean;
  if (u > 0) {
    const std::vector<float> values = head.Kernel(input.unlabelled, u);
    const Matrix unlabelled = Eigen::Map<const Matrix>(values.data(), static_cast<Eigen::Index>(u), width);
    inconsistency = Inconsistency(unlabelled, input.group);
    unlabelled_mean = unlabelled.colwise().mean().transpose().cast<double>();
  }

  head.coefficients.assign(m * input.aus, 0.0F);
  head.bias.assign(input.aus, 0.0F);
  for (std::size_t j = 0; j < input.aus; ++j) {
    const Column column = LabelsOf(input, j);
    if (column.weight_sum <= 0) continue;  // nothing is known of this AU: its score stays at zero
    // (K' W K + lambda n K_mm) alpha = K' W y
    Eigen::MatrixXd normal = WeightedGram(kernel, gram, column.weight);
    normal += options.ridge * column.weight_sum * centre_kernel;
    normal.diagonal().array() += 1e-6 * column.weight_sum;
    if (u > 0) normal += options.consistency * column.weight_sum * inconsistency;
    const Eigen::VectorXd right =
        (kernel.transpose() * column.weight.cwiseProduct(column.target)).cast<double>();
    Eigen::VectorXd alpha = Solve(normal, right);
    const bool is_common = !input.is_common.empty() && input.is_common[j] != 0;
    const double usual = (options.photo_share - 1) * column.mean;
    if (u > 0 && options.prevalence > 0 && !is_common && unlabelled_mean.dot(alpha) > usual) {
      // Photos are less expressive than the training faces: what makes this AU's score rise in all of them is
      // what tells photos from training faces, and is taken out.
      const double weight = options.prevalence * column.weight_sum;
      normal += weight * unlabelled_mean * unlabelled_mean.transpose();
      alpha = Solve(normal, right + weight * usual * unlabelled_mean);
    }
    for (std::size_t c = 0; c < m; ++c) {
      head.coefficients[c * input.aus + j] = static_cast<float>(alpha(static_cast<Eigen::Index>(c)));
    }
    head.bias[j] = static_cast<float>(column.mean);
  }
}

Regression RegressOnCentres(const Head& head, const std::vector<float>& rows,
                            const std::vector<float>& targets, std::size_t n, std::size_t width,
                            double ridge) {
  const auto m = static_cast<Eigen::Index>(head.centre_count);
  const std::vector<float> kernel_values = head.Kernel(rows, n),
                           centre_values = head.Kernel(head.centres, head.centre_count);
  const Eigen::Map<const Matrix> kernel(kernel_values.data(), static_cast<Eigen::Index>(n), m);
  Matrix y = Eigen::Map<const Matrix>(targets.data(), static_cast<Eigen::Index>(n),
                                      static_cast<Eigen::Index>(width));
  const Eigen::RowVectorXf mean = y.colwise().mean();
  y.rowwise() -= mean;
  const Eigen::MatrixXf gram = kernel.transpose() * kernel;
  Eigen::MatrixXd normal = gram.cast<double>();
  normal +=
      ridge * static_cast<double>(n) * Eigen::Map<const Matrix>(centre_values.data(), m, m).cast<double>();
  normal.diagonal().array() += 1e-6 * static_cast<double>(n);
  const Eigen::MatrixXf right = kernel.transpose() * y;
  const Matrix alpha = Solve(normal, right.cast<double>()).cast<float>();
  Regression result;
  result.coefficients.assign(alpha.data(), alpha.data() + alpha.size());
  result.bias.assign(mean.data(), mean.data() + mean.size());
  return result;
}

}  // namespace auforge::annotator
