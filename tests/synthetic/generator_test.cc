// Whole pictures: rebuilt from portraits, and the factory that makes shards of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>
#include <turbojpeg.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "annotator/point_file.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/synthetic/face_factory.h"
#include "datasets/synthetic/photo_library.h"
#include "datasets/synthetic/reconstruct_generator.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

using testing::HasSubstr;

// A generator over a few portraits, made once.
const ReconstructGenerator* Portraits() {
  static const std::unique_ptr<ReconstructGenerator> generator = []() -> std::unique_ptr<ReconstructGenerator> {
    const auto tar = tests::DataPath("portraits/00000.tar");
    if (!tar || ImportedModel() == nullptr) return nullptr;
    const PhotoTaker taker(*ImportedModel(), ImportedRenderer(), 256);
    PhotoLibrary library = CollectPhotos({*tar}, taker, {.most = 4, .landmarks = {}}, {});
    ReconstructOptions options;
    options.size = 192;
    return std::make_unique<ReconstructGenerator>(*ImportedModel(), ImportedRenderer(), std::move(library.sources), options);
  }();
  return generator.get();
}
#define AUFORGE_NEEDS_PORTRAITS() \
  if (Portraits() == nullptr) GTEST_SKIP() << "no portraits or no face model below AUFORGE_DATA"

TEST(Reconstruct, APictureDependsOnSeedAndIndexAlone) {
  AUFORGE_NEEDS_PORTRAITS();
  const SyntheticFace first = Portraits()->Generate(3, 11);
  std::vector<SyntheticFace> again(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < again.size(); ++t) {
      threads.emplace_back([&again, t] {
        Portraits()->Generate(3, 40 + t);  // whatever came before on this thread
        again[t] = Portraits()->Generate(3, 11);
      });
    }
  }
  for (const SyntheticFace& face : again) {
    EXPECT_EQ(cv::norm(face.image, first.image, cv::NORM_INF), 0);
    EXPECT_EQ(face.au, first.au);
    EXPECT_EQ(face.landmarks, first.landmarks);
  }
  EXPECT_GT(cv::norm(Portraits()->Generate(4, 11).image, first.image, cv::NORM_INF), 0);
}

TEST(Reconstruct, TruthIsInRange) {
  AUFORGE_NEEDS_PORTRAITS();
  for (std::uint64_t i = 0; i < 12; ++i) {
    const SyntheticFace face = Portraits()->Generate(1, i);
    ASSERT_EQ(face.image.rows, 192);
    ASSERT_EQ(face.au.size(), features::CatalogueSchema().size());
    for (std::size_t j = 0; j < face.au.size(); ++j) {
      EXPECT_TRUE(face.au[j] >= 0 && face.au[j] <= 5);
      EXPECT_FLOAT_EQ(face.au[j], std::max(face.au_left[j], face.au_right[j]));
      EXPECT_TRUE(face.au_visibility[j] >= 0 && face.au_visibility[j] <= 1);
    }
    for (const features::Point2& p : face.landmarks) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
    EXPECT_FALSE(face.source_key.empty());
    EXPECT_LT(std::abs(face.pose.yaw), 60);
  }
}

TEST(Reconstruct, WhatTheLandmarkerFindsLiesNearTheExactPoints) {
  AUFORGE_NEEDS_PORTRAITS();
  const AuShapes shapes(*ImportedModel());
  const auto detector = annotator::MakeHogDetector({});
  const annotator::Landmarker landmarker;
  std::vector<float> distances;  // in distances between the eyes
  for (std::size_t source = 0; source < Portraits()->SourceCount(); ++source) {
    for (const float yaw : {-12.0F, 0.0F, 12.0F}) {
      for (const int au : {2, 12}) {
        const SyntheticFace face = Portraits()->Draw(source, shapes.Single(au, au == 2 ? 0 : 4), {yaw, 0, 0});
        const auto found = detector->Detect(face.image);
        if (found.empty()) continue;
        const features::Landmarks68 landmarks = landmarker.Find(face.image, found.front().box);
        for (std::size_t i = 0; i < landmarks.size(); ++i)
          distances.push_back(features::Distance(landmarks[i], face.landmarks[i]) / features::InterOcularDistance(face.landmarks));
      }
    }
  }
  ASSERT_GT(distances.size(), 68U * 18) << "most are found";
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  EXPECT_LT(*middle, 0.036F) << "2 pixels of a face with 56 between the eyes";
}

// Mean grey change inside and outside of a box round landmarks.
double Change(const cv::Mat& a, const cv::Mat& b, const features::Landmarks68& l, std::size_t begin, std::size_t end) {
  float left = 1e9F, top = 1e9F, right = 0, bottom = 0;
  for (std::size_t i = begin; i < end; ++i) {
    left = std::min(left, l[i].x);
    right = std::max(right, l[i].x);
    top = std::min(top, l[i].y);
    bottom = std::max(bottom, l[i].y);
  }
  const cv::Rect box = cv::Rect(static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left), static_cast<int>(bottom - top)) &
                       cv::Rect(0, 0, a.cols, a.rows);
  return cv::norm(a(box), b(box), cv::NORM_L1) / static_cast<double>(box.area());
}

TEST(Reconstruct, ExpressionsChangeTheirPlace) {
  AUFORGE_NEEDS_PORTRAITS();
  const AuShapes shapes(*ImportedModel());
  for (std::size_t source = 0; source < Portraits()->SourceCount(); ++source) {
    const SyntheticFace still = Portraits()->Draw(source, shapes.Single(12, 0), {5, 0, 0});
    const SyntheticFace smile = Portraits()->Draw(source, shapes.Single(12, 5), {5, 0, 0});
    const SyntheticFace blink = Portraits()->Draw(source, shapes.Single(45, 5), {5, 0, 0});
    EXPECT_GT(Change(still.image, smile.image, still.landmarks, 48, 68), 4 * Change(still.image, smile.image, still.landmarks, 17, 27));
    EXPECT_GT(Change(still.image, blink.image, still.landmarks, 36, 48), 4 * Change(still.image, blink.image, still.landmarks, 48, 68));
  }
}

// A scene of a photo keeps the photo's surroundings, skin and light whatever is expressed.
TEST(Reconstruct, PicturesOfASceneDifferInTheFaceAlone) {
  AUFORGE_NEEDS_PORTRAITS();
  const PhotoTaker taker(*ImportedModel(), ImportedRenderer(), 256);
  ReconstructOptions options;
  options.size = 192;
  options.expressions = 2;
  options.degrade.jpeg = options.degrade.small = 0;
  const ReconstructGenerator scenes(*ImportedModel(), ImportedRenderer(),
                                    CollectPhotos({*tests::DataPath("portraits/00000.tar")}, taker, {.most = 2, .landmarks = {}}, {}).sources, options);
  for (std::uint64_t scene = 0; scene < 4; ++scene) {
    const SyntheticFace a = scenes.Generate(2, 2 * scene), b = scenes.Generate(2, 2 * scene + 1);
    EXPECT_EQ(a.source_key, b.source_key);
    EXPECT_EQ(a.light, b.light);
    EXPECT_EQ(a.pose.yaw, b.pose.yaw);
    EXPECT_NE(a.au, b.au);
    for (const cv::Rect corner : {cv::Rect(0, 0, 20, 20), cv::Rect(172, 0, 20, 20)}) {
      const double mean = cv::norm(a.image(corner), b.image(corner), cv::NORM_L1) / (3.0 * corner.area());
      EXPECT_LT(mean, 1) << "scene " << scene;
    }
  }
}

TEST(PhotoLibrary, CountsWhatItCannotUseAndSaysSoWhenNothingIsLeft) {
  AUFORGE_NEEDS_FACE_MODEL();
  const tests::TempDir dir;
  tests::WriteText(dir / "photos_text.jpg", "no picture");
  WritePng(dir / "photos_texture.png", tests::Texture(200, 200, 3, 3));
  WritePng(dir / "photos_tiny.png", tests::Texture(12, 12, 3, 3));
  const PhotoTaker taker(*ImportedModel(), ImportedRenderer(), 128);
  try {
    CollectPhotos({dir.path().string()}, taker, {}, {});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none of 3 photos"));
    EXPECT_THAT(error.what(), HasSubstr("no_face: 1"));
    EXPECT_THAT(error.what(), HasSubstr("undecodable: 1"));
    EXPECT_THAT(error.what(), HasSubstr("too_small: 1"));
  }
}

// The first portrait of a tar that makes a source.
cv::Mat UsablePortrait() {
  const ReconstructGenerator* generator = Portraits();
  const auto image = generator->Draw(0, AuShapes(*ImportedModel()).Single(12, 0), {});
  return image.image;  // drawn from a portrait: one frontal face with its mouth closed
}

std::string CmykJpeg(const cv::Mat& bgr) {
  cv::Mat cmyk(bgr.rows, bgr.cols, CV_8UC4);
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3b p = bgr.at<cv::Vec3b>(y, x);
      cmyk.at<cv::Vec4b>(y, x) = {p[2], p[1], p[0], 255};  // inverted, as Adobe stores it
    }
  }
  const tjhandle jpeg = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  tjCompress2(jpeg, cmyk.data, cmyk.cols, static_cast<int>(cmyk.step), cmyk.rows, TJPF_CMYK, &data, &size, TJSAMP_444, 95, 0);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  tjFree(data);
  tjDestroy(jpeg);
  return bytes;
}

TEST(PhotoLibrary, GreyAndCmykPhotosAreUsedAndCorruptOnesCounted) {
  AUFORGE_NEEDS_PORTRAITS();
  const tests::TempDir dir;
  cv::Mat photo, grey;
  cv::resize(UsablePortrait(), photo, {}, 2, 2, cv::INTER_CUBIC);
  cv::cvtColor(photo, grey, cv::COLOR_BGR2GRAY);
  const auto text = [](const std::vector<std::uint8_t>& bytes) { return std::string(bytes.begin(), bytes.end()); };
  const std::string whole = text(EncodeJpeg(photo, 95));
  tests::WriteText(dir / "colour.jpg", whole);
  tests::WriteText(dir / "grey.jpg", text(EncodeJpeg(grey, 95)));
  tests::WriteText(dir / "cmyk.jpg", CmykJpeg(photo));
  tests::WriteText(dir / "cut.jpg", whole.substr(0, whole.size() / 3));
  const PhotoTaker taker(*ImportedModel(), ImportedRenderer(), 128);
  PhotoLibraryOptions options;
  options.residual = 1;  // what is drawn here is looked at for its colours only
  const PhotoLibrary library = CollectPhotos({dir.path().string()}, taker, options, {});
  std::vector<std::string> keys;
  for (const PhotoSource& source : library.sources) keys.push_back(source.key);
  EXPECT_THAT(keys, testing::UnorderedElementsAre(HasSubstr("colour"), HasSubstr("grey"), HasSubstr("cmyk")));
  EXPECT_EQ(library.counts.at("undecodable"), 1U);
}

FactoryOptions SmallFactory(const std::string& folder) {
  FactoryOptions options;
  options.output = folder;
  options.count = 10;
  options.shard_size = 5;
  return options;
}

std::string Bytes(const std::string& folder, int shard) { return storage::ReadFile(folder + "/" + ShardFileName(shard)); }

TEST(FaceFactory, SameBytesWithAnyNumberOfThreadsAndAfterAStop) {
  AUFORGE_NEEDS_PORTRAITS();
  setenv("SOURCE_DATE_EPOCH", "1", 1);
  const tests::TempDir dir;
  FactoryOptions one = SmallFactory(dir / "one"), three = SmallFactory(dir / "three"), stopped = SmallFactory(dir / "stopped");
  three.jobs = 3;
  const FactorySummary summary = MakeFaces(*Portraits(), one, {}, {});
  EXPECT_EQ(summary.pictures, 10U);
  EXPECT_GE(summary.faces, 7U);
  MakeFaces(*Portraits(), three, {}, {});
  int polls = 0;
  EXPECT_TRUE(MakeFaces(*Portraits(), stopped, {}, [&polls] { return ++polls >= 7; }).stopped);
  EXPECT_FALSE(ShardIsDone(stopped.output, 1));
  const FactorySummary rest = MakeFaces(*Portraits(), stopped, {}, {});
  EXPECT_EQ(rest.shards_skipped, 1U);
  EXPECT_EQ(rest.shards_written, 1U);
  for (const int shard : {0, 1}) {
    EXPECT_TRUE(VerifyShard(one.output + "/" + ShardFileName(shard)).empty());
    EXPECT_EQ(Bytes(one.output, shard), Bytes(three.output, shard));
    EXPECT_EQ(Bytes(one.output, shard), Bytes(stopped.output, shard));
  }
  unsetenv("SOURCE_DATE_EPOCH");
}

TEST(FaceFactory, ShardsCarryTheTruth) {
  AUFORGE_NEEDS_PORTRAITS();
  const tests::TempDir dir;
  FactoryOptions options = SmallFactory(dir / "out");
  options.images = dir / "images";
  MakeFaces(*Portraits(), options, {}, {});
  const ShardReader shard(options.output + "/00000.h5");
  const auto index = shard.Extra("/synthetic/index");
  const auto exact = shard.Extra("/synthetic/landmarks");
  ASSERT_TRUE(index && exact);
  ASSERT_EQ(index->values.size(), shard.FaceCount());
  EXPECT_EQ(shard.ExtraText("/synthetic/method")->values.front(), "reconstruct");
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    const SyntheticFace face = Portraits()->Generate(options.seed, static_cast<std::uint64_t>(index->values[i]));
    for (std::size_t j = 0; j < face.au.size(); ++j) EXPECT_FLOAT_EQ(shard.AuIntensity()[i * face.au.size() + j], face.au[j]);
    EXPECT_FLOAT_EQ(exact->values[i * 136], face.landmarks[0].x);
  }
  EXPECT_THAT(storage::ReadFile(dir / "images/labels_00000.csv"), HasSubstr("reconstruct-1-00000004.jpg"));
}

TEST(FaceFactory, PointsOfEveryPictureGoBesideThePlainOnes) {
  AUFORGE_NEEDS_PORTRAITS();
  const tests::TempDir dir;
  FactoryOptions options = SmallFactory(dir / "out");
  options.images = dir / "images";
  options.count = options.shard_size = 3;
  MakeFaces(*Portraits(), options, {}, {});
  std::istringstream lines(storage::ReadFile(dir / "images/points_00000.csv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, testing::StartsWith("file,yaw,pitch,roll,x0,y0,x1"));
  EXPECT_THAT(line, testing::EndsWith(",v66,v67"));
  for (std::uint64_t index = 0; index < options.count; ++index) {
    ASSERT_TRUE(std::getline(lines, line));
    std::istringstream fields(line);
    std::vector<std::string> field;
    for (std::string text; std::getline(fields, text, ',');) field.push_back(text);
    ASSERT_EQ(field.size(), 4U + 3 * features::kLandmarkCount);
    EXPECT_TRUE(std::filesystem::exists(dir / ("images/" + field[0])));
    const SyntheticFace face = Portraits()->Generate(options.seed, index);
    EXPECT_NEAR(std::stof(field[1]), face.pose.yaw, 0.006);
    EXPECT_NEAR(std::stof(field[4 + 2 * 30]), face.landmarks[30].x, 0.006);
    EXPECT_NEAR(std::stof(field[5 + 2 * 30]), face.landmarks[30].y, 0.006);
    EXPECT_EQ(field[4 + 2 * features::kLandmarkCount + 30], face.landmark_seen[30] ? "1" : "0");
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(FaceFactory, DensePointsOfEveryPictureGoBesideThem) {
  AUFORGE_NEEDS_PORTRAITS();
  const tests::TempDir dir;
  FactoryOptions options = SmallFactory(dir / "out");
  options.images = dir / "images";
  options.count = options.shard_size = 2;
  MakeFaces(*Portraits(), options, {}, {});
  const std::vector<annotator::DenseRow> rows = annotator::ReadDenseTables(dir / "images");
  ASSERT_EQ(rows.size(), 2U);
  for (std::uint64_t index = 0; index < 2; ++index) {
    const SyntheticFace face = Portraits()->Generate(options.seed, index);
    for (std::size_t i = 0; i < features::kDenseCount; ++i) {
      EXPECT_NEAR(rows[index].points[i].x, face.dense[i].x, 0.006) << i;
      EXPECT_EQ(rows[index].seen[i], face.dense_seen[i] ? 1 : 0) << i;
    }
  }
}

TEST(FaceFactory, RefusesToMixAndNamesBadOptions) {
  AUFORGE_NEEDS_PORTRAITS();
  const tests::TempDir dir;
  FactoryOptions options = SmallFactory(dir / "out");
  options.count = 2;
  MakeFaces(*Portraits(), options, {}, {});
  options.seed = 2;
  EXPECT_THROW(MakeFaces(*Portraits(), options, {}, {}), FactoryMismatch);
  options.jobs = 0;
  EXPECT_THROW(MakeFaces(*Portraits(), options, {}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
