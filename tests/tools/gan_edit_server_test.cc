// auforge-gan edit-server behind the explorer: a generator of a few steps, asked over the pipe.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "datasets/image_codec.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/temp_dir.h"
#include "tools/crawl/edit_process.h"

namespace auforge::tools {
namespace {

TEST(GanEditServer, AnswersWithFacesOfItsSize) {
  const tests::TempDir dir;
  tests::CrawlOptions crawl;
  crawl.pictures = true;
  crawl.aus = features::CatalogueSchema().numbers();
  tests::WriteCrawl(dir / "shards", crawl);
  const std::string train =
      std::string(AUFORGE_GAN_PROGRAM) + " train " + (dir / "shards") + " -o " + (dir / "run") +
      " --image-size 32 --conv-dim 4 --critic-layers 2 --batch 4 --max-steps 2 -j 1 -q >/dev/null 2>&1";
  ASSERT_EQ(std::system(train.c_str()), 0) << train;
  const auto editor = StartEditor({AUFORGE_GAN_PROGRAM, "edit-server", "--checkpoint", dir / "run"}, 60, 60);
  EXPECT_EQ(editor->Aus(), features::GanSchema().numbers());
  const datasets::ShardReader shard(datasets::FindShards({dir / "shards"})[0]);
  const auto png = [&](float smile) {
    return editor->Edit(shard.FaceImage(0), {{1, 2}, {12, 0}, {16, 5}}, {{12, smile}});
  };
  const std::string at_rest = png(0), smiling = png(5);
  const std::vector<std::uint8_t> bytes(smiling.begin(), smiling.end());
  const datasets::DecodedImage face = datasets::DecodeImage(bytes, {});
  EXPECT_EQ(face.width, 32);
  EXPECT_EQ(face.height, 32);
  EXPECT_NE(at_rest, smiling) << "the AU asked for does not reach the generator";
  EXPECT_EQ(png(5), smiling);
  EXPECT_THROW(editor->Edit({1, 2, 3}, {}, {{12, 1}}), std::runtime_error) << "no picture";
  EXPECT_EQ(png(5), smiling) << "and it goes on";
  EXPECT_THROW(StartEditor({AUFORGE_GAN_PROGRAM, "edit-server", "--checkpoint", dir / "none"}, 60, 60),
               std::runtime_error);
}

}  // namespace
}  // namespace auforge::tools
