// One tar of official portraits: nearly all faces are found, and most of these people smile.
#include <gtest/gtest.h>

#include "datasets/shard.h"
#include "pipeline/annotate.h"
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

}  // namespace
}  // namespace auforge::pipeline
