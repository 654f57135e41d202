// The imported face model, its file, and the Action Units made of its shapes.
#include "datasets/synthetic/face_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/synthetic/au_shapes.h"
#include "features/align.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string LoadError(const std::string& path) {
  try {
    FaceModel::Load(path);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(FaceModel, SavedAndLoadedItIsTheSameToAQuantum) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  EXPECT_EQ(model.VertexCount(), 26719U);
  EXPECT_EQ(model.identities.size(), 100U);
  const tests::TempDir dir;
  model.Save(dir / "face.h5");
  EXPECT_LE(fs::file_size(dir / "face.h5"), 6'000'000U);
  const FaceModel loaded = FaceModel::Load(dir / "face.h5");
  ASSERT_EQ(loaded.expression_names, model.expression_names);
  ASSERT_EQ(loaded.triangles.size(), model.triangles.size());
  for (std::size_t s = 0; s < model.expressions.size(); s += 9) {
    for (std::size_t v = 0; v < model.VertexCount(); v += 101) {
      EXPECT_LE(Length(loaded.expressions[s][v] - model.expressions[s][v]), 0.002F);
    }
  }
}

TEST(FaceModel, RefusesDamageWithTheReason) {
  AUFORGE_NEEDS_FACE_MODEL();
  const tests::TempDir dir;
  ImportedModel()->Save(dir / "face.h5");
  const std::string bytes = storage::ReadFile(dir / "face.h5");
  tests::WriteText(dir / "cut.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(LoadError(dir / "cut.h5"), HasSubstr("cut.h5"));
  tests::WriteText(dir / "text.h5", "hello");
  EXPECT_THAT(LoadError(dir / "text.h5"), HasSubstr("text.h5"));
  EXPECT_THAT(LoadError(dir / "absent.h5"), HasSubstr("absent.h5"));
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
  tests::WriteText(dir / "flipped.h5", flipped);
  EXPECT_THAT(LoadError(dir / "flipped.h5"), HasSubstr("flipped.h5"));
  FaceModel broken = *ImportedModel();
  broken.neutral[5].x = NAN;
  broken.Save(dir / "nan.h5");
  EXPECT_THAT(LoadError(dir / "nan.h5"), HasSubstr("nan.h5"));
}

TEST(FaceModel, RefusesAnotherVersionByItsNumber) {
  const tests::TempDir dir;
  storage::Hdf5Writer file(dir / "new.h5");
  file.WriteAttribute("/", "format", std::string("auforge-face-model"));
  file.WriteAttribute("/", "format_version", std::int64_t{99});
  file.Close();
  const std::string error = LoadError(dir / "new.h5");
  EXPECT_THAT(error, HasSubstr("new.h5"));
  EXPECT_THAT(error, HasSubstr("99"));
  EXPECT_THAT(error, HasSubstr("import-model")) << "says what to do";
}

TEST(FaceModel, ImportNamesTheFileThatIsMissing) {
  const tests::TempDir dir;
  try {
    FaceModel::ImportObjFolder(dir.path().string(), {});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("generic_neutral_mesh.obj"));
  }
}

TEST(FaceModel, ImportNamesTheFileThatIsMalformed) {
  const tests::TempDir dir;
  for (const char* text : {"v 1 2 three\n", "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 9/1\n", "\0\0\0\0", ""}) {
    tests::WriteText(dir / "generic_neutral_mesh.obj", text);
    try {
      FaceModel::ImportObjFolder(dir.path().string(), {});
      FAIL() << text;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(".obj")) << text;
    }
  }
}

std::vector<Vec3> Landmarks(const FaceModel& model, const std::vector<float>& weights) {
  return model.EvaluateAt(LandmarkVertices(), {}, weights);
}

TEST(AuShapes, EveryAuMovesItsLandmarksMonotonically) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const AuShapes shapes(model);
  const std::vector<Vec3> neutral = Landmarks(model, std::vector<float>(model.expressions.size(), 0.0F));
  for (const int au : features::CatalogueSchema().numbers()) {
    float before = 0;
    for (int level = 1; level <= 10; ++level) {
      const std::vector<Vec3> points = Landmarks(model, shapes.Weights(shapes.Single(au, 0.5F * static_cast<float>(level)), 1));
      float moved = 0;
      for (std::size_t i = 0; i < points.size(); ++i) moved += Length(points[i] - neutral[i]);
      EXPECT_GT(moved, before) << "AU" << au << " at " << 0.5 * level;
      before = moved;
    }
    EXPECT_GT(before, 0.3F) << "AU" << au << " moves next to nothing at its maximum";
  }
}

TEST(AuShapes, TheMotionIsMonotoneInPicturesFromFiveSides) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const AuShapes shapes(model);
  for (const features::HeadPose pose : {features::HeadPose{0, 0, 0}, {30, 0, 0}, {-55, 0, 0}, {12, 20, 0}, {-15, -18, 12}}) {
    Camera camera;
    camera.view_from_model = RotationOf(pose);
    const auto project = [&](int au, float intensity) {
      features::Landmarks68 points;
      const std::vector<Vec3> shape = Landmarks(model, shapes.Weights(shapes.Single(au, intensity), 1));
      for (std::size_t i = 0; i < points.size(); ++i) points[i] = camera.Project(camera.View(shape[i]));
      return points;
    };
    for (const int au : features::CatalogueSchema().numbers()) {
      const features::Landmarks68 neutral = project(au, 0);
      float before = 0;
      for (int level = 1; level <= 5; ++level) {
        const features::Landmarks68 points = project(au, static_cast<float>(level));
        float moved = 0;
        for (std::size_t i = 0; i < points.size(); ++i) moved += features::Distance(points[i], neutral[i]);
        EXPECT_GT(moved, before) << "AU" << au << " at " << level << ", yaw " << pose.yaw << ", pitch " << pose.pitch;
        before = moved;
      }
    }
  }
}

TEST(AuShapes, MusclesPullWhereTheyShould) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const AuShapes shapes(model);
  const std::vector<Vec3> neutral = Landmarks(model, std::vector<float>(model.expressions.size(), 0.0F));
  const auto moved = [&](int au, std::size_t landmark) { return Landmarks(model, shapes.Weights(shapes.Single(au, 5), 1))[landmark] - neutral[landmark]; };
  EXPECT_GT(moved(1, 21).y, 0.2F) << "inner brow up";
  EXPECT_GT(moved(2, 18).y, 0.2F) << "outer brow up";
  EXPECT_LT(moved(4, 21).y, -0.1F) << "brow down";
  EXPECT_GT(moved(5, 37).y, 0.05F) << "upper lid up";
  EXPECT_LT(moved(45, 37).y, -0.3F) << "upper lid down";
  EXPECT_GT(moved(10, 51).y, 0.1F) << "upper lip up";
  EXPECT_GT(moved(12, 54).y, 0.2F) << "lip corner up";
  EXPECT_GT(moved(12, 54).x, 0.2F) << "lip corner outwards";
  EXPECT_LT(moved(15, 54).y, -0.1F) << "lip corner down";
  EXPECT_LT(moved(16, 57).y, -0.1F) << "lower lip down";
  EXPECT_GT(moved(17, 57).y, 0.05F) << "chin boss pushes the lower lip up";
  EXPECT_LT(moved(18, 54).x, -0.2F) << "lip corners together";
  // A lip tightener narrows the mouth, thins its red and opens nothing.
  EXPECT_LT(moved(23, 54).x, -0.05F);
  EXPECT_LT(moved(23, 51).y - moved(23, 57).y, -0.03F) << "lips thinner";
  EXPECT_GT(moved(20, 54).x, 0.2F) << "lip corners apart";
  EXPECT_LT(moved(26, 8).y, -0.5F) << "jaw down";
}

TEST(AuShapes, AOneSidedAuLeavesTheOtherHalfInPlace) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const AuShapes shapes(model);
  const std::vector<Vec3> neutral = Landmarks(model, std::vector<float>(model.expressions.size(), 0.0F));
  for (const int au : {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 20, 45}) {
    Expression expression = shapes.Single(au, 5);
    std::fill(expression.right.begin(), expression.right.end(), 0.0F);  // the subject's left half alone
    const std::vector<Vec3> points = Landmarks(model, shapes.Weights(expression, 1));
    float left = 0, right = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const float d = Length(points[i] - neutral[i]);
      // Within 2 cm of the middle both halves hang on the same tissue.
      if (neutral[i].x > 1) left = std::max(left, d);
      if (neutral[i].x < -2) right = std::max(right, d);
    }
    EXPECT_GT(left, 0.08F) << "AU" << au;
    EXPECT_LT(right, 0.12F * left + 0.02F) << "AU" << au;
  }
}

TEST(AuShapes, PartedLipsAreMeasured) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const AuShapes shapes(model);
  const std::vector<Vec3> neutral = Landmarks(model, std::vector<float>(model.expressions.size(), 0.0F));
  EXPECT_EQ(shapes.LipsPart(neutral, neutral), 0);
  float before = 0;
  for (const float jaw : {1.0F, 2.0F, 3.5F, 5.0F}) {
    const float part = shapes.LipsPart(Landmarks(model, shapes.Weights(shapes.Single(26, jaw), 1)), neutral);
    EXPECT_GE(part, before);
    before = part;
  }
  EXPECT_GT(before, 4);
  // As a shape of its own, AU25 parts the lips by about what it says.
  for (const float level : {1.0F, 2.0F, 3.0F, 4.0F, 5.0F}) {
    const float part = shapes.LipsPart(Landmarks(model, shapes.Weights(shapes.Single(25, level), 1)), neutral);
    EXPECT_NEAR(part, level, 0.5F);
  }
}

TEST(SampleExpression, ShowsEveryAuAndTiesNone) {
  const std::size_t n = features::CatalogueSchema().size();
  constexpr int kSamples = 8000;
  std::vector<double> active(n, 0);
  std::vector<double> both(n * n, 0);
  for (int i = 0; i < kSamples; ++i) {
    Random random(4, static_cast<std::uint64_t>(i));
    const std::vector<float> labels = SampleExpression(random).Labels();
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_TRUE(labels[j] >= 0 && labels[j] <= 5);
      active[j] += labels[j] >= 1;
      for (std::size_t k = 0; k < n; ++k) both[j * n + k] += labels[j] >= 1 && labels[k] >= 1;
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    const int au = features::CatalogueSchema().numbers()[j];
    if (au == 25) continue;  // measured on the shape
    EXPECT_GT(active[j] / kSamples, 0.03) << "AU" << au;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == j) continue;
      EXPECT_LT(both[j * n + k], 0.9 * active[j]) << "AU" << au << " always with AU" << features::CatalogueSchema().numbers()[k];
    }
  }
}

}  // namespace
}  // namespace auforge::datasets::synthetic
