// The front end of every learner: standardise, project on principal axes, whiten softly.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>

#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// More rows do not change the axes visibly, but cost time.
constexpr std::size_t kPcaRows = 6000;
constexpr int kPowerIterations = 6;
constexpr int kOversampling = 20;

int ComponentsWanted(const std::string& block, const TrainOptions& options) {
  if (block == "shape") return options.shape_components;
  if (block == "gabor") return options.gabor_components;
  return options.hog_components;
}

struct Axes {
  Eigen::MatrixXf directions;   // size x k, orthonormal columns
  Eigen::VectorXf deviations;   // k, standard deviations along them, falling
};

// Leading eigenvectors of the covariance by subspace iteration (Halko, Martinsson & Tropp 2011): a full
// decomposition of 2,466 x 2,466 would take longer than the training.
Axes PrincipalAxes(const Matrix& centred, int wanted, std::uint64_t seed) {
  const Eigen::Index size = centred.cols();
  const Eigen::Index k = std::min<Eigen::Index>({wanted, size, centred.rows() - 1});
  const Eigen::Index width = std::min<Eigen::Index>(size, k + kOversampling);
  const Eigen::MatrixXf covariance = (centred.transpose() * centred) / static_cast<float>(centred.rows());
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Eigen::MatrixXf basis(size, width);
  for (Eigen::Index j = 0; j < width; ++j) {
    for (Eigen::Index i = 0; i < size; ++i) basis(i, j) = normal(random);
  }
  for (int iteration = 0; iteration < kPowerIterations; ++iteration) {
    const Eigen::MatrixXf product = covariance * basis;
    const Eigen::HouseholderQR<Eigen::MatrixXf> qr(product);
    basis = qr.householderQ() * Eigen::MatrixXf::Identity(size, width);
  }
  const Eigen::MatrixXf small = basis.transpose() * covariance * basis;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> eigen(small);
  Axes axes{Eigen::MatrixXf(size, k), Eigen::VectorXf(k)};
  for (Eigen::Index j = 0; j < k; ++j) {
    const Eigen::Index from = width - 1 - j;  // the solver sorts upwards
    axes.directions.col(j) = basis * eigen.eigenvectors().col(from);
    axes.deviations(j) = std::sqrt(std::max(0.0F, eigen.eigenvalues()(from)));
  }
  return axes;
}

BlockProjection LearnBlock(const TrainingData& data, const std::vector<std::size_t>& rows,
                           const features::FeatureBlock& block, std::size_t dimension, const TrainOptions& options) {
  const std::size_t used = std::min(rows.size(), kPcaRows);
  const auto size = static_cast<Eigen::Index>(block.size);
  Matrix sample(static_cast<Eigen::Index>(used), size);
  for (std::size_t i = 0; i < used; ++i) {
    // Spread over all training rows.
    const std::size_t row = rows[i * rows.size() / used];
    for (Eigen::Index j = 0; j < size; ++j) {
      sample(static_cast<Eigen::Index>(i), j) = data.features[row * dimension + block.begin + static_cast<std::size_t>(j)];
    }
  }
  const Eigen::RowVectorXf mean = sample.colwise().mean();
  sample.rowwise() -= mean;
  const Eigen::RowVectorXf deviation = (sample.array().square().colwise().mean()).sqrt();
  Eigen::RowVectorXf inverse(size);
  // A feature that does not vary in training says nothing, and must not explode on the first picture where it does.
  for (Eigen::Index j = 0; j < size; ++j) inverse(j) = deviation(j) > 1e-6F ? 1 / deviation(j) : 0;
  sample.array().rowwise() *= inverse.array();
  const Axes axes = PrincipalAxes(sample, ComponentsWanted(block.name, options), options.seed);

  BlockProjection result{block.name, block.begin, block.size, static_cast<std::uint64_t>(axes.deviations.size()), {}, {}};
  result.mean.assign(mean.data(), mean.data() + size);
  const auto soft = static_cast<float>(options.whitening) * axes.deviations(0);
  result.projection.resize(block.size * result.components);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < axes.deviations.size(); ++j) {
      const float whitened = axes.directions(i, j) * inverse(i) / (axes.deviations(j) + soft);
      result.projection[static_cast<std::size_t>(i) * result.components + static_cast<std::size_t>(j)] = whitened;
    }
  }
  return result;
}

}  // namespace

std::vector<BlockProjection> LearnFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                        const TrainOptions& options) {
  const features::FeatureExtractor extractor(data.spec);
  std::vector<BlockProjection> blocks;
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    blocks.push_back(LearnBlock(data, rows, block, extractor.Dimension(), options));
  }
  return blocks;
}

float MedianGamma(const std::vector<float>& rows, std::size_t n, std::size_t components, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> any(0, n - 1);
  std::vector<float> distances;
  for (int pair = 0; pair < 2000; ++pair) {
    const std::size_t a = any(random), b = any(random);
    float sum = 0;
    for (std::size_t k = 0; k < components; ++k) {
      const float d = rows[a * components + k] - rows[b * components + k];
      sum += d * d;
    }
    if (a != b) distances.push_back(sum);
  }
  if (distances.empty()) return 1;
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle > 0 ? 1 / *middle : 1;
}

}  // namespace auforge::annotator
