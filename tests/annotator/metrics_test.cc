#include "annotator/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace auforge::annotator {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

TEST(SpearmanR, LooksAtRanksAlone) {
  const std::vector<float> p{1, 2, 3, 4}, grows{1, 10, 100, 1000}, falls{9, 3, 2, -7}, missing{1, 2, NAN, 3};
  EXPECT_NEAR(SpearmanR(p, grows), 1, 1e-9);
  EXPECT_NEAR(SpearmanR(p, falls), -1, 1e-9);
  EXPECT_NEAR(SpearmanR(p, missing), 1, 1e-9);
  // Ties share their mean rank: ranks 1.5 1.5 3 4 against 1 2 3 4.
  const std::vector<float> tied{5, 5, 6, 7};
  EXPECT_NEAR(SpearmanR(tied, p), 4.5 / std::sqrt(4.5 * 5), 1e-6);
}

TEST(Metrics, PearsonByHand) {
  const std::vector<float> p{1, 2, 3, 100}, l{2, 4, 6, kMissing};
  EXPECT_NEAR(PearsonR(p, l), 1, 1e-9);
  const std::vector<float> q{1, 0, 2}, m{0, 1, 2};  // cov 1, variances 2 and 2
  EXPECT_NEAR(PearsonR(q, m), 0.5, 1e-9);
  const std::vector<float> flat{1, 1, 1};
  EXPECT_EQ(PearsonR(flat, m), 0);
}

TEST(Metrics, IccAsShroutAndFleissDefineIt) {
  // Straight from the mean squares of a two-way table with k = 2 raters.
  const std::vector<float> a{9, 6, 8, 7, 10, 6}, b{2, 1, 4, 1, 5, 2};
  const double n = 6;
  double grand = 0, ma = 0, mb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ma += a[i] / n;
    mb += b[i] / n;
  }
  grand = (ma + mb) / 2;
  double between = 0, error = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double row = (a[i] + b[i]) / 2;
    between += 2 * (row - grand) * (row - grand);
    error += std::pow(a[i] - row - ma + grand, 2) + std::pow(b[i] - row - mb + grand, 2);
  }
  const double bms = between / (n - 1), ems = error / (n - 1);
  EXPECT_NEAR(Icc31(a, b), (bms - ems) / (bms + ems), 1e-9);
}

TEST(Metrics, AucCountsPairs) {
  const std::vector<float> score{0.1F, 0.4F, 0.35F, 0.8F}, label{0, 0, 3, 1};
  EXPECT_NEAR(AreaUnderCurve(score, label), 0.75, 1e-9);
  const std::vector<float> ties{1, 1, 1, 1};
  EXPECT_NEAR(AreaUnderCurve(ties, label), 0.5, 1e-9);
  const std::vector<float> none{0, 0, 0, 0};
  EXPECT_TRUE(std::isnan(AreaUnderCurve(score, none)));
}

TEST(Metrics, F1AndItsBestThreshold) {
  const std::vector<float> predicted{2, 0, 1, 0.5F}, label{1, 1, 0, 0};
  EXPECT_NEAR(F1(predicted, label), 0.5, 1e-9);
  const std::vector<float> score{0.9F, 0.8F, 0.3F, 0.1F}, truth{1, 2, 0, 0};
  EXPECT_NEAR(BestF1Threshold(score, truth), 0.55, 1e-6);
  EXPECT_NEAR(BestF1(score, truth), 1, 1e-9);
  EXPECT_NEAR(BestF1(predicted, label), 2.0 / 3, 1e-9) << "the one above 1, or all four";
  const std::vector<float> alike{1, 1, 1, 1}, none{0, 0, 0, 0};
  EXPECT_NEAR(BestF1(alike, truth), 2.0 / 3, 1e-9) << "all or nothing";
  EXPECT_TRUE(std::isnan(BestF1(score, none)));
  EXPECT_NEAR(MeanAbsoluteError(predicted, label), (1 + 1 + 1 + 0.5) / 4, 1e-9);
}

TEST(Metrics, RefuseUnequalLengths) {
  const std::vector<float> one(1), two(2);
  EXPECT_THROW(PearsonR(one, two), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
