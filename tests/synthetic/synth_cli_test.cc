// auforge synth as scripts see it: exit codes and messages of what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "datasets/storage/hdf5_file.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;

using Outcome = tests::ProgramOutcome;

Outcome Synth(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " synth " + arguments);
}

TEST(SynthCommand, EverySubcommandHelpsWithAnExample) {
  for (const char* name : {"import-model", "faces", "sheet", "stats"}) {
    const Outcome outcome = Synth(std::string(name) + " --help");
    EXPECT_EQ(outcome.code, 0) << name;
    EXPECT_THAT(outcome.text, HasSubstr("Example:\n  auforge synth ")) << name;
  }
}

TEST(SynthCommand, WrongUsageIsTwo) {
  EXPECT_EQ(Synth("faces -o x --method watercolour").code, 2);
  EXPECT_EQ(Synth("faces -o x --method cg --photos somewhere").code, 2);
  const Outcome au = Synth("sheet -o x.png --au AU99");
  EXPECT_EQ(au.code, 2);
  EXPECT_THAT(au.text, HasSubstr("AU99"));
}

TEST(SynthCommand, AFaceModelThatIsNoneIsThreeAndSaysWhy) {
  const tests::TempDir dir;
  tests::WriteText(dir / "text.h5", "no face model");
  const Outcome damaged =
      Synth("faces -q -o " + dir / "out" + " --method cg --face-model " + dir / "text.h5");
  EXPECT_EQ(damaged.code, 3) << damaged.text;
  EXPECT_THAT(damaged.text, HasSubstr("text.h5"));
  datasets::storage::Hdf5Writer file(dir / "new.h5");
  file.WriteAttribute("/", "format", std::string("auforge-face-model"));
  file.WriteAttribute("/", "format_version", std::int64_t{99});
  file.Close();
  const Outcome version = Synth("sheet -q -o " + dir / "x.png" + " --face-model " + dir / "new.h5");
  EXPECT_EQ(version.code, 3) << version.text;
  EXPECT_THAT(version.text, HasSubstr("format 99"));
  const Outcome absent =
      Synth("faces -q -o " + dir / "out" + " --method cg --face-model " + dir / "absent.h5");
  EXPECT_EQ(absent.code, 1) << absent.text;
  EXPECT_THAT(absent.text, HasSubstr("import-model"));
}

TEST(SynthCommand, AnObjFolderThatIsMalformedIsNamed) {
  const tests::TempDir dir;
  tests::WriteText(dir / "generic_neutral_mesh.obj", "v 1 2 three\n");
  const Outcome outcome = Synth("import-model " + dir.path().string() + " -o " + dir / "face.h5");
  EXPECT_EQ(outcome.code, 1) << outcome.text;  // fetching it again may help
  EXPECT_THAT(outcome.text, HasSubstr("generic_neutral_mesh.obj: line 1"));
}

TEST(SynthCommand, StatsOfNothingSaySo) {
  const tests::TempDir dir;
  const Outcome outcome = Synth("stats " + dir.path().string());
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("no finished shard"));
}

}  // namespace
}  // namespace auforge::tools
