// Pairs of photographs and their edits, of drawn people.
#include "tools/gan/photo_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <opencv2/core.hpp>

#include "annotator/emotions.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/synthetic/cg_generator.h"
#include "features/align.h"
#include "gan/face_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/synthetic/imported_model.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

// Shards as of annotate, one for each entry of `faces`, of so many drawn people; the last face of each is of low quality.
void WritePhotographs(const std::string& folder, const std::vector<int>& faces, const features::AuSchema& schema = features::CatalogueSchema()) {
  const synthetic::FaceModel& model = *synthetic::ImportedModel();
  static const synthetic::CgGenerator generator(model, synthetic::ImportedRenderer(), [] {
    synthetic::CgOptions options;
    options.size = 256;
    return options;
  }());
  const synthetic::AuShapes shapes(model);
  std::uint64_t person = 7;
  for (std::size_t number = 0; number < faces.size(); ++number) {
    datasets::ShardHeader header;
    header.schema = schema;
    header.model_digest = "m";
    header.detector = "auforge";
    header.landmarker = "auforge";
    header.config_digest = "c" + std::to_string(number);
    header.source = "photos";
    header.emotion_names = annotator::EmotionNames();
    datasets::ShardWriter writer(folder, static_cast<int>(number), header);
    for (int i = 0; i < faces[number]; ++i) {
      const synthetic::SyntheticFace drawn = generator.Draw(person++, 0.5F, shapes.Single(i % 2 == 0 ? 12 : 4, 3), {});
      datasets::FaceRecord face;
      datasets::SampleRecord sample;
      sample.key = "p" + std::to_string(i);
      sample.width = sample.height = 256;
      sample.licence = "CC0";
      face.sample = writer.AddSample(sample);
      const features::AlignedFace aligned = features::AlignFace(drawn.image, drawn.landmarks, {.size = 160});
      face.image = datasets::EncodeJpeg(aligned.crop, 95);
      face.landmarks = drawn.landmarks;
      face.crop_from_image = aligned.crop_from_image;
      face.box = {80, 90, 100, 100};
      for (const int au : schema.numbers()) {
        face.aus.intensity.push_back(drawn.au[*features::CatalogueSchema().Find(au)]);
        face.aus.present.push_back(face.aus.intensity.back() >= 1 ? 1 : 0);
        face.aus.probability.push_back(face.aus.present.back());
      }
      face.aus.quality = i + 1 == faces[number] ? 0.1F : 0.9F;
      writer.AddFace(std::move(face));
    }
    writer.Finish();
  }
}

class PhotoPairs : public testing::Test {
 protected:
  void SetUp() override {
    if (synthetic::ImportedModel() == nullptr) GTEST_SKIP() << "AUFORGE_DATA has no face model";
    setenv("SOURCE_DATE_EPOCH", "1", 1);
  }
  void TearDown() override { unsetenv("SOURCE_DATE_EPOCH"); }

  PhotoPairsOptions Options(const std::string& output) const {
    PhotoPairsOptions options;
    options.shards = {dir_ / "photos"};
    options.output = dir_ / output;
    options.image_size = 64;
    options.scenes = 2;
    return options;
  }
  static PhotoPairsSummary Write(const PhotoPairsOptions& options, const std::function<bool()>& stop = {}) {
    static const warp::FaceWarper warper(*synthetic::ImportedModel());
    return WritePhotoPairs(options, warper, "model", {}, stop);
  }
  std::string Bytes(const std::string& folder, int shard) const {
    return datasets::storage::ReadFile(dir_ / (folder + "/" + datasets::ShardFileName(shard)));
  }
  const tests::TempDir dir_;
};

TEST_F(PhotoPairs, EveryFaceAsItIsBesideItsEdits) {
  WritePhotographs(dir_ / "photos", {3});
  const PhotoPairsSummary summary = Write(Options("pairs"));
  EXPECT_EQ(summary.faces, 2U);
  EXPECT_EQ(summary.left_out, 1U) << "of low quality";
  EXPECT_EQ(summary.pictures, 8U);
  const datasets::ShardReader photos(dir_ / "photos/00000.h5"), pairs(dir_ / "pairs/00000.h5");
  EXPECT_THAT(datasets::VerifyShard(pairs.path()), testing::IsEmpty());
  EXPECT_EQ(pairs.header().model_digest, "m") << "who told the photographs' labels";
  ASSERT_EQ(pairs.FaceCount(), 8U);
  EXPECT_EQ(pairs.Extra("/synthetic/pair")->values, (std::vector<float>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(pairs.ExtraText("/synthetic/source")->values,
            (std::vector<std::string>{"p0", "p0", "p0", "p0", "p1", "p1", "p1", "p1"})) << "one photograph, one person";
  for (std::size_t i = 0; i < 8; i += 2) {
    const std::vector<float> own = photos.Face(i / 4).aus.intensity;
    const datasets::FaceRecord before = pairs.Face(i), after = pairs.Face(i + 1);
    EXPECT_EQ(before.aus.intensity, own);
    EXPECT_NE(after.aus.intensity, own);
    for (const int au : {16, 18, 22, 24, 28}) {  // of which the generator is not told
      const std::size_t j = *features::CatalogueSchema().Find(au);
      EXPECT_EQ(after.aus.intensity[j], own[j]) << au;
    }
    const cv::Mat picture = datasets::DecodeImage(pairs.FaceImage(i), {}).bgr, edit = datasets::DecodeImage(pairs.FaceImage(i + 1), {}).bgr;
    ASSERT_EQ(picture.size(), cv::Size(64, 64));
    EXPECT_GT(cv::norm(picture, edit, cv::NORM_INF), 20) << "something moves";
    // The same crop: background and hair stay.
    EXPECT_LT(cv::norm(picture.rowRange(0, 6), edit.rowRange(0, 6), cv::NORM_L1) / (6 * 64 * 3), 3);
    const auto& sample = pairs.Sample(static_cast<std::size_t>(after.sample));
    EXPECT_EQ(sample.licence, "CC0");
    EXPECT_EQ(sample.key, "p" + std::to_string(i / 4) + "-0-" + std::to_string(i / 2 % 2) + "-1");
    // Of the picture as it stands in the shard.
    const features::Landmarks68 exact = features::Transform(photos.CropFromImage(i / 4), photos.Landmarks(i / 4));
    for (const std::size_t p : {36U, 45U, 30U}) {
      EXPECT_LT(std::hypot(before.landmarks[p].x - exact[p].x * 0.4F, before.landmarks[p].y - exact[p].y * 0.4F), 4) << p;
    }
  }
  // What they are for.
  gan::FaceDatasetOptions training;
  training.image_size = 64;
  training.pairs = {dir_ / "pairs"};
  const gan::FaceDataset data({}, training);
  EXPECT_EQ(data.size(), 8U);
  EXPECT_THAT(data.Partners(0), testing::ElementsAre(1U));
}

TEST_F(PhotoPairs, HalvesThatRiseApart) {
  WritePhotographs(dir_ / "photos", {6});
  PhotoPairsOptions options = Options("uneven");
  options.one_sided = 1;
  options.scenes = 6;
  Write(options);
  const datasets::ShardReader pairs(dir_ / "uneven/00000.h5");
  EXPECT_THAT(datasets::VerifyShard(pairs.path()), testing::IsEmpty());
  const auto left = pairs.Extra("/synthetic/au_left"), right = pairs.Extra("/synthetic/au_right");
  ASSERT_TRUE(left && right);
  const std::size_t aus = features::CatalogueSchema().size();
  ASSERT_EQ(left->values.size(), pairs.FaceCount() * aus);
  int apart = 0, of_left = 0;
  for (std::size_t i = 0; i < left->values.size(); ++i) {
    if (std::isnan(left->values[i])) {
      const std::size_t scene = i / aus / 2 * 2;
      ASSERT_EQ(pairs.AuIntensity()[i], pairs.AuIntensity()[scene * aus + i % aus]) << "an AU left alone, of a shard without halves";
      continue;
    }
    ASSERT_EQ(std::max(left->values[i], right->values[i]), pairs.AuIntensity()[i]) << "the stronger half";
    if (left->values[i] == right->values[i]) continue;
    ++apart;
    of_left += left->values[i] > right->values[i] ? 1 : 0;
    EXPECT_TRUE(features::AuHasSides(features::CatalogueSchema().numbers()[i % aus]));
  }
  EXPECT_GT(apart, 20);
  EXPECT_NEAR(of_left, apart / 2, apart / 4);
  options.one_sided = 0.5;
  EXPECT_THROW(Write(options), BadInputError) << "other pairs than the folder's";
  EXPECT_FALSE(datasets::ShardReader((Write(Options("even")), dir_ / "even/00000.h5")).Extra("/synthetic/au_left")) << "as the shard has it";
}

TEST_F(PhotoPairs, SameBytesWithAnyNumberOfThreadsAndAfterAStop) {
  WritePhotographs(dir_ / "photos", {3, 2});
  PhotoPairsOptions one = Options("one"), three = Options("three"), stopped = Options("stopped");
  three.jobs = 3;
  Write(one);
  Write(three);
  int polls = 0;
  EXPECT_TRUE(Write(stopped, [&polls] { return ++polls > 3; }).stopped);
  EXPECT_TRUE(datasets::ShardIsDone(stopped.output, 0));
  EXPECT_FALSE(datasets::ShardIsDone(stopped.output, 1));
  const PhotoPairsSummary rest = Write(stopped);
  EXPECT_EQ(rest.shards_skipped, 1U);
  EXPECT_EQ(rest.shards_written, 1U);
  for (const int shard : {0, 1}) {
    EXPECT_EQ(Bytes("one", shard), Bytes("three", shard));
    EXPECT_EQ(Bytes("one", shard), Bytes("stopped", shard));
  }
  PhotoPairsOptions other = one;
  other.seed = 2;
  EXPECT_THROW(Write(other), BadInputError) << "another folder, or the same options";
}

TEST_F(PhotoPairs, ManyPicturesAreCutIntoShards) {
  WritePhotographs(dir_ / "photos", {3, 4});
  PhotoPairsOptions whole = Options("whole"), cut = Options("cut");
  cut.shard_pictures = 9;  // of two faces, four pictures each
  EXPECT_EQ(Write(whole).shards_written, 2U);
  int polls = 0;
  EXPECT_TRUE(Write(cut, [&polls] { return ++polls > 6; }).stopped);
  const PhotoPairsSummary rest = Write(cut);
  EXPECT_GE(rest.shards_skipped, 1U);
  EXPECT_EQ(rest.shards_skipped + rest.shards_written, 3U) << "of two faces; of two of three, and of the third";
  std::vector<std::string> keys, cut_keys;
  std::vector<std::vector<std::uint8_t>> pictures, cut_pictures;
  const auto read = [this](const std::string& folder, int shards, auto& names, auto& images) {
    for (int shard = 0; shard < shards; ++shard) {
      const datasets::ShardReader reader(dir_ / (folder + "/" + datasets::ShardFileName(shard)));
      EXPECT_THAT(datasets::VerifyShard(reader.path()), testing::IsEmpty());
      for (std::size_t i = 0; i < reader.FaceCount(); ++i) {
        names.push_back(reader.Sample(static_cast<std::size_t>(reader.Face(i).sample)).key);
        const auto image = reader.FaceImage(i);
        images.emplace_back(image.begin(), image.end());
      }
    }
  };
  read("whole", 2, keys, pictures);
  read("cut", 3, cut_keys, cut_pictures);
  EXPECT_EQ(keys, cut_keys);
  EXPECT_EQ(pictures, cut_pictures);
  EXPECT_THROW(Write([&] { PhotoPairsOptions other = cut; other.shard_pictures = 4; return other; }()), BadInputError) << "cut otherwise";
}

TEST_F(PhotoPairs, WhatIsThereIsNotWrittenOverNorMixed) {
  namespace fs = std::filesystem;
  WritePhotographs(dir_ / "photos", {3});
  const auto fault = [](const PhotoPairsOptions& options) -> std::string {
    try {
      Write(options);
      return "";
    } catch (const BadInputError& error) {
      return error.what();
    }
  };
  // A shard that has lost its stats file is one of photographs still.
  fs::create_directory(dir_ / "out");
  fs::copy_file(dir_ / "photos/00000.h5", dir_ / "out/00000.h5");
  EXPECT_THAT(fault(Options("out")), testing::HasSubstr("out/00000.h5: holds other faces or pairs"));
  EXPECT_EQ(Bytes("out", 0), Bytes("photos", 0));
  datasets::storage::WriteFileAtomically(dir_ / "out/00000.h5", "no shard");
  EXPECT_THAT(fault(Options("out")), testing::HasSubstr("out/00000.h5: is there and is no shard"));
  // Nor do pairs go where photographs are, under whatever number.
  for (const char* end : {".h5", "_stats.json"}) fs::rename(dir_ / "photos/00000" + std::string(end), dir_ / "photos/00004" + std::string(end));
  EXPECT_THAT(fault(Options("photos")), testing::HasSubstr("photos/00004.h5: holds no pairs of photographs"));
  EXPECT_FALSE(fs::exists(dir_ / "photos/00000.h5"));
}

TEST_F(PhotoPairs, WhatKilledRunsLeaveGoes) {
  WritePhotographs(dir_ / "photos", {2});
  const std::string left = dir_ / "pairs/00000.h5.tmp.2147483000.0";
  for (const int runs : {1, 2}) {
    datasets::storage::MakeFolder(dir_ / "pairs");
    datasets::storage::WriteFileAtomically(left, "half");
    Write(Options("pairs"));
    EXPECT_FALSE(std::filesystem::exists(left)) << runs;
  }
}

TEST_F(PhotoPairs, FacesThatAreAllLeftOutAreAFaultNotAnEmptyShard) {
  WritePhotographs(dir_ / "photos", {2});
  PhotoPairsOptions options = Options("pairs");
  options.min_quality = 0.95;
  try {
    Write(options);
    FAIL() << "nothing to learn from";
  } catch (const BadInputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("--min-quality"));
  }
  EXPECT_FALSE(std::filesystem::exists(options.output)) << "other options may follow";
}

TEST_F(PhotoPairs, ShardsWithoutAnAuAreNamed) {
  WritePhotographs(dir_ / "photos", {2}, features::GanSchema());
  try {
    Write(Options("pairs"));
    FAIL();
  } catch (const BadInputError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("00000.h5"), testing::HasSubstr("AU16")));
  }
}

}  // namespace
}  // namespace auforge::tools
