// The programs of examples/, each run on shards as a user would run it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "datasets/shard.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge {
namespace {

struct Outcome {
  int code = -1;
  std::string text;
};

Outcome RunCommand(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  Outcome outcome;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.text.append(buffer.data(), got);
  outcome.code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

bool Works(const std::string& command) { return RunCommand(command).code == 0; }

class Examples : public testing::Test {
 protected:
  Examples() {
    tests::CrawlOptions options;
    options.pictures = true;
    options.images = 30;
    tests::WriteCrawl(dir_.path().string(), options);
  }
  tests::TempDir dir_;
};

TEST_F(Examples, ShardTourTellsWhatIsInAShard) {
  if (!Works("/usr/bin/python3 -c 'import h5py'"))
    GTEST_SKIP() << "python3-h5py is not installed; tools/install-deps.sh installs it";
  const Outcome tour = RunCommand("/usr/bin/python3 " + tests::SourcePath("examples/shard_tour.py") + " " +
                                  (dir_ / "00000.h5") + " " + (dir_ / "smile.jpg"));
  EXPECT_EQ(tour.code, 0) << tour.text;
  const datasets::ShardReader shard(dir_ / "00000.h5");
  EXPECT_NE(tour.text.find(std::to_string(shard.FaceCount()) + " faces on 30 images"), std::string::npos)
      << tour.text;
  EXPECT_NE(tour.text.find("strongest smile: face "), std::string::npos);
  EXPECT_EQ(tests::ReadText(dir_ / "smile.jpg").substr(0, 2), "\xff\xd8");
}

TEST_F(Examples, DatasetFeedsATrainingBatch) {
  if (!Works("/usr/bin/python3 -c 'import torch, h5py, PIL'")) {
    GTEST_SKIP()
        << "python3-torch, python3-h5py or python3-pil is not installed; tools/install-deps.sh installs them";
  }
  const Outcome trained =
      RunCommand("OMP_NUM_THREADS=1 /usr/bin/python3 " + tests::SourcePath("examples/faces_dataset.py") +
                 " " + dir_.path().string());
  ASSERT_EQ(trained.code, 0) << trained.text;
  EXPECT_NE(trained.text.find("\"batch\": [25, 3, 128, 128]"), std::string::npos) << trained.text;
  double before = 0, after = 0;
  ASSERT_EQ(std::sscanf(trained.text.c_str() + trained.text.find("\"loss\""), "\"loss\": [%lf, %lf]", &before,
                        &after),
            2)
      << trained.text;
  EXPECT_LT(after, before) << "it does not learn from the batch";
}

TEST_F(Examples, OctaveReadsAShard) {
  if (!Works("octave-cli --no-gui --norc --eval 1") || !Works("h5dump --version")) {
    GTEST_SKIP() << "octave or hdf5-tools is not installed; tools/install-deps.sh installs them";
  }
  const Outcome octave = RunCommand("octave-cli --no-gui --norc " +
                                    tests::SourcePath("examples/read_shard.m") + " " + (dir_ / "00000.h5"));
  EXPECT_EQ(octave.code, 0) << octave.text;
  const datasets::ShardReader shard(dir_ / "00000.h5");
  EXPECT_NE(octave.text.find(std::to_string(shard.FaceCount()) + " faces, 8 AUs"), std::string::npos)
      << octave.text;
  EXPECT_NE(octave.text.find("JPEG: 1"), std::string::npos) << octave.text;
  // AU 12, the sixth column: as the shard says.
  double mean = 0;
  for (std::size_t i = 0; i < shard.FaceCount(); ++i)
    mean += shard.AuIntensity()[i * 8 + 5] / static_cast<double>(shard.FaceCount());
  char expected[32];
  std::snprintf(expected, sizeof(expected), "mean %.2f", mean);
  const std::size_t line = octave.text.find("AU12 ");
  ASSERT_NE(line, std::string::npos) << octave.text;
  EXPECT_NE(octave.text.substr(line, 60).find(expected), std::string::npos) << octave.text.substr(line, 60);
}

}  // namespace
}  // namespace auforge
