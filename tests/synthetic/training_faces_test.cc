// tools/make-training-faces.sh: the sets it asks for, resuming, and how it fails. A stand-in plays auforge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "datasets/storage/atomic_file.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;

class TrainingFaces : public testing::Test {
 protected:
  // Writes down what it was called with and makes the stats files of whole sets; fails when a file `fail` is
  // there.
  TrainingFaces() {
    tests::WriteText(dir_ / "auforge", R"(#!/usr/bin/env bash
here=$(dirname "$0")
echo "$@" >> "$here/calls"
[[ -e $here/fail ]] && exit 3
while (($# > 0)); do
  case $1 in
    -o) out=$2 ;;
    --count) count=$2 ;;
    --shard-size) shard=$2 ;;
  esac
  shift
done
mkdir -p "$out"
for ((i = 0; i < count / shard; ++i)); do echo {} > "$out/$(printf %05d "$i")_stats.json"; done
)");
    std::filesystem::permissions(dir_ / "auforge", std::filesystem::perms::owner_all);
  }
  tests::ProgramOutcome Run(const std::string& arguments) {
    return tests::RunCommand(std::string(AUFORGE_TRAINING_FACES) + " --program " + dir_ / "auforge" + " " +
                             arguments);
  }
  std::string Calls() const { return datasets::storage::ReadFile(dir_ / "calls"); }

  tests::TempDir dir_;
};

TEST_F(TrainingFaces, AsksForThreeSetsAndSaysWhatIsThere) {
  const std::string out = dir_ / "faces";
  EXPECT_EQ(Run("--check " + out).code, 1);
  const auto made = Run("--photos 'p/{0..2}.tar' --face-model m.h5 -j2 " + out);
  EXPECT_EQ(made.code, 0) << made.text;
  EXPECT_THAT(Calls(),
              HasSubstr("/cg --count 6000 --seed 43 --shard-size 1000 --face-model m.h5 -j 2 --method cg"));
  EXPECT_THAT(Calls(), HasSubstr("/reconstruct2 --count 8000 --seed 42"));
  EXPECT_THAT(Calls(), HasSubstr("--photos p/{0..2}.tar --most-photos 400"));
  EXPECT_THAT(Calls(), HasSubstr("/reconstruct --count 10000 --seed 41"));
  EXPECT_THAT(made.text, HasSubstr("reconstruct: 10 of 10 shards"));
  EXPECT_EQ(Run("--check " + out).code, 0);
  // A shard is missing: only asking again brings it back.
  std::filesystem::remove(out + "/cg/00004_stats.json");
  EXPECT_EQ(Run("--check --only cg " + out).code, 1);
  EXPECT_EQ(Run("--only cg " + out).code, 0);
}

TEST_F(TrainingFaces, HandsOnFailuresAndExplainsWrongUsage) {
  tests::WriteText(dir_ / "fail", "");
  EXPECT_EQ(Run("--only cg " + dir_ / "faces").code, 3) << "as auforge failed";
  EXPECT_EQ(Run("").code, 2);
  EXPECT_EQ(Run("--only cartoons " + dir_ / "faces").code, 2);
  EXPECT_EQ(Run("--only cg -j many " + dir_ / "faces").code, 2);
  const auto without = Run("--only reconstruct " + dir_ / "faces");
  EXPECT_EQ(without.code, 2);
  EXPECT_THAT(without.text, HasSubstr("needs --photos"));
  const auto help = Run("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.text, HasSubstr("Example:"));
}

}  // namespace
}  // namespace auforge::tools
