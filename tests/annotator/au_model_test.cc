#include "annotator/au_model.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/half_rows.h"
#include "annotator/learnt_net_file.h"
#include "datasets/storage/hdf5_file.h"
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

// The file carries the net: the digest names it, and what is read back answers with the same bits.
TEST(AuModel, FileRoundTripWithALearntNet) {
  const tests::TempDir dir;
  const TrainingData data = LearntData(200, 5), other = LearntData(10, 6);
  const AuModel model = std::move(TrainAuModel(data, ToyOptions(), {}).model);
  model.Save(dir / "m.h5");
  const AuModel loaded = AuModel::Load(dir / "m.h5");
  ASSERT_NE(loaded.info().features.net, nullptr);
  EXPECT_EQ(loaded.info().features, data.spec);
  EXPECT_EQ(loaded.info().digest, model.info().digest);
  const auto a = model.Predict(other.features, 10), b = loaded.Predict(other.features, 10);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(a[i].intensity, b[i].intensity);
  TrainOptions learnt_only = ToyOptions();
  learnt_only.blocks = {"learnt"};
  const auto report = TrainAuModel(data, learnt_only, {}).report;
  for (const AuFigure& f : report.test) EXPECT_GT(f.r, 0.5) << "AU" << f.au;
}

std::string WithPatchedNet(const std::string& path, std::size_t byte) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "/learnt_net", H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  H5Dread(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  bytes.at(byte) ^= 1U;
  H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return LoadFault(path);
}

TEST(AuModel, RefusesADamagedOrMissingNet) {
  const tests::TempDir dir;
  const AuModel model = std::move(TrainAuModel(LearntData(200, 5), ToyOptions(), {}).model);
  model.Save(dir / "m.h5");
  EXPECT_NE(WithPatchedNet(dir / "m.h5", 50).find("m.h5: /learnt_net: damaged learnt net"), std::string::npos);
  model.Save(dir / "m.h5");
  const hid_t file = H5Fopen((dir / "m.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/learnt_net", H5P_DEFAULT);
  H5Fclose(file);
  EXPECT_NE(LoadFault(dir / "m.h5").find("wants the learnt net"), std::string::npos) << LoadFault(dir / "m.h5");
}

// Half the room for what fills a model; the learners have met the rounded numbers, so nothing is lost on the way.
TEST(AuModel, ProjectionsAndCentresAreStoredAsHalves) {
  const tests::TempDir dir;
  ToyModel().Save(dir / "m.h5");
  const datasets::storage::Hdf5Reader file(dir / "m.h5");
  for (const char* name : {"/heads/whole/centres", "/heads/whole/shape/projection"})
    EXPECT_TRUE(file.Stores<datasets::storage::Half>(name)) << name;
  EXPECT_EQ(file.ReadInteger("/", "format_version"), 4);
}

// Models of older formats keep their numbers, their digest and, saved again, their format.
TEST(AuModel, OlderFormatsKeepEveryBit) {
  const tests::TempDir dir;
  auto weights = std::make_unique<AuModel::Weights>(ToyModel().weights());
  weights->has_halves = false;
  for (float& v : weights->heads[0].centres) v *= 1.0001F;
  const AuModel old(std::move(weights));
  EXPECT_NE(old.info().digest, ToyModel().info().digest);
  old.Save(dir / "old.h5");
  const AuModel loaded = AuModel::Load(dir / "old.h5");
  EXPECT_EQ(loaded.info().digest, old.info().digest);
  EXPECT_EQ(loaded.weights().heads[0].centres, old.weights().heads[0].centres);
  loaded.Save(dir / "again.h5");
  EXPECT_EQ(tests::ReadText(dir / "again.h5"), tests::ReadText(dir / "old.h5"));
  EXPECT_EQ(datasets::storage::Hdf5Reader(dir / "old.h5").ReadInteger("/", "format_version"), 3);
}

// Points of another landmarker mean something else: the file says whose it has learnt from, in a format that programs
// which do not look at it refuse; models of dlib's stay as they were.
TEST(AuModel, NamesTheLandmarkerThatItHasLearntFrom) {
  const tests::TempDir dir;
  TrainingData data = ShakyData(200, 5);
  EXPECT_EQ(ToyModel().info().landmarker, "dlib");
  ToyModel().Save(dir / "dlib.h5");
  EXPECT_EQ(LandmarkerOfModel(dir / "dlib.h5"), "dlib");
  EXPECT_EQ(datasets::storage::Hdf5Reader(dir / "dlib.h5").ReadInteger("/", "format_version"), 4);
  data.landmarker = "auforge-0123456789abcdef";
  const AuModel model = std::move(TrainAuModel(data, ToyOptions(), {}).model);
  model.Save(dir / "nets.h5");
  EXPECT_EQ(datasets::storage::Hdf5Reader(dir / "nets.h5").ReadInteger("/", "format_version"), 5);
  const AuModel loaded = AuModel::Load(dir / "nets.h5");
  EXPECT_EQ(loaded.info().landmarker, data.landmarker);
  EXPECT_EQ(LandmarkerOfModel(dir / "nets.h5"), data.landmarker);
  EXPECT_EQ(loaded.info().digest, model.info().digest);
  EXPECT_NE(loaded.info().digest, ToyModel().info().digest) << "whose points belongs to what the model is";
  EXPECT_EQ(LandmarkerOfModel(dir / "gone.h5"), "dlib");
}

TEST(HalfRows, KeepElevenBitsOfEveryMagnitudeAndTwiceIsOnce) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  constexpr std::size_t kWidth = 50;
  for (int row = 0; row < 400; ++row) {
    for (std::size_t i = 0; i < kWidth; ++i) values.push_back(std::ldexp(normal(random), row % 100 - 70));
  }
  values[7] = 0;
  values[0] = 1.99999F * std::ldexp(1.0F, -60);  // rounds up to the next binade, with numbers of all sizes beside it
  for (std::size_t i = 1; i < kWidth; ++i) values[i] = 1.2345F * std::ldexp(1.0F, -60 - static_cast<int>(i));
  std::vector<float> once = values;
  RoundHalfRows(once, kWidth);
  for (std::size_t i = kWidth; i < values.size(); ++i) {
    const float row_most = std::ldexp(1.0F, static_cast<int>(i / kWidth) % 100 - 70);
    EXPECT_NEAR(once[i], values[i], std::abs(values[i]) / 2048 + row_most * 1e-8F) << i;
  }
  std::vector<float> twice = once;
  RoundHalfRows(twice, kWidth);
  EXPECT_EQ(twice, once);
  std::vector<float> zeros(kWidth), before = zeros;
  RoundHalfRows(zeros, kWidth);
  EXPECT_EQ(zeros, before);
}

TEST(LearntNetFile, RoundTripAndFaults) {
  const tests::TempDir dir;
  const auto net = features::LearntNet::FromWeights(tests::RandomNet({32, 8, 2, {{16, 2}}}, 3));
  SaveLearntNet(net, dir / "a.net");
  EXPECT_EQ(LoadLearntNet(dir / "a.net")->digest(), net.digest());
  const auto fault = [](const std::string& path) {
    try {
      LoadLearntNet(path);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(fault(dir / "none.net").find("none.net"), std::string::npos);
  tests::WriteText(dir / "b.net", "hello, no net at all");
  EXPECT_NE(fault(dir / "b.net").find("b.net: damaged learnt net: is not a learnt net"), std::string::npos);
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
