#include "annotator/au_model.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>

#include "annotator/internal/au_model_weights.h"
#include "tests/annotator/toy_data.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

const AuModel& ToyModel() {
  static const AuModel model = std::move(TrainAuModel(ShakyData(200, 5), ToyOptions(), {}).model);
  return model;
}

std::string LoadFault(const std::string& path) {
  try {
    AuModel::Load(path);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(AuModel, FileRoundTrip) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  const AuModel loaded = AuModel::Load(dir / "m.h5");
  EXPECT_EQ(loaded.info().digest, ToyModel().info().digest);
  EXPECT_EQ(loaded.info().schema, ToyModel().info().schema);
  EXPECT_EQ(loaded.info().features, ToyModel().info().features);
  const TrainingData data = ToyData(10, 6);
  const auto a = ToyModel().Predict(data.features, 10), b = loaded.Predict(data.features, 10);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(a[i].intensity, b[i].intensity);
}

TEST(AuModel, FileRoundTripOfEveryLearner) {
  const tests::TempDir dir;
  const TrainingData data = ShakyData(200, 5), other = ShakyData(10, 6);
  for (const char* learner : {"nystrom", "svm", "ksda"}) {
    TrainOptions options = ToyOptions();
    options.learner = learner;
    const AuModel model = std::move(TrainAuModel(data, options, {}).model);
    model.Save(dir / "m.h5");
    const AuModel loaded = AuModel::Load(dir / "m.h5");
    const auto a = model.Predict(other.features, 10, nullptr, other.evidence),
               b = loaded.Predict(other.features, 10, nullptr, other.evidence);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(a[i].intensity, b[i].intensity) << learner;
      EXPECT_EQ(a[i].quality, b[i].quality) << learner;
      EXPECT_GT(a[i].quality, 0) << learner;
    }
  }
}

TEST(AuModel, AFaceGetsTheSameAnswerInAnyBatch) {
  const TrainingData data = ShakyData(37, 7);
  const std::size_t d = features::kShapeFeatureCount;
  const auto all = ToyModel().Predict(data.features, 37, nullptr, data.evidence);
  for (std::size_t i = 0; i < 37; ++i) {
    const auto one = ToyModel().Predict(std::span(data.features).subspan(i * d, d), 1, nullptr,
                                        std::span(data.evidence).subspan(i, 1));
    EXPECT_EQ(one[0].quality, all[i].quality) << i;
    EXPECT_EQ(one[0].intensity, all[i].intensity) << i;
    EXPECT_EQ(one[0].probability, all[i].probability) << i;
  }
}

TEST(AuModel, PresenceIntensityAndProbabilityAgree) {
  const TrainingData data = ToyData(200, 8);
  for (const features::AuEstimate& e : ToyModel().Predict(data.features, 200)) {
    for (std::size_t j = 0; j < e.intensity.size(); ++j) {
      EXPECT_GE(e.intensity[j], 0);
      EXPECT_LE(e.intensity[j], 5);
      EXPECT_EQ(e.present[j] != 0, e.intensity[j] >= 1);
      if (std::abs(e.intensity[j] - 1) > 1e-4) {
        EXPECT_EQ(e.probability[j] > 0.5F, e.intensity[j] > 1);
      }
    }
  }
}

TEST(AuModel, RowsOfTheWrongLengthAreRefused) {
  const std::vector<float> row(10);
  EXPECT_THROW(ToyModel().Predict(row, 1), std::invalid_argument);
}

TEST(AuModel, MissingForeignAndTruncatedFilesAreNamed) {
  const tests::TempDir dir;
  EXPECT_NE(LoadFault(dir / "none.h5").find("no such AU model"), std::string::npos);
  tests::WriteText(dir / "text.h5", "hello");
  EXPECT_NE(LoadFault(dir / "text.h5").find("text.h5"), std::string::npos);
  ToyModel().Save(dir / "m.h5");
  const std::string whole = tests::ReadText(dir / "m.h5");
  for (const double part : {0.1, 0.5, 0.9}) {
    tests::WriteText(dir / "cut.h5",
                     whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_NE(LoadFault(dir / "cut.h5"), "accepted") << part;
  }
}

// Changes one float of an uncompressed dataset, or an attribute, in a saved model.
void PatchFloat(const std::string& path, const char* dataset, float value) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  const hsize_t first[2] = {0, 0};
  H5Sselect_elements(space, H5S_SELECT_SET, 1, first);
  const hid_t memory = H5Screate(H5S_SCALAR);
  ASSERT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, &value), 0);
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
}

TEST(AuModel, RefusesNumbersThatAreNone) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  PatchFloat(dir / "m.h5", "/heads/whole/bias", NAN);
  EXPECT_NE(LoadFault(dir / "m.h5").find("not finite"), std::string::npos) << LoadFault(dir / "m.h5");
}

// Finite, but what is predicted would not be.
TEST(AuModel, RefusesAbsurdlyLargeNumbers) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  PatchFloat(dir / "m.h5", "/heads/whole/bias", 1e30F);
  EXPECT_NE(LoadFault(dir / "m.h5").find("absurdly large"), std::string::npos) << LoadFault(dir / "m.h5");
}

TEST(AuModel, RefusesChangedNumbers) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  PatchFloat(dir / "m.h5", "/heads/whole/bias", 0.123F);
  EXPECT_NE(LoadFault(dir / "m.h5").find("checksum"), std::string::npos) << LoadFault(dir / "m.h5");
}

TEST(AuModel, RefusesAnotherVersion) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  const hid_t file = H5Fopen((dir / "m.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(file, "format_version", H5P_DEFAULT);
  const std::int64_t version = 99;
  H5Awrite(attribute, H5T_NATIVE_INT64, &version);
  H5Aclose(attribute);
  H5Fclose(file);
  EXPECT_NE(LoadFault(dir / "m.h5").find("format 99"), std::string::npos);
}

TEST(AuModel, TheDefaultOneLoadsAndKnowsTheGansAus) {
  const AuModel model = AuModel::Load(DefaultAuModelPath());
  for (const int au : features::GanSchema().numbers()) EXPECT_TRUE(model.info().schema.Find(au)) << au;
  EXPECT_LE(std::filesystem::file_size(DefaultAuModelPath()), 12U << 20);
}

}  // namespace
}  // namespace auforge::annotator
