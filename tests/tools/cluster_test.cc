// Which part of a run a process does, and the sum of a run's parts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "datasets/shard.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/cli/cli.h"
#include "tools/annotate/merge_stats.h"
#include "tools/annotate/rank.h"

namespace auforge::tools {
namespace {

constexpr const char* kVariables[] = {
    "SLURM_ARRAY_TASK_ID",  "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP",
    "JOB_COMPLETION_INDEX", "AUFORGE_COUNT",          "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"};

class RankTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kVariables) unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  static void Expect(const Rank& rank, int index, int count) {
    EXPECT_EQ(rank.index, index);
    EXPECT_EQ(rank.count, count);
  }
};

TEST_F(RankTest, AloneUnlessTold) {
  Expect(ResolveRank(-1, -1), 0, 1);
  Expect(ResolveRank(-1, 1), 0, 1);
  Expect(ResolveRank(3, 8), 3, 8);
  EXPECT_TRUE(ResolveRank(-1, -1).source.empty());
}

TEST_F(RankTest, SlurmArraysCountFromTheirFirstTask) {
  setenv("SLURM_ARRAY_TASK_ID", "9", 1);
  setenv("SLURM_ARRAY_TASK_COUNT", "8", 1);
  EXPECT_THROW(ResolveRank(-1, -1), UsageError);
  setenv("SLURM_ARRAY_TASK_MIN", "5", 1);
  Expect(ResolveRank(-1, -1), 4, 8);
  setenv("SLURM_ARRAY_TASK_STEP", "2", 1);
  Expect(ResolveRank(-1, -1), 2, 8);
  Expect(ResolveRank(1, 2), 1, 2);  // options win
}

TEST_F(RankTest, KubernetesNeedsTheCount) {
  setenv("JOB_COMPLETION_INDEX", "7", 1);
  EXPECT_THROW(ResolveRank(-1, -1), UsageError);
  Expect(ResolveRank(-1, 10), 7, 10);
  setenv("AUFORGE_COUNT", "12", 1);
  Expect(ResolveRank(-1, -1), 7, 12);
}

TEST_F(RankTest, OpenMpi) {
  setenv("OMPI_COMM_WORLD_RANK", "2", 1);
  setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  Expect(ResolveRank(-1, -1), 2, 4);
}

TEST_F(RankTest, NonsenseIsNamed) {
  EXPECT_THROW(ResolveRank(3, -1), UsageError);
  EXPECT_THROW(ResolveRank(3, 3), UsageError);
  EXPECT_THROW(ResolveRank(-1, 4), UsageError);
  setenv("OMPI_COMM_WORLD_RANK", "two", 1);
  try {
    ResolveRank(-1, -1);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(error.message.find("OMPI_COMM_WORLD_RANK = two"), std::string::npos) << error.message;
  }
}

void WriteShard(const std::string& folder, int index, std::initializer_list<int> digests,
                const std::string& config) {
  datasets::ShardHeader header;
  header.schema = features::AuSchema::FromNames({"AU12"});
  header.config_digest = config;
  datasets::ShardWriter writer(folder, index, header);
  for (const int digest : digests) {
    datasets::SampleRecord sample;
    sample.key = std::to_string(index) + "-" + std::to_string(digest);
    sample.status = digest % 2 == 0 ? datasets::Outcome::kNoFace : datasets::Outcome::kUndecodable;
    sample.sha256.fill(static_cast<std::uint8_t>(digest));
    writer.AddSample(sample);
  }
  writer.Finish(R"({"stage_seconds": {"detect": 1.5}})");
}

TEST(MergeStats, SumsAndSaysWhatIsMissing) {
  const tests::TempDir dir;
  WriteShard(dir / "a", 0, {1, 2, 3}, "x");
  WriteShard(dir / "a", 3, {4, 2}, "x");
  WriteShard(dir / "b", 1, {5, 1}, "x");
  const RunStats sum = MergeStats({{dir / "a", dir / "b"}, 6, true});
  EXPECT_EQ(sum.shards, 3U);
  EXPECT_EQ(sum.images, 7U);
  EXPECT_EQ(sum.faces, 0U);
  EXPECT_EQ(sum.by_status.at("no_face"), 3U);
  EXPECT_EQ(sum.by_status.at("undecodable"), 4U);
  EXPECT_DOUBLE_EQ(sum.stage_seconds.at("detect"), 4.5);
  EXPECT_EQ(sum.missing, (std::vector<int>{2, 4, 5}));
  EXPECT_EQ(sum.duplicates, 2U);
  EXPECT_EQ(sum.configurations.size(), 1U);
  EXPECT_EQ(MergeStats({{dir / "a", dir / "b"}, 0, false}).missing, (std::vector<int>{2}));
}

TEST(MergeStats, MixedAndDamagedRunsAreTold) {
  const tests::TempDir dir;
  WriteShard(dir / "a", 0, {1}, "x");
  WriteShard(dir / "a", 1, {1}, "y");
  tests::WriteText(dir / "a/00002_stats.json", "{\"samples\": \"many\"}");
  tests::WriteText(dir / "a/00003_stats.json", "half a fi");
  const RunStats sum = MergeStats({{dir / "a"}, 0, false});
  EXPECT_EQ(sum.configurations.size(), 2U);
  EXPECT_EQ(sum.unreadable.size(), 2U);
  EXPECT_THROW(MergeStats({{dir.path().string() + "/none"}, 0, false}), std::runtime_error);
}

}  // namespace
}  // namespace auforge::tools
