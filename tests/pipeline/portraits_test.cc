// One tar of official portraits: nearly all faces are found, and most of these people smile.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>

#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/shard.h"
#include "pipeline/annotate.h"
#include "pipeline/relabel.h"
#include "tests/pipeline/other_model.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::pipeline {
namespace {

TEST(Portraits, FacesAreFoundAndSmilesSeen) {
  const auto tar = tests::DataPath("portraits/00000.tar");
  if (!tar) GTEST_SKIP() << "no portraits/00000.tar below AUFORGE_DATA";
  const tests::TempDir dir;
  AnnotateOptions options;
  options.inputs = {*tar};
  options.output = dir / "out";
  options.jobs = 2;
  const AnnotateSummary summary = Annotate(options, {}, {});
  ASSERT_GE(summary.images, 90U);
  EXPECT_GE(static_cast<double>(summary.by_status.at("ok")), 0.99 * static_cast<double>(summary.images));
  EXPECT_TRUE(datasets::VerifyShard(dir / "out/00000.h5").empty());
  const datasets::ShardReader shard(dir / "out/00000.h5");
  const std::size_t column = *shard.header().schema.Find(12);
  double smiles = 0;
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    smiles += shard.AuIntensity()[i * shard.header().schema.size() + column] >= 0.5F;
  }
  EXPECT_GE(smiles, 0.5 * static_cast<double>(shard.FaceCount()));
}

// Labelled again from the stored crops, faces get what annotating them anew says: every AU within .05 in 99 of 100 faces.
TEST(Portraits, LabelledAgainTheySayTheSame) {
  const auto tar = tests::DataPath("portraits/00000.tar");
  if (!tar) GTEST_SKIP() << "no portraits/00000.tar below AUFORGE_DATA";
  const tests::TempDir dir;
  SaveShiftedModel(dir / "other.h5", -0.15F);
  AnnotateOptions options;
  options.inputs = {*tar};
  options.output = dir / "out";
  options.jobs = 2;
  Annotate(options, {}, {});
  options.output = dir / "anew";
  options.model = dir / "other.h5";
  Annotate(options, {}, {});
  RelabelOptions relabel;
  relabel.shards = {dir / "out"};
  relabel.model = options.model;
  relabel.jobs = 2;
  Relabel(relabel, {}, {});
  EXPECT_TRUE(datasets::VerifyShard(dir / "out/00000.h5").empty());
  const datasets::ShardReader now(dir / "out/00000.h5"), anew(dir / "anew/00000.h5");
  ASSERT_EQ(now.FaceCount(), anew.FaceCount());
  const std::size_t a = now.header().schema.size(), n = now.FaceCount();
  std::size_t near = 0, unsure = 0;
  for (std::size_t i = 0; i < n; ++i) {
    float furthest = 0;
    for (std::size_t j = i * a; j < (i + 1) * a; ++j)
      furthest = std::max(furthest, std::abs(now.AuIntensity()[j] - anew.AuIntensity()[j]));
    near += furthest <= 0.05F ? 1 : 0;
    unsure += std::abs(now.Quality()[i] - anew.Quality()[i]) > 0.05F ? 1 : 0;
  }
  EXPECT_GE(static_cast<double>(near), 0.99 * static_cast<double>(n));
  EXPECT_LE(static_cast<double>(unsure), 0.01 * static_cast<double>(n));
}

// YuNet finds faces that stand on their heads, with eyes on top; labels of such a face are worth nothing.
TEST(Portraits, UpsideDownAreNoFaces) {
  const auto tar = tests::DataPath("portraits/00000.tar");
  const auto yunet = tests::DataPath("models/face_detection_yunet_2022mar.onnx");
  if (!tar || !yunet) GTEST_SKIP() << "no portraits/00000.tar or no YuNet model below AUFORGE_DATA";
  const tests::TempDir dir;
  std::filesystem::create_directories(dir / "down");
  const auto source = datasets::ImageSource::Plan({*tar}, {});
  const auto reader = source.Open(source.Shards().front());
  for (datasets::ImageItem item; reader->Next(item); item = {}) {
    cv::Mat picture = datasets::DecodeImage(item.bytes, {}).bgr;
    cv::rotate(picture, picture, cv::ROTATE_180);
    const std::vector<std::uint8_t> jpeg = datasets::EncodeJpeg(picture, 95);
    tests::WriteText(dir / ("down/" + item.key + ".jpg"), {jpeg.begin(), jpeg.end()});
  }
  AnnotateOptions options;
  options.jobs = 2;
  options.detector = "yunet";
  options.detector_model = *yunet;
  for (const int min_face : {40, 80}) {
    options.min_face = min_face;
    options.inputs = {*tar};
    options.output = dir / ("up" + std::to_string(min_face));
    const AnnotateSummary up = Annotate(options, {}, {});
    EXPECT_GE(static_cast<double>(up.by_status.at("ok")), 0.99 * static_cast<double>(up.images));
    options.inputs = {dir / "down"};
    options.output = dir / ("out" + std::to_string(min_face));
    AnnotateSummary down = Annotate(options, {}, {});
    EXPECT_EQ(down.images, up.images);
    EXPECT_LE(down.by_status["ok"], 1U) << "smallest face " << min_face;
  }
}

}  // namespace
}  // namespace auforge::pipeline
