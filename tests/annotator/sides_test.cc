// The halves of the face.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "annotator/internal/au_model_weights.h"
#include "annotator/training.h"
#include "tests/annotator/toy_data.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

constexpr std::size_t kDimension = features::kShapeFeatureCount;

// Faces that smile with either corner of the mouth, and raise the brows as a whole (AU 1) or the chin (17, without
// sides). One of `every` is lopsided; landmarks are off by up to `shaken` pixels.
TrainingData LopsidedData(std::size_t rows, std::uint64_t seed, unsigned every = 2, float shaken = 0.5F) {
  TrainingData data;
  data.spec.gabor = false;
  data.schema = features::AuSchema({1, 12, 17});
  data.rows = rows;
  data.features.resize(rows * kDimension);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(0, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    const float left = random() % 2 == 0 ? uniform(random) : 0, right = random() % every == 0 ? uniform(random) : left;
    const float brow_left = random() % 3 == 0 ? uniform(random) : 0, brow_right = random() % every == 0 ? 0 : brow_left;
    const float chin = random() % 3 == 0 ? uniform(random) : 0;
    features::Landmarks68 face = tests::ShakenFace(seed * 100000 + i, shaken);
    // The subject's left is on the picture's right.
    face[54].x += 2 * left;
    face[54].y -= 1.5F * left;
    face[48].x -= 2 * right;
    face[48].y -= 1.5F * right;
    for (const std::size_t p : {22U, 23U}) face[p].y -= 1.5F * brow_left;
    for (const std::size_t p : {20U, 21U}) face[p].y -= 1.5F * brow_right;
    for (const std::size_t p : {7U, 8U, 9U}) face[p].y -= 2 * chin;
    features::ShapeFeatures(face, std::span(data.features).subspan(i * kDimension, kDimension));
    data.labels.insert(data.labels.end(), {std::max(brow_left, brow_right), std::max(left, right), chin});
    data.left.insert(data.left.end(), {brow_left, left, NAN});
    data.right.insert(data.right.end(), {brow_right, right, NAN});
    data.identity.push_back(static_cast<std::int64_t>(i / 2));
  }
  return data;
}

TrainOptions Options() {
  TrainOptions options = ToyOptions();
  options.side_components = 20;
  options.side_centres = options.half_centres = 40;
  return options;
}

const TrainedModel& Trained() {
  static const TrainedModel trained = TrainAuModel(LopsidedData(600, 1), Options(), {});
  return trained;
}

TEST(Sides, TheStrongerHalfIsFoundInFacesNotSeenBefore) {
  ASSERT_EQ(Trained().report.sides.size(), 2U);
  for (const SideFigure& f : EvaluateSides(Trained().model, LopsidedData(300, 2))) {
    EXPECT_EQ(f.rows, 300U);
    EXPECT_GT(f.differ, 30U);
    EXPECT_GE(static_cast<double>(f.stronger), 0.95 * static_cast<double>(f.differ)) << f.au;
    EXPECT_GT(f.left, f.whole - 0.03) << f.au;
    EXPECT_GT(f.right, f.whole - 0.03) << f.au;
  }
}

// Where nearly all faces are even and landmarks unsteady, "even" is the safest answer to everything. No difference can
// be larger than the face's own intensity.
TEST(Sides, RareDifferencesAreShown) {
  const AuModel model = std::move(TrainAuModel(LopsidedData(900, 10, 8, 1.8F), Options(), {}).model);
  const TrainingData data = LopsidedData(600, 11, 2, 1.8F);
  const auto faces = model.Predict(data.features, data.rows);
  for (std::size_t j = 0; j < 2; ++j) {
    double shown = 0, possible = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      const float wanted = data.left[3 * i + j] - data.right[3 * i + j];
      if (std::abs(wanted) < 3) continue;
      shown += std::copysign(1, wanted) * (faces[i].left[j] - faces[i].right[j]);
      possible += std::min(std::abs(wanted), faces[i].intensity[j]);
    }
    EXPECT_GT(possible, 50);
    EXPECT_GT(shown, 0.75 * possible) << "AU" << data.schema.numbers()[j];
  }
}

TEST(Sides, TheStrongerHalfIsTheFaceAndPresenceIsNeverContradicted) {
  const TrainingData data = LopsidedData(300, 3);
  for (const features::AuEstimate& e : Trained().model.Predict(data.features, data.rows)) {
    ASSERT_EQ(e.left.size(), 3U);
    EXPECT_TRUE(std::isnan(e.left[2]) && std::isnan(e.right[2])) << "AU17 has no sides";
    for (std::size_t j = 0; j < 2; ++j) {
      const float stronger = std::max(e.left[j], e.right[j]);
      EXPECT_EQ(stronger >= 1, e.present[j] != 0);
      if (e.present[j] != 0) {
        EXPECT_EQ(stronger, e.intensity[j]);
      }
      EXPECT_GE(std::min(e.left[j], e.right[j]), 0);
      EXPECT_LE(stronger, 5);
    }
  }
}

TEST(Sides, AMirroredFaceHasThemExchanged) {
  const TrainingData data = LopsidedData(50, 4);
  const std::vector<std::size_t> mirror = features::FeatureExtractor(data.spec).MirrorColumns();
  std::vector<float> mirrored(data.features.size());
  for (std::size_t i = 0; i < data.rows; ++i) {
    for (std::size_t c = 0; c < kDimension; ++c) {
      const std::size_t from = mirror[c] == features::kNoMirrorColumn ? c : mirror[c];
      mirrored[i * kDimension + c] = data.features[i * kDimension + from];
    }
  }
  const auto faces = Trained().model.Predict(data.features, data.rows),
             exchanged = Trained().model.Predict(mirrored, data.rows);
  for (std::size_t i = 0; i < data.rows; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_NEAR(faces[i].left[j], exchanged[i].right[j], 1e-4);
      EXPECT_NEAR(faces[i].right[j], exchanged[i].left[j], 1e-4);
    }
  }
}

TEST(Sides, TheWholeFacesAnswerDoesNotChangeByThem) {
  TrainOptions without = Options();
  without.side_components = 0;
  const AuModel plain = std::move(TrainAuModel(LopsidedData(600, 1), without, {}).model);
  const TrainingData data = LopsidedData(60, 5);
  const auto a = Trained().model.Predict(data.features, data.rows), b = plain.Predict(data.features, data.rows);
  for (std::size_t i = 0; i < data.rows; ++i) {
    EXPECT_EQ(a[i].intensity, b[i].intensity);
    EXPECT_EQ(a[i].probability, b[i].probability);
    EXPECT_TRUE(b[i].left.empty() && b[i].right.empty());
  }
}

TEST(Sides, AFaceGetsTheSameHalvesInAnyBatchAndFromTheFile) {
  const tests::TempDir dir;
  Trained().model.Save(dir / "m.h5");
  const AuModel loaded = AuModel::Load(dir / "m.h5");
  EXPECT_EQ(loaded.info().digest, Trained().model.info().digest);
  const TrainingData data = LopsidedData(37, 6);
  const auto all = Trained().model.Predict(data.features, data.rows);
  for (std::size_t i = 0; i < data.rows; ++i) {
    const auto one = loaded.Predict(std::span(data.features).subspan(i * kDimension, kDimension), 1);
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_EQ(one[0].left[j], all[i].left[j]);
      EXPECT_EQ(one[0].right[j], all[i].right[j]);
    }
  }
}

TEST(Sides, WhatIsNotLabelledIsNotLearnt) {
  TrainingData data = LopsidedData(300, 7);
  for (std::size_t i = 0; i < data.rows; ++i) data.left[3 * i] = data.right[3 * i] = NAN;  // AU1
  const AuModel model = std::move(TrainAuModel(data, Options(), {}).model);
  for (const features::AuEstimate& e : model.Predict(data.features, data.rows)) {
    EXPECT_TRUE(std::isnan(e.left[0]));
    EXPECT_FALSE(std::isnan(e.left[1]));
  }
  data.left.pop_back();
  EXPECT_THROW(TrainAuModel(data, Options(), {}), std::invalid_argument);
}

TEST(Sides, LinearAndEveryLearner) {
  const TrainingData data = LopsidedData(400, 8), other = LopsidedData(100, 9);
  for (const char* learner : {"nystrom", "svm", "ksda"}) {
    TrainOptions options = Options();
    options.learner = learner;
    options.side_centres = 0;
    const AuModel model = std::move(TrainAuModel(data, options, {}).model);
    for (const SideFigure& f : EvaluateSides(model, other))
      EXPECT_GE(static_cast<double>(f.stronger), 0.9 * static_cast<double>(f.differ)) << learner << " AU" << f.au;
  }
}

TEST(Sides, HalvesOfAnIntensity) {
  EXPECT_EQ(HalvesOf(3, 1).left, 3);
  EXPECT_EQ(HalvesOf(3, 1).right, 2);
  EXPECT_EQ(HalvesOf(3, -5).left, 0);
  EXPECT_EQ(HalvesOf(3, -5).right, 3);
  EXPECT_EQ(HalvesOf(0, 0).left, 0);
  EXPECT_LT(HalvesOf(0.2F, 4).left, 1) << "no half is present where the face is not";
  EXPECT_GT(HalvesOf(0.2F, 4).left, HalvesOf(0.2F, 4).right);
}

}  // namespace
}  // namespace auforge::annotator
