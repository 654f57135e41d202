// Figures of synthetic shards, from a shard made by hand.
#include "tools/synth/synth_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;

datasets::ShardHeader Header() {
  datasets::ShardHeader header;
  header.schema = features::AuSchema({1, 12, 45});
  header.model_digest = "exact";
  header.detector = "test";
  header.config_digest = "c";
  header.source = "test";
  header.created = "2026-01-01T00:00:00Z";
  header.emotion_names = {"neutral"};
  return header;
}

// Four pictures: a frontal bare face, a frontal one with glasses, one turned by 45 degrees, and one not
// found. The landmarker errs by 0.1 of the distance between the eyes to the right at landmark 30.
void WriteSynthetic(const std::string& folder, bool with_truth) {
  datasets::ShardWriter writer(folder, 0, Header());
  const std::vector<std::vector<float>> intensity{{0.5F, 3, 0}, {2, 4.5F, 0}, {0, 0, 5}};
  std::vector<float> landmarks;
  for (std::size_t i = 0; i < 4; ++i) {
    datasets::SampleRecord sample;
    sample.key = "k" + std::to_string(i);
    sample.width = sample.height = 256;
    if (i == 3) sample.status = datasets::Outcome::kNoFace;
    const std::int64_t row = writer.AddSample(sample);
    if (i == 3) continue;
    datasets::FaceRecord face;
    face.image = datasets::EncodeJpeg(tests::Texture(32, 32, 3, i), 80);
    face.aus.intensity = intensity[i];
    for (const float v : intensity[i]) {
      face.aus.present.push_back(v >= 1 ? 1 : 0);
      face.aus.probability.push_back(v >= 1 ? 1 : 0);
    }
    face.landmarks = tests::NeutralFace();
    const float unit = features::InterOcularDistance(face.landmarks);
    for (std::size_t k = 0; k < face.landmarks.size(); ++k) {
      landmarks.push_back(face.landmarks[k].x - (k == 30 ? 0.1F * unit : 0));
      landmarks.push_back(face.landmarks[k].y);
    }
    face.box = {1, 1, 50, 50};
    face.crop_from_image = {1, 0, 0, 0};
    face.sample = row;
    writer.AddFace(face);
  }
  if (with_truth) {
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/pose", {3, 3}, {5, 0, 0, -12, 3, 1, 45, 0, 0}});
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/occluders", {3}, {0, 1, 0}});
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/visible_fraction", {3}, {1, 0.7F, 0.55F}});
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/landmarks", {3, 68, 2}, landmarks});
    writer.AddExtra(
        datasets::ExtraDataset{"/synthetic/picture_pose", {4, 3}, {5, 0, 0, -12, 3, 1, 45, 0, 0, 2, 0, 0}});
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/picture_occluders", {4}, {0, 1, 0, 0}});
  }
  writer.Finish();
}

TEST(SynthStats, CountWhatIsThere) {
  const tests::TempDir dir;
  WriteSynthetic(dir / "s", true);
  const SynthStats s = GatherSynthStats({dir / "s/00000.h5"});
  EXPECT_EQ(s.pictures, 4U);
  EXPECT_EQ(s.faces, 3U);
  EXPECT_THAT(s.active, testing::ElementsAre(1, 2, 1));
  EXPECT_THAT(s.histogram[0], testing::ElementsAre(1, 1, 0, 1, 0, 0));
  EXPECT_THAT(s.histogram[1], testing::ElementsAre(1, 0, 0, 0, 1, 1));
  EXPECT_EQ(s.together[0][1], 1U);
  EXPECT_EQ(s.together[1][2], 0U);
  EXPECT_EQ(s.frontal, 3U);
  EXPECT_EQ(s.frontal_found, 2U);
  EXPECT_EQ(s.bare_frontal, 2U);
  EXPECT_EQ(s.bare_frontal_found, 1U);
  EXPECT_EQ(s.yaw.at(-20), 1U);
  EXPECT_EQ(s.yaw.at(40), 1U);
  EXPECT_EQ(s.occluders.at("glasses"), 1U);
  EXPECT_EQ(s.occluders.at("none"), 2U);
  EXPECT_EQ(s.visible[2], 1U);
  EXPECT_EQ(s.measured, 1U) << "frontal with nothing in front";
  EXPECT_NEAR(s.offsets[30].mean_x, 0.1F, 1e-4F);
  EXPECT_NEAR(s.offsets[30].mean_y, 0, 1e-4F);
  EXPECT_NEAR(s.offsets[31].median, 0, 1e-6F);
}

TEST(SynthStats, CorrelationIsThatOfATwoByTwoTable) {
  SynthStats s;
  s.faces = 100;
  s.active = {50, 50, 0};
  s.together = {{50, 50, 0}, {50, 50, 0}, {0, 0, 0}};
  EXPECT_NEAR(Correlation(s, 0, 1), 1, 1e-9);
  s.together[0][1] = 25;
  EXPECT_NEAR(Correlation(s, 0, 1), 0, 1e-9);
  s.together[0][1] = 0;
  EXPECT_NEAR(Correlation(s, 0, 1), -1, 1e-9);
  EXPECT_EQ(Correlation(s, 0, 2), 0) << "an AU that never shows is tied to none";
}

TEST(SynthStats, SayWhichShardIsNotSynthetic) {
  const tests::TempDir dir;
  WriteSynthetic(dir / "s", false);
  try {
    GatherSynthStats({dir / "s/00000.h5"});
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("00000.h5"));
    EXPECT_THAT(error.what(), HasSubstr("/synthetic/pose"));
  }
}

}  // namespace
}  // namespace auforge::tools
