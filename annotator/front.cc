// The front end of every learner: standardise, project on principal axes, whiten softly.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "annotator/internal/half_rows.h"
#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// More rows do not change the axes visibly, but cost time.
constexpr std::size_t kPcaRows = 6000;
constexpr int kPowerIterations = 6;
constexpr int kOversampling = 20;
// A pair of mirrored columns counts as the two columns that it stands for.
constexpr float kPairWeight = std::numbers::sqrt2_v<float>;

int ComponentsWanted(const std::string& block, const TrainOptions& options) {
  if (block == "shape") return options.shape_components;
  if (block == "gabor") return options.gabor_components;
  if (block == "learnt") return options.learnt_components;
  return options.hog_components;
}

struct Axes {
  Eigen::MatrixXf directions;  // size x k, orthonormal columns
  Eigen::VectorXf deviations;  // k, standard deviations along them, falling
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

// Which columns go in: each once, with its mirror image where there is one.
std::vector<std::uint32_t> InputColumns(const features::FeatureBlock& block,
                                        const std::vector<std::size_t>& mirror,
                                        const std::vector<std::uint8_t>& is_used) {
  std::vector<std::uint32_t> columns;
  for (std::size_t c = block.begin; c < block.begin + block.size; ++c) {
    if (is_used[c] == 0) continue;
    if (mirror.empty()) {
      columns.insert(columns.end(), 2, static_cast<std::uint32_t>(c));
    } else if (mirror[c] != features::kNoMirrorColumn && mirror[c] >= c) {
      columns.insert(columns.end(), {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(mirror[c])});
    }
  }
  return columns;
}

BlockProjection LearnBlock(const TrainingData& data, const std::vector<std::size_t>& rows,
                           const std::string& name, std::vector<std::uint32_t> columns, std::size_t dimension,
                           const TrainOptions& options, PairPart part, int wanted) {
  const std::size_t used = std::min(rows.size(), kPcaRows);
  const auto size = static_cast<Eigen::Index>(columns.size() / 2);
  Matrix sample(static_cast<Eigen::Index>(used), size);
  for (std::size_t i = 0; i < used; ++i) {
    // Spread over all training rows.
    const float* row = data.features.data() + rows[i * rows.size() / used] * dimension;
    // Halves: every other face by its right one.
    const auto [first, second] = WeightsOf(part == PairPart::kFirst && i % 2 == 1 ? PairPart::kSecond : part);
    for (Eigen::Index j = 0; j < size; ++j) {
      const auto at = static_cast<std::size_t>(2 * j);
      sample(static_cast<Eigen::Index>(i), j) = first * row[columns[at]] + second * row[columns[at + 1]];
    }
  }
  // Mirrored, a face has the odd part's opposite: over all faces and their mirror images it is 0 on average.
  const Eigen::RowVectorXf mean =
      part == PairPart::kOdd ? Eigen::RowVectorXf(Eigen::RowVectorXf::Zero(size)) : Eigen::RowVectorXf(sample.colwise().mean());
  sample.rowwise() -= mean;
  const Eigen::RowVectorXf deviation = (sample.array().square().colwise().mean()).sqrt();
  Eigen::RowVectorXf inverse(size);
  for (Eigen::Index j = 0; j < size; ++j) {
    // A feature that does not vary in training says nothing, and must not explode on the first picture where
    // it does.
    const float weight =
        part == PairPart::kFirst ||
                columns[static_cast<std::size_t>(2 * j)] == columns[static_cast<std::size_t>(2 * j + 1)]
            ? 1
            : kPairWeight;
    inverse(j) = deviation(j) > 1e-6F ? weight / deviation(j) : 0;
  }
  sample.array().rowwise() *= inverse.array();
  const Axes axes = PrincipalAxes(sample, wanted, options.seed);

  BlockProjection result;
  result.name = name;
  result.components = static_cast<std::uint64_t>(axes.deviations.size());
  result.columns = std::move(columns);
  result.mean.assign(mean.data(), mean.data() + size);
  const auto soft = static_cast<float>(options.whitening) * axes.deviations(0);
  result.projection.resize(static_cast<std::size_t>(size) * result.components);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < axes.deviations.size(); ++j) {
      const float whitened = axes.directions(i, j) * inverse(i) / (axes.deviations(j) + soft);
      result.projection[static_cast<std::size_t>(i) * result.components + static_cast<std::size_t>(j)] =
          whitened;
    }
  }
  // What is learnt on top of it meets the numbers that are stored.
  RoundHalfRows(result.projection, result.components);
  return result;
}

}  // namespace

std::vector<BlockProjection> LearnFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                        const TrainOptions& options,
                                        const std::vector<std::uint8_t>& is_used) {
  const features::FeatureExtractor extractor(data.spec);
  const std::vector<std::size_t> mirror =
      options.mirror_average ? extractor.MirrorColumns() : std::vector<std::size_t>{};
  std::vector<BlockProjection> blocks;
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    if (block.name == features::kLearntHalves) continue;  // of what both halves have in common they say nothing
    auto columns = InputColumns(block, mirror, is_used);
    if (columns.empty()) continue;
    blocks.push_back(LearnBlock(data, rows, block.name, std::move(columns), extractor.Dimension(), options, PairPart::kEven,
                                ComponentsWanted(block.name, options)));
  }
  return blocks;
}

std::vector<BlockProjection> LearnOddFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                           const TrainOptions& options, int components) {
  const features::FeatureExtractor extractor(data.spec);
  const std::vector<std::size_t> mirror = extractor.MirrorColumns();
  std::vector<BlockProjection> blocks;
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    const auto& kept = options.blocks;
    if (!kept.empty() && std::find(kept.begin(), kept.end(), block.name) == kept.end()) continue;
    std::vector<std::uint32_t> columns;
    for (std::size_t c = block.begin; c < block.begin + block.size; ++c) {
      if (mirror[c] == features::kNoMirrorColumn || mirror[c] <= c) continue;
      columns.insert(columns.end(), {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(mirror[c])});
    }
    if (columns.empty()) continue;
    blocks.push_back(LearnBlock(data, rows, block.name, std::move(columns), extractor.Dimension(), options,
                                PairPart::kOdd, components));
  }
  return blocks;
}

std::vector<BlockProjection> LearnHalfFront(const TrainingData& data, const std::vector<std::size_t>& rows,
                                            const TrainOptions& options, const std::vector<int>& rois,
                                            int components) {
  const features::FeatureExtractor extractor(data.spec);
  const std::vector<std::size_t> mirror = extractor.MirrorColumns();
  const std::vector<std::uint8_t> is_local = extractor.LocalColumns(rois);
  std::vector<BlockProjection> blocks;
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    const auto& kept = options.blocks;
    // Learnt features see the whole face.
    if (block.name == "learnt" || block.name == features::kLearntHalves || (!kept.empty() && std::find(kept.begin(), kept.end(), block.name) == kept.end())) continue;
    std::vector<std::uint32_t> columns;
    for (std::size_t c = block.begin; c < block.begin + block.size; ++c) {
      if (is_local[c] == 0 || mirror[c] == features::kNoMirrorColumn) continue;
      // What lies so near the middle that its mirror image is of this half, too, tells no halves apart.
      if (mirror[c] != c && is_local[mirror[c]] != 0) continue;
      columns.insert(columns.end(), {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(mirror[c])});
    }
    if (columns.empty()) continue;
    blocks.push_back(LearnBlock(data, rows, block.name, std::move(columns), extractor.Dimension(), options,
                                PairPart::kFirst, components));
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
