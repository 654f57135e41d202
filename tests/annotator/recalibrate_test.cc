#include "annotator/recalibrate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/annotator/toy_data.h"

namespace auforge::annotator {
namespace {

const AuModel& Model() {
  static const AuModel model = std::move(TrainAuModel(ToyData(300, 21), ToyOptions(), {}).model);
  return model;
}

const AuShift& ShiftOf(const Recalibrated& result, int au) {
  for (const AuShift& s : result.shifts) {
    if (s.au == au) return s;
  }
  throw std::out_of_range("no such AU");
}

// Faces whose brows always stand `lift` higher: another landmarker, another people.
TrainingData Shifted(std::size_t rows, std::uint64_t seed, float lift, bool with_expressions) {
  TrainingData data = ToyData(0, seed);
  data.rows = rows;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(1, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    const float brows = with_expressions && i % 6 == 0 ? uniform(random) : 0;
    features::Landmarks68 face = tests::ShakenFace(seed * 100000 + i, 0.8F);
    for (std::size_t p = 20; p <= 23; ++p) face[p].y -= 1.5F * brows + lift;
    std::vector<float> row(features::kShapeFeatureCount);
    features::ShapeFeatures(face, row);
    data.features.insert(data.features.end(), row.begin(), row.end());
    data.labels.insert(data.labels.end(), {brows, 0});
    data.identity.push_back(static_cast<std::int64_t>(i));
  }
  return data;
}

TEST(Recalibrate, UnlabelledPicturesSetWhatIsUsual) {
  // Brows that stand 3 pixels higher read as AU1 in most faces; after calibration only real movement does.
  const TrainingData crawl = Shifted(300, 5, 3, true);
  RecalibrateOptions options;
  options.keep = {12};
  const Recalibrated result = RecalibrateOnUnlabelled(Model(), crawl.features, crawl.rows, options);
  const AuShift& shift = ShiftOf(result, 1);
  EXPECT_GT(shift.present_before, 0.5);
  EXPECT_NEAR(shift.present_after, 1.0 / 6, 0.08);
  const AuFigure before = EvaluateAuModel(Model(), crawl)[0], after = EvaluateAuModel(result.model, crawl)[0];
  EXPECT_GT(after.f1, before.f1 + 0.2);
  EXPECT_LT(after.mae, before.mae);
  EXPECT_EQ(ShiftOf(result, 12).threshold_after, ShiftOf(result, 12).threshold_before) << "kept";
  EXPECT_NE(result.model.info().digest, Model().info().digest);
}

TEST(Recalibrate, LabelsSetThresholdsOfTheBestF1) {
  TrainingData labelled = Shifted(300, 6, 3, true);
  const Recalibrated result = RecalibrateOnLabels(Model(), labelled);
  EXPECT_GT(EvaluateAuModel(result.model, labelled)[0].f1, EvaluateAuModel(Model(), labelled)[0].f1 + 0.2);
  // AU12 has no active face in these labels: it stays as it was.
  EXPECT_EQ(ShiftOf(result, 12).threshold_after, ShiftOf(result, 12).threshold_before);
}

TEST(Recalibrate, APersonsRestingFaceReadsAsRest) {
  const TrainingData at_rest = Shifted(5, 7, 3, false), moved = Shifted(60, 8, 3, true);
  const Recalibrated result = RecalibrateToNeutral(Model(), at_rest.features, at_rest.rows);
  std::size_t wrong_before = 0, wrong_after = 0;
  const auto before = Model().Predict(moved.features, moved.rows),
             after = result.model.Predict(moved.features, moved.rows);
  for (std::size_t i = 0; i < moved.rows; ++i) {
    const bool truth = moved.labels[2 * i] >= 1;
    wrong_before += (before[i].present[0] != 0) != truth;
    wrong_after += (after[i].present[0] != 0) != truth;
  }
  EXPECT_GT(wrong_before, 20U);
  EXPECT_LT(wrong_after, 8U);
}

TEST(Recalibrate, RefusesTooLittle) {
  const TrainingData few = Shifted(5, 9, 0, false);
  EXPECT_THROW(RecalibrateOnUnlabelled(Model(), few.features, few.rows, {}), std::invalid_argument);
  EXPECT_THROW(RecalibrateToNeutral(Model(), {}, 0), std::invalid_argument);
  RecalibrateOptions bad;
  bad.k = 0;
  EXPECT_THROW(bad.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::annotator
