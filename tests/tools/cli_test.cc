// The command line as scripts see it: exit codes, messages, help.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "datasets/shard.h"
#include "datasets/image_codec.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using Outcome = tests::ProgramOutcome;

Outcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

TEST(CommandLine, EveryCommandHelpsWithAnExample) {
  // The message about an unknown command lists those that there are, so that a new one is tested without being added here.
  const std::string list = RunProgram("frobnicate").text;
  ASSERT_NE(list.find("there are "), std::string::npos) << list;
  std::istringstream names(list.substr(list.find("there are ") + 10));
  int commands = 0;
  for (std::string name; names >> name; ++commands) {
    if (name.back() == ',') name.pop_back();
    if (name == "gan") continue;  // another program, which need not be built
    const Outcome outcome = RunProgram(name + " --help");
    EXPECT_EQ(outcome.code, 0) << name;
    EXPECT_NE(outcome.text.find("Example:\n  auforge "), std::string::npos) << name << ":\n" << outcome.text;
  }
  EXPECT_GE(commands, 8);
  EXPECT_EQ(RunProgram("--version").text.substr(0, 8), "auforge ");
}

TEST(CommandLine, WrongUsageIsTwo) {
  EXPECT_EQ(RunProgram("").code, 2);
  const Outcome none = RunProgram("frobnicate");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.text.find("auforge: no command 'frobnicate'; there are annotate, "), std::string::npos) << none.text;
  EXPECT_EQ(RunProgram("annotate").code, 2);
  const Outcome unknown = RunProgram("annotate photos -o out --no-such-option");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.text.find("auforge annotate: "), std::string::npos) << unknown.text;
  EXPECT_NE(unknown.text.find("--no-such-option"), std::string::npos) << unknown.text;
  EXPECT_EQ(RunProgram("annotate photos -o out --jpeg-quality 101").code, 2);
  EXPECT_EQ(RunProgram("train-au --data nonsense:x -o m.h5").code, 2);
  EXPECT_EQ(RunProgram("train-au --data shards -o m.h5").code, 2);
}

TEST(CommandLine, MissingThingsAreNamedAndFail) {
  const tests::TempDir dir;
  const Outcome input = RunProgram("annotate " + (dir / "nowhere") + " -o " + (dir / "out"));
  EXPECT_EQ(input.code, 1);
  EXPECT_NE(input.text.find("nowhere: no such file or folder"), std::string::npos) << input.text;
  tests::WriteText(dir / "a.jpg", "x");
  const Outcome model = RunProgram("annotate " + (dir / "a.jpg") + " -o " + (dir / "out") + " --model " + (dir / "m.h5"));
  EXPECT_EQ(model.code, 1);
  EXPECT_NE(model.text.find("m.h5: no such AU model"), std::string::npos) << model.text;
  const Outcome landmarks = RunProgram("annotate " + (dir / "a.jpg") + " -o " + (dir / "out") + " --landmarks " + (dir / "l.dat"));
  EXPECT_EQ(landmarks.code, 1);
  EXPECT_NE(landmarks.text.find("l.dat"), std::string::npos) << landmarks.text;
  const Outcome output = RunProgram("annotate " + (dir / "a.jpg") + " -o /proc/none");
  EXPECT_EQ(output.code, 1);
  EXPECT_NE(output.text.find("/proc/none"), std::string::npos) << output.text;
  EXPECT_EQ(RunProgram("inspect " + (dir / "none.h5")).code, 1);
}

TEST(CommandLine, ARunOfRubbishEndsWell) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "not a picture");
  tests::WriteTar(dir / "empty.tar", {});
  const Outcome outcome = RunProgram("annotate " + (dir / "a.jpg") + " " + (dir / "empty.tar") + " -o " + (dir / "out"));
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_NE(outcome.text.find("undecodable: 1"), std::string::npos) << outcome.text;
  EXPECT_EQ(RunProgram("verify " + (dir / "out")).code, 0);
  const Outcome again = RunProgram("annotate " + (dir / "a.jpg") + " " + (dir / "empty.tar") + " -o " + (dir / "out"));
  EXPECT_NE(again.text.find("nothing to do"), std::string::npos) << again.text;
  const Outcome other =
      RunProgram("annotate " + (dir / "a.jpg") + " " + (dir / "empty.tar") + " -o " + (dir / "out") + " --min-face 40");
  EXPECT_EQ(other.code, 3) << other.text;
  EXPECT_NE(other.text.find("min_face"), std::string::npos) << other.text;
}

TEST(CommandLine, VerifySaysThreeForDamage) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "not a picture");
  ASSERT_EQ(RunProgram("annotate " + (dir / "a.jpg") + " -o " + (dir / "out")).code, 0);
  const std::string whole = tests::ReadText(dir / "out/00000.h5");
  tests::WriteText(dir / "out/00000.h5", whole.substr(0, whole.size() / 2));
  const Outcome outcome = RunProgram("verify " + (dir / "out"));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_NE(outcome.text.find("00000.h5: "), std::string::npos) << outcome.text;
}

TEST(CommandLine, FaceModelImportNamesTheMissingFile) {
  const tests::TempDir dir;
  std::filesystem::create_directories(dir.path() / "FaceXModel");
  const Outcome outcome = RunProgram("synth import-model " + (dir / "FaceXModel") + " -o " + (dir / "face.h5"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.text.find("generic_neutral_mesh.obj: is missing"), std::string::npos) << outcome.text;
  EXPECT_FALSE(std::filesystem::exists(dir / "face.h5"));
}

}  // namespace
}  // namespace auforge::tools
