#include "annotator/internal/ksda.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

std::vector<float> Squared(const std::vector<float>& points, std::size_t n, std::size_t k) {
  std::vector<float> squared(n * n, 0.0F);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t p = 0; p < k; ++p)
        squared[i * n + j] +=
            (points[i * k + p] - points[j * k + p]) * (points[i * k + p] - points[j * k + p]);
    }
  }
  return squared;
}

struct Xor {
  std::vector<float> points, intensity;
  std::size_t n = 0;
};
// Four Gaussians, means (+-.25, +-.25), sigma .1; equal signs are inactive.
Xor MakeXor(std::size_t each, std::uint64_t seed) {
  Xor data;
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 0.1F);
  for (const float sx : {-0.25F, 0.25F}) {
    for (const float sy : {-0.25F, 0.25F}) {
      for (std::size_t i = 0; i < each; ++i) {
        data.points.insert(data.points.end(), {sx + normal(random), sy + normal(random)});
        data.intensity.push_back(sx * sy < 0 ? 3.0F : 0.0F);
        ++data.n;
      }
    }
  }
  return data;
}

// Discriminants of `points` by a classifier of `train`.
std::vector<float> Answers(const KsdaClassifier& c, const Xor& train, const Xor& test) {
  std::vector<float> answers;
  for (std::size_t i = 0; i < test.n; ++i) {
    std::vector<float> y(c.dimensions, 0.0F);
    for (std::size_t r = 0; r < train.n; ++r) {
      const float dx = test.points[2 * i] - train.points[2 * r],
                  dy = test.points[2 * i + 1] - train.points[2 * r + 1];
      const float k = std::exp(-c.gamma * (dx * dx + dy * dy));
      for (std::size_t d = 0; d < c.dimensions; ++d) y[d] += k * c.vectors[r * c.dimensions + d];
    }
    answers.push_back(KsdaScore(c, y));
  }
  return answers;
}

TEST(Ksda, SeparatesAnXor) {
  const Xor train = MakeXor(60, 1), test = MakeXor(100, 2);
  for (const bool nearest_mean : {true, false}) {
    const KsdaClassifier c = LearnKsdaClassifier(Squared(train.points, train.n, 2), train.intensity,
                                                 {.nearest_mean = nearest_mean});
    std::size_t right = 0;
    const std::vector<float> answers = Answers(c, train, test);
    for (std::size_t i = 0; i < test.n; ++i) right += (answers[i] >= 1) == (test.intensity[i] >= 1);
    // The Bayes error of these Gaussians is 1.2 %. A regression of intensities 0 and 3 has its middle at 1.5,
    // not 1.
    EXPECT_GE(static_cast<double>(right) / static_cast<double>(test.n), nearest_mean ? 0.965 : 0.94);
    EXPECT_GT(c.quality, 0);
  }
}

TEST(Ksda, TheReadoutGradesWhereTheNearestMeanKnowsStepsOnly) {
  Xor train;
  std::mt19937_64 random(6);
  std::uniform_real_distribution<float> uniform(0, 5);
  for (int i = 0; i < 240; ++i) {
    const float level = uniform(random);
    train.points.insert(train.points.end(), {level * 0.5F, 0});
    train.intensity.push_back(level);
    ++train.n;
  }
  const auto squared = Squared(train.points, train.n, 2);
  const auto error = [&](bool nearest_mean) {
    const auto answers =
        Answers(LearnKsdaClassifier(squared, train.intensity, {.nearest_mean = nearest_mean}), train, train);
    double sum = 0;
    for (std::size_t i = 0; i < train.n; ++i) sum += std::abs(answers[i] - train.intensity[i]);
    return sum / static_cast<double>(train.n);
  };
  EXPECT_LT(error(false), 0.75 * error(true));
}

TEST(Ksda, OneSubclassForEachClassUnderALinearViewFails) {
  // The same points with a kernel so wide that it is linear, and no subclasses: an XOR cannot be told apart.
  // This is what the subclasses and the width are for.
  const Xor train = MakeXor(60, 1);
  const auto squared = Squared(train.points, train.n, 2);
  std::vector<int> of_row;
  for (const float v : train.intensity) of_row.push_back(v >= 1 ? 1 : 0);
  const std::vector<std::uint8_t> letters{0, 3};
  const auto n = static_cast<Eigen::Index>(train.n);
  const Eigen::Map<const Eigen::MatrixXf> distances(squared.data(), n, n);
  const double wide = EvaluateKsda((distances.array() * -0.01F).exp().matrix(), of_row, letters).separation;
  const double narrow = EvaluateKsda((distances.array() * -8.0F).exp().matrix(), of_row, letters).separation;
  EXPECT_LT(wide, 1e-3);
  EXPECT_GT(narrow, 0.02);
}

TEST(Ksda, TheLetterIsTheIntensity) {
  // One dimension: the intensity is the place.
  Xor train;
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal(0, 0.08F);
  for (int i = 0; i < 240; ++i) {
    const auto level = static_cast<float>(i % 6);
    train.points.insert(train.points.end(), {level * 0.5F + normal(random), 0});
    train.intensity.push_back(level);
    ++train.n;
  }
  const KsdaClassifier c =
      LearnKsdaClassifier(Squared(train.points, train.n, 2), train.intensity, {.nearest_mean = true});
  Xor test;
  for (int level = 0; level < 6; ++level) {
    test.points.insert(test.points.end(), {static_cast<float>(level) * 0.5F, 0});
    ++test.n;
  }
  const std::vector<float> answers = Answers(c, train, test);
  for (std::size_t level = 0; level < 6; ++level)
    EXPECT_NEAR(answers[level], static_cast<double>(level), 0.51) << level;
  EXPECT_LT(answers[0], 1);
  EXPECT_GE(answers[1], 1);
}

TEST(NearestNeighbourOrder, StartsAndEndsFarApartAndHoldsEverybodyOnce) {
  const std::vector<float> points{3, 0, 9, 0, 0, 0, 10, 0, 1, 0, 5, 0};
  const auto order = NearestNeighbourOrder(Squared(points, 6, 2), 6);
  // From the ends inwards on a line, this is the order of the points (or its reverse).
  std::vector<float> along;
  for (const std::size_t i : order) along.push_back(points[2 * i]);
  if (along.front() > along.back()) std::reverse(along.begin(), along.end());
  EXPECT_EQ(along, (std::vector<float>{0, 1, 3, 5, 9, 10}));
  EXPECT_EQ(NearestNeighbourOrder({}, 0).size(), 0U);
  const std::vector<float> same(9, 0.0F);
  const auto equal = NearestNeighbourOrder(same, 3);
  EXPECT_EQ(std::set<std::size_t>(equal.begin(), equal.end()).size(), 3U);
}

// Q1 and Q2 against their definitions in an explicit feature space: the linear kernel.
TEST(EvaluateKsda, IsTheDefinition) {
  const Xor data = MakeXor(12, 9);
  const auto n = static_cast<Eigen::Index>(data.n);
  Eigen::MatrixXf x(2, n);
  for (Eigen::Index i = 0; i < n; ++i)
    x.col(i) << data.points[static_cast<std::size_t>(2 * i)],
        data.points[static_cast<std::size_t>(2 * i + 1)];
  std::vector<int> subclass;
  for (std::size_t i = 0; i < data.n; ++i) subclass.push_back(static_cast<int>(i / 12));
  const std::vector<std::uint8_t> letters{0, 2, 4, 0};
  std::vector<Eigen::Vector2d> mean;
  std::vector<Eigen::Matrix2d> covariance;
  for (Eigen::Index s = 0; s < 4; ++s) {
    const Eigen::MatrixXd part = x.middleCols(12 * s, 12).cast<double>();
    mean.push_back(part.rowwise().mean());
    const Eigen::MatrixXd centred = part.colwise() - mean.back();
    covariance.push_back(centred * centred.transpose() / 12);
  }
  double q1 = 0, q2 = 0;
  for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 1}, {0, 2}, {1, 3}, {2, 3}}) {
    q1 += (covariance[i] * covariance[j]).trace() /
          ((covariance[i] * covariance[i]).trace() + (covariance[j] * covariance[j]).trace()) / 4;
    q2 += (mean[i] - mean[j]).squaredNorm() / 16;
  }
  const KsdaCriterion found = EvaluateKsda(x.transpose() * x, subclass, letters);
  EXPECT_NEAR(found.homoscedasticity, q1, 1e-4);
  EXPECT_NEAR(found.separation, q2, 1e-5);
}

TEST(Ksda, RefusesOneClass) {
  const Xor data = MakeXor(10, 3);
  const std::vector<float> none(data.n, 0.0F);
  EXPECT_THROW(LearnKsdaClassifier(Squared(data.points, data.n, 2), none, {}), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
