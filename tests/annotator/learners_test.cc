#include <gtest/gtest.h>
#include <libsvm/svm.h>

#include <cmath>
#include <numeric>

#include "annotator/internal/learner.h"
#include "annotator/internal/matrix_product.h"
#include "annotator/metrics.h"
#include "datasets/storage/bad_content.h"
#include "tests/annotator/toy_data.h"

namespace auforge::annotator {
namespace {

std::vector<float> RandomMatrix(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

TEST(MatrixProduct, IsTheTripleLoop) {
  for (const auto& [n, k, m] :
       {std::array<std::size_t, 3>{1, 1, 1}, {7, 13, 17}, {32, 100, 40}, {5, 64, 16}}) {
    const auto a = RandomMatrix(n * k, 1), b = RandomMatrix(k * m, 2);
    std::vector<float> c(n * m);
    MatrixProduct(a.data(), b.data(), c.data(), n, k, m);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        double expected = 0;
        for (std::size_t p = 0; p < k; ++p) expected += static_cast<double>(a[i * k + p]) * b[p * m + j];
        EXPECT_NEAR(c[i * m + j], expected, 1e-4) << i << "," << j;
      }
    }
  }
}

// Every number of rows up to three tiles, and columns beside and on the panels' edges: the same bits as one
// chain of fused multiply-adds over k, packed beforehand or on the way.
TEST(MatrixProduct, EveryElementIsOneChainWhateverTileItFallsInto) {
  const std::size_t most = 19, k = 75;
  for (const std::size_t m : {1, 15, 16, 17, 37, 48}) {
    const auto a = RandomMatrix(most * k, 3), b = RandomMatrix(k * m, 4);
    std::vector<float> expected(most * m, 0.0F);
    for (std::size_t i = 0; i < most; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        for (std::size_t p = 0; p < k; ++p)
          expected[i * m + j] = std::fma(a[i * k + p], b[p * m + j], expected[i * m + j]);
      }
    }
    const PackedMatrix packed(b.data(), k, m);
    for (std::size_t n = 1; n <= most; ++n) {
      const std::vector<float> wanted(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(n * m));
      std::vector<float> c(n * m, NAN);
      MatrixProduct(a.data(), b.data(), c.data(), n, k, m);
      EXPECT_EQ(c, wanted) << n << " rows, " << m << " columns";
      c.assign(n * m, NAN);
      packed.Multiply(a.data(), c.data(), n);
      EXPECT_EQ(c, wanted) << n << " rows, " << m << " columns, packed";
    }
  }
}

TEST(MatrixProduct, NoRowsAndNoColumnsAreNoWork) {
  const std::vector<float> b(12, 1.0F);
  float untouched = 7;
  MatrixProduct(nullptr, b.data(), &untouched, 0, 3, 4);
  PackedMatrix(b.data(), 3, 4).Multiply(nullptr, &untouched, 0);
  EXPECT_EQ(untouched, 7);
  EXPECT_TRUE(PackedMatrix().empty());
}

TEST(RbfKernel, IsSymmetricWithOnesAndPositive) {
  const std::size_t n = 20, k = 6;
  const auto rows = RandomMatrix(n * k, 5);
  const std::vector<float> kernel = RbfKernel(rows.data(), n, rows.data(), n, k, 0.3F);
  double smallest = 1e9;
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_NEAR(kernel[i * n + i], 1, 1e-4);
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_NEAR(kernel[i * n + j], kernel[j * n + i], 1e-5);
      double d = 0;
      for (std::size_t p = 0; p < k; ++p) d += std::pow(rows[i * k + p] - rows[j * k + p], 2);
      EXPECT_NEAR(kernel[i * n + j], std::exp(-0.3 * d), 1e-4);
    }
  }
  // Positive semi-definite: no vector gives a negative form.
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    const auto v = RandomMatrix(n, 100 + trial);
    double form = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) form += static_cast<double>(v[i]) * kernel[i * n + j] * v[j];
    }
    smallest = std::min(smallest, form);
  }
  EXPECT_GT(smallest, -1e-3);
}

TEST(LearnSvm, PredictsWhatLibsvmPredicts) {
  const std::size_t n = 120, k = 5;
  const auto rows = RandomMatrix(n * k, 7);
  std::vector<float> labels(n), weights(n, 1);
  for (std::size_t i = 0; i < n; ++i)
    labels[i] = std::clamp(2 + rows[i * k] + std::sin(2 * rows[i * k + 1]), 0.0F, 5.0F);
  TrainOptions options;
  options.learner = "svm";
  Head model;
  model.components = k;
  model.gamma = 0.2F;
  LearnSvm({rows, labels, weights, n, k, 1, model.gamma}, options, model, {});
  const std::vector<float> ours = HeadScores(model, rows, n, 1);

  // The same problem by libsvm alone, with its own RBF kernel.
  std::vector<std::vector<svm_node>> nodes(n);
  std::vector<svm_node*> pointers;
  std::vector<double> targets(labels.begin(), labels.end());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < k; ++j) nodes[i].push_back({static_cast<int>(j + 1), rows[i * k + j]});
    nodes[i].push_back({-1, 0});
    pointers.push_back(nodes[i].data());
  }
  const svm_problem problem{static_cast<int>(n), targets.data(), pointers.data()};
  svm_parameter parameter{};
  parameter.svm_type = EPSILON_SVR;
  parameter.kernel_type = RBF;
  parameter.gamma = model.gamma;
  parameter.C = options.svm_c;
  parameter.p = options.svm_epsilon;
  parameter.eps = 1e-3;
  parameter.cache_size = 100;
  parameter.shrinking = 1;
  svm_set_print_string_function([](const char*) {});
  svm_model* reference = svm_train(&problem, &parameter);
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double value = 0;
    svm_predict_values(reference, nodes[i].data(), &value);
    largest = std::max(largest, std::abs(value - ours[i]));
  }
  svm_free_and_destroy_model(&reference);
  // Kernels in fp32 here, in double there; the solver stops within 1e-3 of either optimum.
  EXPECT_LT(largest, 2e-3);
}

// The exact check of the issue: libsvm's model on our precomputed kernel against our two matrix products.
TEST(LearnSvm, EqualsSvmPredictValuesOnThePrecomputedKernel) {
  const std::size_t n = 90, k = 4;
  const auto rows = RandomMatrix(n * k, 8);
  std::vector<float> labels(n), weights(n, 1);
  for (std::size_t i = 0; i < n; ++i)
    labels[i] = std::clamp(2.5F + rows[i * k] * rows[i * k + 1], 0.0F, 5.0F);
  TrainOptions options;
  Head model;
  model.components = k;
  model.gamma = 0.25F;
  LearnSvm({rows, labels, weights, n, k, 1, model.gamma}, options, model, {});
  const std::vector<float> ours = HeadScores(model, rows, n, 1);

  const std::vector<float> kernel = RbfKernel(rows.data(), n, rows.data(), n, k, model.gamma);
  std::vector<std::vector<svm_node>> nodes(n);
  std::vector<svm_node*> pointers;
  std::vector<double> targets(labels.begin(), labels.end());
  for (std::size_t i = 0; i < n; ++i) {
    nodes[i].push_back({0, static_cast<double>(i + 1)});
    for (std::size_t j = 0; j < n; ++j) nodes[i].push_back({static_cast<int>(j + 1), kernel[i * n + j]});
    nodes[i].push_back({-1, 0});
    pointers.push_back(nodes[i].data());
  }
  const svm_problem problem{static_cast<int>(n), targets.data(), pointers.data()};
  svm_parameter parameter{};
  parameter.svm_type = EPSILON_SVR;
  parameter.kernel_type = PRECOMPUTED;
  parameter.C = options.svm_c;
  parameter.p = options.svm_epsilon;
  parameter.eps = 1e-3;
  parameter.cache_size = 100;
  parameter.shrinking = 1;
  svm_set_print_string_function([](const char*) {});
  svm_model* reference = svm_train(&problem, &parameter);
  for (std::size_t i = 0; i < n; ++i) {
    double value = 0;
    svm_predict_values(reference, nodes[i].data(), &value);
    EXPECT_NEAR(ours[i], value, 1e-4) << i;
  }
  svm_free_and_destroy_model(&reference);
}

TEST(TrainAuModel, LearnsWithEveryLearner) {
  const TrainingData data = ToyData(400, 1);
  for (const char* learner : {"nystrom", "svm", "ksda"}) {
    TrainOptions options = ToyOptions();
    options.learner = learner;
    options.svm_rows = options.ksda_rows = 250;
    const TrainedModel trained = TrainAuModel(data, options, {});
    for (const AuFigure& figure : trained.report.test) {
      EXPECT_GT(figure.r, 0.9) << learner << " AU" << figure.au;
      EXPECT_GT(figure.f1, 0.8) << learner << " AU" << figure.au;
    }
    EXPECT_EQ(trained.model.info().confidence[1], "strong");
  }
}

TEST(TrainAuModel, SameSeedSameModel) {
  const TrainingData data = ToyData(150, 2);
  EXPECT_EQ(TrainAuModel(data, ToyOptions(), {}).model.info().digest,
            TrainAuModel(data, ToyOptions(), {}).model.info().digest);
}

TEST(TrainAuModel, MissingLabelsAreMissingNotZero) {
  TrainingData data = ToyData(300, 3);
  // Two thirds of the AU12 labels are gone; what is left still teaches.
  for (std::size_t i = 0; i < data.rows; ++i) {
    if (i % 3 != 0) data.labels[2 * i + 1] = NAN;
  }
  const TrainedModel trained = TrainAuModel(data, ToyOptions(), {});
  EXPECT_GT(trained.report.test[1].r, 0.85);
  EXPECT_LT(trained.report.test[1].rows, trained.report.test[0].rows);
}

TEST(TrainAuModel, RefusesWhatCannotBeLearnt) {
  const auto message = [](TrainingData data, const TrainOptions& options) -> std::string {
    try {
      TrainAuModel(data, options, {});
    } catch (const std::invalid_argument& error) {  // wrong usage, or labels that contradict themselves
      return error.what();
    } catch (const datasets::storage::BadContent& error) {
      return error.what();
    }
    return "accepted";
  };
  TrainingData flat = ToyData(60, 4);
  for (std::size_t i = 0; i < flat.rows; ++i) flat.labels[2 * i] = 0;
  EXPECT_NE(message(flat, ToyOptions()).find("AU1 never varies"), std::string::npos);
  TrainingData wild = ToyData(60, 4);
  wild.labels[7] = 9;
  EXPECT_NE(message(wild, ToyOptions()).find("must be 0..5"), std::string::npos);
  EXPECT_NE(message(ToyData(8, 4), ToyOptions()).find("too few"), std::string::npos);
  TrainOptions bad = ToyOptions();
  bad.ridge = -1;
  EXPECT_NE(message(ToyData(60, 4), bad).find("train.ridge"), std::string::npos);
}

TEST(TrainAuModel, QualityTellsTheErrorOnPeopleItHasNotSeen) {
  const TrainedModel trained = TrainAuModel(ShakyData(4000, 11), ToyOptions(), {});
  const TrainingData other = ShakyData(400, 12);
  const QualityFigure figure = EvaluateQuality(trained.model, other);
  EXPECT_EQ(figure.rows, 400U);
  // Noise is drawn; nobody can know more of it than how large it may be, which is what the misfit says.
  std::vector<float> misfit, error;
  const auto estimates = trained.model.Predict(other.features, other.rows);
  for (std::size_t i = 0; i < other.rows; ++i) {
    misfit.push_back(other.evidence[i].landmark_misfit);
    error.push_back(std::abs(estimates[i].intensity[0] - other.labels[2 * i]) +
                    std::abs(estimates[i].intensity[1] - other.labels[2 * i + 1]));
  }
  const double best = SpearmanR(misfit, error);
  EXPECT_GT(best, 0.2);
  // The other cues and the kernel are noise here, and cost some of it.
  EXPECT_LT(figure.relative, -0.6 * best);
  EXPECT_LT(figure.partial, -0.6 * best);
  EXPECT_GT(figure.error[4], 1.3 * figure.error[0]);
  // A probability: what it promises is what comes.
  for (std::size_t fifth = 0; fifth < 5; ++fifth)
    EXPECT_NEAR(figure.quality[fifth], figure.not_poor[fifth], 0.15) << fifth;
  for (const auto& e : trained.model.Predict(other.features, other.rows, nullptr, other.evidence)) {
    EXPECT_GE(e.quality, 0);
    EXPECT_LE(e.quality, 1);
  }
}

TEST(TrainAuModel, WithoutEvidenceThereIsNoQuality) {
  const TrainingData data = ToyData(200, 13);
  const TrainedModel trained = TrainAuModel(data, ToyOptions(), {});
  EXPECT_EQ(trained.report.quality.rows, 0U);
  EXPECT_EQ(trained.model.Predict(data.features, data.rows)[0].quality, 0);
  // Evidence for a model that has not learnt to judge by it: the evidence itself.
  const std::vector<QualityEvidence> evidence(data.rows, QualityEvidence{.detector_score = 0.3F,
                                                                         .inter_ocular = 20,
                                                                         .sharpness = 0.2F,
                                                                         .pose = {},
                                                                         .landmark_misfit = 0.1F});
  EXPECT_EQ(trained.model.Predict(data.features, data.rows, nullptr, evidence)[0].quality,
            FaceQuality(evidence[0]));
  EXPECT_THROW(trained.model.Predict(data.features, data.rows, nullptr, std::span(evidence).first(3)),
               std::invalid_argument);
}

TEST(TrainAuModel, WhatIsHiddenIsFoundOut) {
  // Every fourth mouth is covered: its landmarks lie flat, and the data says so.
  TrainingData data = ToyData(800, 14);
  data.seen.assign(2 * data.rows, 1.0F);
  data.weights.assign(2 * data.rows, 1.0F);
  for (std::size_t i = 0; i < data.rows; i += 4) {
    features::Landmarks68 face = tests::ShakenFace(990000 + i, 0.8F);
    for (std::size_t p = 48; p < 68; ++p) face[p].y = face[33].y + 12;
    features::ShapeFeatures(
        face,
        std::span(data.features).subspan(i * features::kShapeFeatureCount, features::kShapeFeatureCount));
    data.seen[2 * i + 1] = 0.1F;
    data.weights[2 * i + 1] = 0.1F;
    data.labels[2 * i + 1] = NAN;
  }
  const TrainedModel trained = TrainAuModel(data, ToyOptions(), {});
  EXPECT_GT(trained.report.test[1].hidden, 10U);
  EXPECT_GT(trained.report.test[1].hidden_auc, 0.95);
  EXPECT_TRUE(std::isnan(trained.report.test[0].hidden_auc)) << "brows are never hidden";
  std::vector<std::uint8_t> visible;
  trained.model.Predict(data.features, data.rows, &visible);
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.rows; ++i) right += visible[2 * i + 1] == (i % 4 == 0 ? 0 : 1);
  EXPECT_GT(right, data.rows * 9 / 10);
}

// Photos without labels whose brows sit a little higher than training's: a gap, not an expression.
TEST(TrainAuModel, UnlabelledPhotosAreNotTakenForExpressive) {
  TrainingData data = ToyData(600, 15);
  for (std::size_t i = 0; i < 120; ++i) {
    features::Landmarks68 face = tests::ShakenFace(880000 + i, 0.8F);
    for (std::size_t p = 20; p <= 23; ++p) face[p].y -= 3;
    std::vector<float> row(features::kShapeFeatureCount);
    features::ShapeFeatures(face, row);
    data.unlabelled.insert(data.unlabelled.end(), row.begin(), row.end());
    data.unlabelled_group.push_back(static_cast<std::int64_t>(i));
  }
  struct Seen {
    double intensity = 0, present = 0, r = 0;
  };
  const auto seen = [&data](double prevalence, double share, double spread) {
    TrainOptions options = ToyOptions();
    options.consistency = 0;
    options.prevalence = prevalence;
    options.photo_share = share;
    options.photo_spread = spread;
    const TrainedModel trained = TrainAuModel(data, options, {});
    Seen result;
    result.r = trained.report.test[0].r;
    for (const auto& e : trained.model.Predict(data.unlabelled, data.unlabelled_group.size())) {
      result.intensity += static_cast<double>(e.intensity[0]) / 120;
      result.present += e.present[0] / 120.0;
    }
    return result;
  };
  const Seen plain = seen(0, 1, 0), held = seen(1, 1, 0), low = seen(1, 0.3, 0), spread = seen(0, 1, 3);
  EXPECT_GT(plain.present, 0.5) << "the gap is there";
  EXPECT_LT(held.intensity, plain.intensity);
  EXPECT_LT(low.intensity, held.intensity);
  EXPECT_GT(low.r, 0.8) << "expressions are still told apart";
  EXPECT_LT(spread.present, 0.1) << "most photos are what is usual";
}

}  // namespace
}  // namespace auforge::annotator
