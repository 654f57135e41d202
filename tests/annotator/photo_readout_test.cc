#include "annotator/photo_readout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "annotator/internal/au_model_weights.h"
#include "annotator/metrics.h"
#include "tests/annotator/toy_data.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

const AuModel& Model() {
  static const AuModel model = std::move(TrainAuModel(ToyData(400, 21), ToyOptions(), {}).model);
  return model;
}

// "Photographs": brows stand higher than in renders, and the more so the wider the smile, so that the model takes
// smiles for AU1. AU12 is not labelled.
TrainingData Photographs(std::size_t rows, std::uint64_t seed) {
  TrainingData data = ToyData(0, seed);
  data.rows = rows;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(1, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    const float brows = random() % 4 == 0 ? uniform(random) : 0, smile = random() % 2 == 0 ? uniform(random) : 0;
    features::Landmarks68 face = tests::ShakenFace(seed * 100000 + i, 1.2F);
    for (std::size_t p = 20; p <= 23; ++p) face[p].y -= 1.5F * brows + 1.4F * smile + 1;
    face[48].x -= 2 * smile;
    face[54].x += 2 * smile;
    face[48].y -= 1.2F * smile;
    face[54].y -= 1.2F * smile;
    std::vector<float> row(features::kShapeFeatureCount);
    features::ShapeFeatures(face, row);
    data.features.insert(data.features.end(), row.begin(), row.end());
    data.labels.insert(data.labels.end(), {brows, kUnknown});
    data.identity.push_back(static_cast<std::int64_t>(i));
  }
  return data;
}

AuFigure Judge(const AuModel& model) { return EvaluateAuModel(model, Photographs(300, 91))[0]; }

TEST(PhotoReadout, LearnsFromFewPhotographsWhatRendersDoNotShow) {
  ReadoutOptions options;
  options.most_lost = 0.1;  // brows and smiles are independent in these renders: unlearning their tie costs there
  const Refitted result = RefitOnPhotos(Model(), Photographs(200, 31), options, {});
  const ReadoutFigure& figure = result.figures[0];
  ASSERT_TRUE(figure.refitted) << figure.why;
  const AuFigure before = Judge(Model()), after = Judge(result.model);
  EXPECT_GT(after.auc, before.auc + 0.03) << "before " << before.auc;
  EXPECT_GT(after.f1, before.f1 + 0.15) << "before " << before.f1;
  EXPECT_NEAR(figure.auc_after, after.auc, 0.05) << "people left out in turn tell what to expect";
  EXPECT_NEAR(figure.share, 0.25, 0.08);
}

TEST(PhotoReadout, LosesNoMoreOnRendersThanAllowed) {
  ReadoutOptions strict;
  strict.most_lost = 0.01;
  const Refitted result = RefitOnPhotos(Model(), Photographs(200, 31), strict, {});
  EXPECT_GE(result.figures[0].render_r_after, result.figures[0].render_r_before - 0.01);
  const TrainingData renders = ToyData(300, 77);
  EXPECT_GT(EvaluateAuModel(result.model, renders)[0].auc, EvaluateAuModel(Model(), renders)[0].auc - 0.02);
}

TEST(PhotoReadout, AnAuWithoutPhotographsKeepsItsAnswer) {
  const Refitted result = RefitOnPhotos(Model(), Photographs(120, 32), {}, {});
  EXPECT_FALSE(result.figures[1].refitted);
  EXPECT_NE(result.figures[1].why.find("no photograph"), std::string::npos);
  const TrainingData renders = ToyData(50, 78);
  const auto before = Model().Predict(renders.features, renders.rows),
             after = result.model.Predict(renders.features, renders.rows);
  for (std::size_t i = 0; i < renders.rows; ++i) EXPECT_EQ(before[i].intensity[1], after[i].intensity[1]);
}

TEST(PhotoReadout, OneClassOnlyTeachesNothingAndSaysSo) {
  TrainingData photos = Photographs(60, 33);
  for (std::size_t i = 0; i < photos.rows; ++i) photos.labels[2 * i] = 0;
  const Refitted result = RefitOnPhotos(Model(), photos, {}, {});
  EXPECT_FALSE(result.figures[0].refitted);
  EXPECT_NE(result.figures[0].why.find("0 of 60"), std::string::npos) << result.figures[0].why;
  EXPECT_EQ(result.model.info().digest, Model().info().digest);
}

TEST(PhotoReadout, OfOnePersonScaleAndThresholdsAloneAreFitted) {
  TrainingData photos = Photographs(240, 31);
  ASSERT_FALSE(std::isinf(RefitOnPhotos(Model(), photos, {}, {}).figures[0].strength)) << "of many people weights are fitted";
  for (std::int64_t& person : photos.identity) person = 7;
  std::string said;
  const Refitted result = RefitOnPhotos(Model(), photos, {}, [&said](const std::string& line) { said += line + "\n"; });
  ASSERT_TRUE(result.figures[0].refitted);
  EXPECT_TRUE(std::isinf(result.figures[0].strength));
  EXPECT_NE(said.find("of too few people"), std::string::npos) << said;
  EXPECT_GT(Judge(result.model).f1, Judge(Model()).f1 - 0.02);
  // Two people, of whom one alone shows it.
  for (std::size_t i = 0; i < photos.rows; ++i) photos.identity[i] = photos.labels[2 * i] >= 1 ? 1 : 2;
  EXPECT_TRUE(RefitOnPhotos(Model(), photos, {}, {}).figures[0].refitted);
}

TEST(PhotoReadout, IsSavedAndRefittedAgain) {
  const tests::TempDir dir;
  const Refitted once = RefitOnPhotos(Model(), Photographs(200, 31), {}, {});
  once.model.Save(dir / "once.h5");
  const AuModel loaded = AuModel::Load(dir / "once.h5");
  EXPECT_EQ(loaded.info().digest, once.model.info().digest);
  const TrainingData judge = Photographs(40, 92);
  const auto a = once.model.Predict(judge.features, judge.rows), b = loaded.Predict(judge.features, judge.rows);
  for (std::size_t i = 0; i < judge.rows; ++i) EXPECT_EQ(a[i].intensity, b[i].intensity);
  // What was learnt once is where the next photographs begin.
  const Refitted twice = RefitOnPhotos(loaded, Photographs(200, 34), {}, {});
  EXPECT_GT(Judge(twice.model).auc, Judge(once.model).auc - 0.02);
}

TEST(PhotoReadout, DoesNotDependOnTheBatch) {
  const AuModel model = std::move(RefitOnPhotos(Model(), Photographs(100, 35), {}, {}).model);
  const TrainingData rows = Photographs(9, 93);
  const auto together = model.Predict(rows.features, rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const auto alone =
        model.Predict(std::span(rows.features).subspan(i * features::kShapeFeatureCount, features::kShapeFeatureCount), 1);
    EXPECT_EQ(alone[0].intensity, together[i].intensity);
  }
}

TEST(PhotoReadout, RefusesWhatDoesNotFit) {
  TrainingData photos = Photographs(30, 36);
  photos.features.pop_back();
  EXPECT_THROW(RefitOnPhotos(Model(), photos, {}, {}), std::invalid_argument);
  ReadoutOptions options;
  options.folds = 1;
  EXPECT_THROW(RefitOnPhotos(Model(), Photographs(30, 36), options, {}), std::invalid_argument);
  auto weights = std::make_unique<AuModel::Weights>(Model().weights());
  weights->moments = {};
  EXPECT_THROW(RefitOnPhotos(AuModel(std::move(weights)), Photographs(30, 36), {}, {}), std::invalid_argument);
}

TEST(PhotoReadout, MomentsAreThoseOfTheRows) {
  const std::vector<float> rows{1, 2, 3, 6, 5, 4}, labels{0, kUnknown, 4};
  const RenderMoments m = MomentsOf(rows, labels, 3, 2, 1);
  EXPECT_FLOAT_EQ(m.mean[0], 3);
  EXPECT_FLOAT_EQ(m.mean[1], 4);
  EXPECT_FLOAT_EQ(m.covariance[0], 8.0F / 3);
  EXPECT_FLOAT_EQ(m.covariance[1], m.covariance[2]);
  EXPECT_FLOAT_EQ(m.label_deviation[0], 2);
  EXPECT_FLOAT_EQ(m.cross[0], ((0 - 2) * (1 - 3) + (4 - 2) * (5 - 3)) / 2.0F);
}

}  // namespace
}  // namespace auforge::annotator
