#include "datasets/storage/bad_content.h"
#include "annotator/internal/ksda.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace auforge::annotator {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;

constexpr double kReadoutRidge = 1e-3;  // relative to each discriminant's own scatter

struct Subclasses {
  std::vector<int> of_row;            // n
  std::vector<std::uint8_t> letters;  // S
};

std::uint8_t LetterOf(float intensity) {
  return intensity < 1 ? 0 : static_cast<std::uint8_t>(std::clamp(std::lround(intensity), 1L, 5L));
}

// Rows by letter; letters with too few rows go to the nearest letter of the same class that has enough.
std::vector<std::vector<std::size_t>> RowsByLetter(std::span<const float> intensity, std::size_t smallest) {
  std::vector<std::vector<std::size_t>> rows(6);
  for (std::size_t i = 0; i < intensity.size(); ++i) rows[LetterOf(intensity[i])].push_back(i);
  for (std::size_t letter = 1; letter < 6; ++letter) {
    if (rows[letter].empty() || rows[letter].size() >= smallest) continue;
    std::size_t best = 0;
    for (std::size_t other = 1; other < 6; ++other) {
      if (other == letter || rows[other].empty()) continue;
      const auto gap = [letter](std::size_t o) { return o > letter ? o - letter : letter - o; };
      if (best == 0 || gap(other) < gap(best)) best = other;
    }
    if (best == 0) continue;
    rows[best].insert(rows[best].end(), rows[letter].begin(), rows[letter].end());
    std::sort(rows[best].begin(), rows[best].end());
    rows[letter].clear();
  }
  return rows;
}

// Cuts each letter's chain into equal parts.
Subclasses Cut(const std::vector<std::vector<std::size_t>>& chains, std::size_t n, int inactive,
               int letter_parts, std::size_t smallest) {
  Subclasses result{std::vector<int>(n, 0), {}};
  for (std::size_t letter = 0; letter < chains.size(); ++letter) {
    const std::vector<std::size_t>& chain = chains[letter];
    if (chain.empty()) continue;
    const auto wanted = static_cast<std::size_t>(letter == 0 ? inactive : letter_parts);
    const std::size_t parts = std::clamp<std::size_t>(chain.size() / smallest, 1, wanted);
    const int first = static_cast<int>(result.letters.size());
    for (std::size_t i = 0; i < chain.size(); ++i) {
      result.of_row[chain[i]] = first + static_cast<int>(i * parts / chain.size());
    }
    result.letters.insert(result.letters.end(), parts, static_cast<std::uint8_t>(letter));
  }
  return result;
}

std::vector<std::vector<std::size_t>> Chains(std::span<const float> squared, std::size_t n,
                                             std::vector<std::vector<std::size_t>> rows) {
  for (auto& members : rows) {
    const std::size_t m = members.size();
    std::vector<float> part(m * m);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < m; ++j) part[i * m + j] = squared[members[i] * n + members[j]];
    }
    std::vector<std::size_t> chain;
    for (const std::size_t at : NearestNeighbourOrder(part, m)) chain.push_back(members[at]);
    members = std::move(chain);
  }
  return rows;
}

MatrixXf Kernel(std::span<const float> squared, std::size_t n, double gamma) {
  const auto size = static_cast<Index>(n);
  const Eigen::Map<const MatrixXf> distances(squared.data(), size, size);  // symmetric
  return (distances.array() * static_cast<float>(-gamma)).exp().matrix();
}

std::vector<std::vector<Index>> Members(std::span<const int> subclass, std::size_t count) {
  std::vector<std::vector<Index>> members(count);
  for (std::size_t i = 0; i < subclass.size(); ++i) {
    members[static_cast<std::size_t>(subclass[i])].push_back(static_cast<Index>(i));
  }
  return members;
}

// tr(Sigma_i Sigma_j) = |C_i K_ij C_j|^2 / (n_i n_j), and the mean of K_ij.
struct BlockFigures {
  double trace = 0, mean = 0;
};
BlockFigures Block(const MatrixXf& kernel, const std::vector<Index>& a, const std::vector<Index>& b) {
  const MatrixXf block = kernel(a, b);
  const Eigen::VectorXf row = block.rowwise().mean();
  const Eigen::RowVectorXf column = block.colwise().mean();
  const float mean = row.mean();
  const double squares = ((block.colwise() - row).rowwise() - column).array().operator+(mean).square().sum();
  return {squares / static_cast<double>(a.size() * b.size()), mean};
}

struct Choice {
  double gamma = 0, q = -1;
  Subclasses subclasses;
};

// The width and the cut with the largest Q.
Choice Choose(std::span<const float> squared, std::size_t n,
              const std::vector<std::vector<std::size_t>>& chains, const KsdaOptions& options) {
  const double mean = std::accumulate(squared.begin(), squared.end(), 0.0) / static_cast<double>(n * n);
  Choice best;
  for (int step = 0; step < options.width_steps; ++step) {
    // sigma0 = sqrt(mean / 2); most good widths are below it.
    const double variance = mean / 2 * std::pow(2.0, step - 2 * (options.width_steps - 1) / 3);
    const double gamma = 1 / (2 * variance);
    const MatrixXf kernel = Kernel(squared, n, gamma);
    for (const int inactive : options.inactive_subclasses) {
      for (const int parts : options.letter_subclasses) {
        Subclasses cut = Cut(chains, n, inactive, parts, options.smallest);
        const double q = EvaluateKsda(kernel, cut.of_row, cut.letters).Q();
        if (q > best.q) best = {gamma, q, std::move(cut)};
      }
    }
  }
  return best;
}

// M with A = M M' in K A K: columns K Q sqrt(S), Q the subclass indicators by n_i, S the Laplacian of the
// pairs of different classes with weights p_i p_j.
MatrixXd BetweenFactor(const MatrixXd& mean_kernels, const Subclasses& cut,
                       const std::vector<std::vector<Index>>& members) {
  const auto s = static_cast<Index>(cut.letters.size());
  const auto n = static_cast<double>(cut.of_row.size());
  MatrixXd laplacian = MatrixXd::Zero(s, s);
  for (Index i = 0; i < s; ++i) {
    for (Index j = i + 1; j < s; ++j) {
      const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
      if ((cut.letters[a] == 0) == (cut.letters[b] == 0)) continue;
      const double weight =
          static_cast<double>(members[a].size()) / n * static_cast<double>(members[b].size()) / n;
      laplacian(i, i) += weight;
      laplacian(j, j) += weight;
      laplacian(i, j) -= weight;
      laplacian(j, i) -= weight;
    }
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(laplacian);
  const VectorXd roots = eigen.eigenvalues().cwiseMax(0).cwiseSqrt();
  return mean_kernels * eigen.eigenvectors() * roots.asDiagonal();
}

// Generalised eigenvectors of M M' and W = K B K + epsilon I, by one Cholesky of W and an S x S eigenproblem.
MatrixXd Solve(const MatrixXd& within, const MatrixXd& factor, Index most) {
  const Eigen::LLT<MatrixXd> cholesky(within);
  if (cholesky.info() != Eigen::Success) throw datasets::storage::BadContent("ksda: K B K is not positive definite");
  const MatrixXd g = cholesky.matrixL().solve(factor);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(g.transpose() * g);
  const Index s = g.cols();
  Index kept = 0;
  while (kept < std::min(most, s) && eigen.eigenvalues()(s - 1 - kept) > 1e-9 * eigen.eigenvalues()(s - 1))
    ++kept;
  MatrixXd y(g.rows(), kept);
  for (Index d = 0; d < kept; ++d) {
    y.col(d) = g * eigen.eigenvectors().col(s - 1 - d) / std::sqrt(eigen.eigenvalues()(s - 1 - d));
  }
  return cholesky.matrixU().solve(y);
}

// Linear regression of the intensity on the discriminants: D slopes and the offset. The subclasses' means
// hold the intensity to a step and weigh a rare letter like a common one; on people who are not among the
// rows the mean's letter agrees much less with the truth than this line does.
std::vector<float> Readout(const MatrixXd& y, std::span<const float> intensity) {
  const VectorXd target = Eigen::Map<const Eigen::VectorXf>(intensity.data(), y.rows()).cast<double>();
  const Eigen::RowVectorXd mean = y.colwise().mean();
  const MatrixXd centred = y.rowwise() - mean;
  MatrixXd normal = centred.transpose() * centred;
  normal.diagonal() *= 1 + kReadoutRidge;
  normal.diagonal().array() += 1e-12;
  const VectorXd slope = normal.ldlt().solve(centred.transpose() * (target.array() - target.mean()).matrix());
  std::vector<float> readout;
  for (const double v : slope) readout.push_back(static_cast<float>(v));
  readout.push_back(static_cast<float>(target.mean() - mean * slope));
  return readout;
}

}  // namespace

std::vector<std::size_t> NearestNeighbourOrder(std::span<const float> squared, std::size_t n) {
  if (n < 3) {
    std::vector<std::size_t> all(n);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  const auto farthest =
      static_cast<std::size_t>(std::max_element(squared.begin(), squared.end()) - squared.begin());
  const std::size_t first = std::min(farthest / n, farthest % n);
  // Where all samples coincide any other one is as far.
  const std::size_t last = std::max({farthest / n, farthest % n, first + 1});
  std::vector<std::size_t> front{first}, back{last};
  std::vector<bool> is_used(n, false);
  is_used[first] = is_used[last] = true;
  for (std::size_t left = n - 2; left > 0; --left) {
    const bool to_front = front.size() <= back.size();
    const std::size_t end = to_front ? first : last;
    std::size_t nearest = n;
    for (std::size_t i = 0; i < n; ++i) {
      if (!is_used[i] && (nearest == n || squared[end * n + i] < squared[end * n + nearest])) nearest = i;
    }
    is_used[nearest] = true;
    (to_front ? front : back).push_back(nearest);
  }
  front.insert(front.end(), back.rbegin(), back.rend());
  return front;
}

KsdaCriterion EvaluateKsda(const MatrixXf& kernel, std::span<const int> subclass,
                           std::span<const std::uint8_t> letters) {
  const std::size_t s = letters.size();
  const auto members = Members(subclass, s);
  std::vector<BlockFigures> own;
  for (const auto& rows : members) own.push_back(Block(kernel, rows, rows));
  const auto n = static_cast<double>(subclass.size());
  KsdaCriterion result;
  double pairs = 0;
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = i + 1; j < s; ++j) {
      if ((letters[i] == 0) == (letters[j] == 0)) continue;
      const BlockFigures cross = Block(kernel, members[i], members[j]);
      const double weight =
          static_cast<double>(members[i].size()) / n * static_cast<double>(members[j].size()) / n;
      result.separation += weight * (own[i].mean + own[j].mean - 2 * cross.mean);
      const double scale = own[i].trace + own[j].trace;
      if (scale > 0) result.homoscedasticity += cross.trace / scale;
      ++pairs;
    }
  }
  if (pairs > 0) result.homoscedasticity /= pairs;
  return result;
}

KsdaClassifier LearnKsdaClassifier(std::span<const float> squared, std::span<const float> intensity,
                                   const KsdaOptions& options) {
  const std::size_t n = intensity.size();
  if (squared.size() != n * n) throw std::invalid_argument("ksda: distances and labels do not match");
  auto by_letter = RowsByLetter(intensity, options.smallest);
  const std::size_t inactive = by_letter[0].size();
  if (inactive < options.smallest || n - inactive < options.smallest) {
    throw std::invalid_argument("ksda: " + std::to_string(n - inactive) + " active and " +
                                std::to_string(inactive) + " inactive faces are too few");
  }
  const Choice choice = Choose(squared, n, Chains(squared, n, std::move(by_letter)), options);
  const std::size_t s = choice.subclasses.letters.size();
  const auto members = Members(choice.subclasses.of_row, s);
  const MatrixXd kernel = Kernel(squared, n, choice.gamma).cast<double>();

  const auto size = static_cast<Index>(n);
  // K B K with B = (I - 1 1'/N) / N.
  const VectorXd mean = kernel.rowwise().mean();
  MatrixXd within = (kernel * kernel) / static_cast<double>(n) - mean * mean.transpose();
  within.diagonal().array() += options.ridge * within.trace();
  MatrixXd mean_kernels(size, static_cast<Index>(s));
  for (std::size_t i = 0; i < s; ++i) {
    mean_kernels.col(static_cast<Index>(i)) = kernel(Eigen::all, members[i]).rowwise().mean();
  }
  const MatrixXd vectors =
      Solve(within, BetweenFactor(mean_kernels, choice.subclasses, members), static_cast<Index>(s) - 1);

  KsdaClassifier result;
  result.gamma = static_cast<float>(choice.gamma);
  result.rows = n;
  result.dimensions = static_cast<std::size_t>(vectors.cols());
  result.letters = choice.subclasses.letters;
  result.quality = choice.q;
  const MatrixXd y = kernel * vectors;                        // n x D
  const MatrixXd means = mean_kernels.transpose() * vectors;  // S x D
  double scatter = 0;
  for (Index i = 0; i < size; ++i) {
    scatter += (y.row(i) - means.row(choice.subclasses.of_row[static_cast<std::size_t>(i)])).squaredNorm();
  }
  const auto dimensions = static_cast<double>(std::max<std::size_t>(1, result.dimensions));
  result.spread = static_cast<float>(std::max(1e-12, scatter / static_cast<double>(n) / dimensions));
  if (!options.nearest_mean) result.readout = Readout(y, intensity);
  for (Index i = 0; i < size; ++i) {
    for (Index d = 0; d < vectors.cols(); ++d) result.vectors.push_back(static_cast<float>(vectors(i, d)));
  }
  for (Index i = 0; i < means.rows(); ++i) {
    for (Index d = 0; d < means.cols(); ++d) result.means.push_back(static_cast<float>(means(i, d)));
  }
  return result;
}

float KsdaScore(const KsdaClassifier& classifier, std::span<const float> y) {
  if (classifier.readout.empty()) return KsdaNearest(classifier, y);
  float score = classifier.readout.back();
  for (std::size_t d = 0; d < classifier.dimensions; ++d) score += classifier.readout[d] * y[d];
  return score;
}

float KsdaNearest(const KsdaClassifier& classifier, std::span<const float> y) {
  const std::size_t s = classifier.letters.size(), d = classifier.dimensions;
  std::vector<float> distance(s, 0.0F);
  std::size_t nearest = 0;
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t k = 0; k < d; ++k) {
      const float gap = y[k] - classifier.means[i * d + k];
      distance[i] += gap * gap;
    }
    if (distance[i] < distance[nearest]) nearest = i;
  }
  float weights = 0, expected = 0;
  for (std::size_t i = 0; i < s; ++i) {
    const float w = std::exp((distance[nearest] - distance[i]) / (2 * classifier.spread));
    weights += w;
    expected += w * static_cast<float>(classifier.letters[i]);
  }
  expected /= weights;
  const auto letter = static_cast<float>(classifier.letters[nearest]);
  if (letter == 0) return std::min(expected, 0.99F);
  return std::clamp(expected, std::max(1.0F, letter - 0.5F), letter + 0.5F);
}

}  // namespace auforge::annotator
