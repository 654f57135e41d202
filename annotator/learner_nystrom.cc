// Nyström kernel ridge regression (Williams & Seeger 2001; Rudi, Camoriano & Rosasco 2015): m shared centres, all AUs
// in one set of coefficients.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::vector<std::size_t> ChooseCentres(std::size_t n, std::size_t wanted, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  const std::size_t m = std::min(n, wanted);
  for (std::size_t i = 0; i < m; ++i) {
    std::uniform_int_distribution<std::size_t> rest(i, n - 1);
    std::swap(order[i], order[rest(random)]);
  }
  order.resize(m);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

void LearnNystrom(const LearnerInput& input, const TrainOptions& options, AuModel::Weights& weights) {
  const auto centres = ChooseCentres(input.n, static_cast<std::size_t>(options.centres), options.seed);
  const std::size_t m = centres.size();
  weights.centre_count = m;
  weights.centres.resize(m * input.components);
  for (std::size_t c = 0; c < m; ++c) {
    std::copy_n(input.rows.begin() + static_cast<std::ptrdiff_t>(centres[c] * input.components), input.components,
                weights.centres.begin() + static_cast<std::ptrdiff_t>(c * input.components));
  }
  const std::vector<float> kernel_values =
      RbfKernel(input.rows.data(), input.n, weights.centres.data(), m, input.components, input.gamma);
  const std::vector<float> centre_values =
      RbfKernel(weights.centres.data(), m, weights.centres.data(), m, input.components, input.gamma);
  const auto rows = static_cast<Eigen::Index>(input.n);
  const auto width = static_cast<Eigen::Index>(m);
  const Eigen::Map<const Matrix> kernel(kernel_values.data(), rows, width);
  const Eigen::Map<const Matrix> centre_kernel(centre_values.data(), width, width);

  weights.coefficients.assign(m * input.aus, 0.0F);
  weights.bias.assign(input.aus, 0.0F);
  for (std::size_t j = 0; j < input.aus; ++j) {
    Eigen::VectorXf w(rows), y(rows);
    double weight_sum = 0, mean = 0;
    for (Eigen::Index i = 0; i < rows; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * input.aus + j;
      const bool is_labelled = !std::isnan(input.labels[at]);
      w(i) = is_labelled ? input.weights[at] : 0;
      y(i) = is_labelled ? input.labels[at] : 0;
      weight_sum += w(i);
      mean += static_cast<double>(w(i)) * y(i);
    }
    if (weight_sum <= 0) continue;  // nothing is known of this AU: its score stays at zero
    mean /= weight_sum;
    y.array() -= static_cast<float>(mean);
    const Matrix weighted = w.asDiagonal() * kernel;
    // (K' W K + lambda n K_mm) alpha = K' W y
    Eigen::MatrixXd normal = (kernel.transpose() * weighted).cast<double>();
    normal += options.ridge * weight_sum * centre_kernel.cast<double>();
    normal.diagonal().array() += 1e-6 * weight_sum;
    const Eigen::VectorXd right = (weighted.transpose() * y).cast<double>();
    const Eigen::VectorXd alpha = normal.ldlt().solve(right);
    for (std::size_t c = 0; c < m; ++c) {
      weights.coefficients[c * input.aus + j] = static_cast<float>(alpha(static_cast<Eigen::Index>(c)));
    }
    weights.bias[j] = static_cast<float>(mean);
  }
}

}  // namespace auforge::annotator
