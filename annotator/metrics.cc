#include "annotator/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace auforge::annotator {
namespace {

struct Pair {
  double predicted, label;
};

std::vector<Pair> Labelled(std::span<const float> predicted, std::span<const float> label) {
  if (predicted.size() != label.size())
    throw std::invalid_argument("metrics: predictions and labels differ in number");
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (!std::isnan(label[i])) pairs.push_back({predicted[i], label[i]});
  }
  return pairs;
}

struct Moments {
  double n = 0, mean_p = 0, mean_l = 0, var_p = 0, var_l = 0, cov = 0;  // sums of squares, not divided
};

Moments MomentsOf(const std::vector<Pair>& pairs) {
  Moments m;
  m.n = static_cast<double>(pairs.size());
  if (pairs.empty()) return m;
  for (const Pair& p : pairs) {
    m.mean_p += p.predicted / m.n;
    m.mean_l += p.label / m.n;
  }
  for (const Pair& p : pairs) {
    m.var_p += (p.predicted - m.mean_p) * (p.predicted - m.mean_p);
    m.var_l += (p.label - m.mean_l) * (p.label - m.mean_l);
    m.cov += (p.predicted - m.mean_p) * (p.label - m.mean_l);
  }
  return m;
}

}  // namespace

double PearsonR(std::span<const float> predicted, std::span<const float> label) {
  const Moments m = MomentsOf(Labelled(predicted, label));
  return m.var_p > 0 && m.var_l > 0 ? m.cov / std::sqrt(m.var_p * m.var_l) : 0;
}

double SpearmanR(std::span<const float> predicted, std::span<const float> label) {
  const std::vector<Pair> pairs = Labelled(predicted, label);
  const auto ranks = [&pairs](double Pair::*side) {
    std::vector<std::size_t> order(pairs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return pairs[i].*side < pairs[j].*side; });
    std::vector<float> rank(pairs.size());
    for (std::size_t begin = 0; begin < order.size();) {
      std::size_t end = begin;
      while (end < order.size() && pairs[order[end]].*side == pairs[order[begin]].*side) ++end;
      for (std::size_t k = begin; k < end; ++k) rank[order[k]] = static_cast<float>(begin + end) / 2;
      begin = end;
    }
    return rank;
  };
  return PearsonR(ranks(&Pair::predicted), ranks(&Pair::label));
}

double Icc31(std::span<const float> predicted, std::span<const float> label) {
  const Moments m = MomentsOf(Labelled(predicted, label));
  if (m.n < 2) return 0;
  // With two raters: between-subject mean square (var_p + var_l + 2 cov) / 2(n-1), error (var_p + var_l - 2
  // cov) / 2(n-1).
  const double total = m.var_p + m.var_l;
  return total > 0 ? 2 * m.cov / total : 0;
}

double MeanAbsoluteError(std::span<const float> predicted, std::span<const float> label) {
  const std::vector<Pair> pairs = Labelled(predicted, label);
  double sum = 0;
  for (const Pair& p : pairs) sum += std::abs(p.predicted - p.label);
  return pairs.empty() ? 0 : sum / static_cast<double>(pairs.size());
}

double AreaUnderCurve(std::span<const float> score, std::span<const float> label) {
  std::vector<Pair> pairs = Labelled(score, label);
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.predicted < b.predicted; });
  double rank_sum = 0, positives = 0;
  for (std::size_t begin = 0; begin < pairs.size();) {
    std::size_t end = begin;
    while (end < pairs.size() && pairs[end].predicted == pairs[begin].predicted) ++end;
    const double rank = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    for (std::size_t i = begin; i < end; ++i) {
      if (pairs[i].label >= 1) {
        rank_sum += rank;
        ++positives;
      }
    }
    begin = end;
  }
  const double negatives = static_cast<double>(pairs.size()) - positives;
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

double F1(std::span<const float> predicted, std::span<const float> label) {
  double both = 0, said = 0, is = 0;
  for (const Pair& p : Labelled(predicted, label)) {
    said += p.predicted >= 1;
    is += p.label >= 1;
    both += p.predicted >= 1 && p.label >= 1;
  }
  return both > 0 ? 2 * both / (said + is) : 0;
}

namespace {

// The cut between two scores that has the highest F1; NaN with one class.
struct BestCut {
  double f1 = std::numeric_limits<double>::quiet_NaN();
  double threshold = std::numeric_limits<double>::quiet_NaN();
  double f1_of_all = 0;  // of calling every row present
};
BestCut FindBestCut(std::span<const float> score, std::span<const float> label) {
  std::vector<Pair> pairs = Labelled(score, label);
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.predicted > b.predicted; });
  const auto positives = static_cast<double>(
      std::count_if(pairs.begin(), pairs.end(), [](const Pair& p) { return p.label >= 1; }));
  if (positives == 0 || positives == static_cast<double>(pairs.size())) return {};
  BestCut best{-1, 0, 2 * positives / (static_cast<double>(pairs.size()) + positives)};
  double hits = 0;
  for (std::size_t i = 0; i + 1 < pairs.size(); ++i) {
    hits += pairs[i].label >= 1;
    if (pairs[i].predicted == pairs[i + 1].predicted) continue;
    const double f1 = 2 * hits / (static_cast<double>(i + 1) + positives);
    if (f1 > best.f1) best = {f1, (pairs[i].predicted + pairs[i + 1].predicted) / 2, best.f1_of_all};
  }
  return best;
}

}  // namespace

double BestF1Threshold(std::span<const float> score, std::span<const float> label) {
  return FindBestCut(score, label).threshold;
}

double BestF1(std::span<const float> score, std::span<const float> label) {
  const BestCut best = FindBestCut(score, label);
  return std::isnan(best.f1) ? best.f1 : std::max(best.f1, best.f1_of_all);
}

}  // namespace auforge::annotator
