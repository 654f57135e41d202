// train-au, eval-au and calibrate as a user meets them: labels of the field, and labels that are wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "annotator/au_model.h"
#include "datasets/image_codec.h"
#include "features/au_schema.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Outcome = tests::ProgramOutcome;

Outcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

TEST(AuCommands, WrongUsageIsTwo) {
  EXPECT_EQ(RunProgram("calibrate -o m.h5").code, 2);
  EXPECT_EQ(RunProgram("calibrate --images a --neutral b -o m.h5").code, 2);
  EXPECT_EQ(RunProgram("eval-au").code, 2);
  const Outcome part = RunProgram("eval-au --data disfa:/tmp,part=some");
  EXPECT_EQ(part.code, 2);
  EXPECT_THAT(part.text, AllOf(HasSubstr("must be train or test"), HasSubstr("learn or judge")));
  EXPECT_EQ(RunProgram("eval-au --data ganimation:/tmp,part=judge").code, 2);
  EXPECT_EQ(RunProgram("eval-au --data csv:/tmp/x.csv,scale=4").code, 2);
  EXPECT_EQ(RunProgram("eval-au --data csv:/tmp/x.csv --aus 1,smile").code, 2);
  EXPECT_EQ(RunProgram("eval-au --data csv:/tmp/x.csv --detector yunet").code, 2);
  EXPECT_EQ(RunProgram("eval-au --data csv:/tmp/x.csv --detector fish").code, 2);
  const Outcome option = RunProgram("eval-au --data csv:/tmp/x.csv,colour=red");
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.text, AllOf(HasSubstr("colour"), HasSubstr("fold")));
}

TEST(AuCommands, NetsThatAreNoneAreNamed) {
  const tests::TempDir dir;
  const auto train = [&dir](const std::string& arguments) {
    return RunProgram("train-au --data csv:" + (dir / "none.csv") + " -o " + (dir / "m.h5") + " " + arguments);
  };
  const Outcome gone = train("--net " + (dir / "gone.net"));
  EXPECT_EQ(gone.code, 1);
  EXPECT_THAT(gone.text, HasSubstr("gone.net"));
  tests::WriteText(dir / "text.net", "a text that is no net");
  const Outcome damaged = train("--net " + (dir / "text.net"));
  EXPECT_EQ(damaged.code, 3);
  EXPECT_THAT(damaged.text, HasSubstr("text.net: damaged learnt net: is not a learnt net"));
  const Outcome nothing = train("--no-shape --no-gabor --no-hog");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.text, HasSubstr("there is no net"));
}

TEST(AuCommands, BadLabelsAreNamedAndCounted) {
  const tests::TempDir dir;
  datasets::WritePng(dir / "noise.png", tests::Texture(200, 200, 3, 1));
  datasets::WritePng(dir / "unlabelled.png", tests::Texture(200, 200, 3, 2));
  tests::WriteText(dir / "broken.png", "no picture");
  tests::WriteText(dir / "labels.csv",
                   "image,AU12,AU19,AU4\nnoise.png,7,1,0\ngone.png,1,0,0\nbroken.png,1,0,0\nnoise.png,1\n");
  const Outcome outcome = RunProgram("eval-au --data csv:" + (dir / "labels.csv"));
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("labels.csv:2: AU12 = 7.00 is not an intensity of 0..5"));
  EXPECT_THAT(outcome.text, HasSubstr("labels.csv:5: 2 fields"));
  EXPECT_THAT(outcome.text, HasSubstr("gone.png: is labelled, but there is no such picture"));
  EXPECT_THAT(outcome.text, HasSubstr("1 labels without their picture"));
  EXPECT_THAT(outcome.text, HasSubstr("1 pictures without a label"));
  EXPECT_THAT(outcome.text, HasSubstr("AU19: is not in the catalogue; 2 labels left out"));
  EXPECT_THAT(outcome.text, HasSubstr("AU4: none of 2 labels is active"));
  EXPECT_THAT(outcome.text, HasSubstr("noise.png: no face found"));
  EXPECT_THAT(outcome.text, HasSubstr("broken.png: cannot be decoded"));
  EXPECT_THAT(outcome.text, HasSubstr("no labelled faces"));
}

// What one part teaches must not be what the other judges, whatever the pictures are called.
TEST(AuCommands, APictureOfTwoNamesStandsInOnePart) {
  const tests::TempDir dir;
  datasets::WritePng(dir / "one.png", tests::Texture(200, 200, 3, 1));
  const std::string picture = tests::ReadText(dir / "one.png");
  std::vector<tests::TarMember> members;
  std::string text = "image,AU12\n";
  for (int i = 0; i < 12; ++i) {
    members.push_back({"key" + std::to_string(i) + ".png", picture});
    text += "key" + std::to_string(i) + ",3\n";
  }
  tests::WriteTar(dir / "pictures.tar", members);
  tests::WriteText(dir / "labels.csv", text);
  std::string all;
  for (const char* part : {"learn", "judge"}) {
    const Outcome outcome = RunProgram("eval-au --data csv:" + (dir / "labels.csv") + ",scale=3,part=" + part);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("pictures.tar:key11.png: is the same picture as"), HasSubstr("key0.png"),
                                    HasSubstr("11 labels of a picture that another label has, left out")));
    all += outcome.text;
  }
  EXPECT_THAT(all, AllOf(HasSubstr("which is in the other part"), HasSubstr(": 1 of 12 labelled pictures"),
                         HasSubstr(": 0 of 12 labelled pictures"), HasSubstr("AU12: all 1 labels are active")));
}

// OpenFace's image program on real photos, as if it were labels.
TEST(AuCommands, AnOpenFaceCsvServesAsLabels) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const tests::TempDir dir;
  std::string header = "face, confidence";
  for (const int au : features::GanSchema().numbers())
    header += std::string(", AU") + (au < 10 ? "0" : "") + std::to_string(au) + "_r";
  int file = 0;
  for (const auto& entry : fs::directory_iterator(photos)) {
    if (entry.path().extension() != ".jpg" || file >= 4) continue;
    const std::string name = "p" + std::to_string(file++);
    fs::copy_file(entry.path(), dir / (name + ".jpg"));
    std::string row = "0, 0.98";
    for (int j = 0; j < 17; ++j) row += j == 8 ? ", " + std::to_string(file % 2 * 2.5) : ", 0.10";
    tests::WriteText(dir / (name + ".csv"), header + "\n" + row + "\n");
  }
  const Outcome outcome = RunProgram("eval-au --json --data openface:" + dir.path().string());
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("\"au\":12"));
}

TEST(AuCommands, ComparingNeedsWhatItCompares) {
  EXPECT_EQ(RunProgram("eval-au --data csv:x.csv --better 'auc > 0.5'").code, 2);
  EXPECT_EQ(RunProgram("eval-au --data csv:x.csv --than old.h5").code, 2) << "which model?";
  EXPECT_EQ(RunProgram("eval-au --coherence x --apart-from csv:x.csv").code, 2);
  const std::string compare = "eval-au --data csv:x.csv --model new.h5 --than old.h5 --better ";
  for (const char* odd : {"'auc'", "'auc >= new'", "'acu >= old'", "'AU12.frechet > 1'", "'auc => old'", "'auc >= old +'"}) {
    const Outcome outcome = RunProgram(compare + odd);
    EXPECT_EQ(outcome.code, 2) << odd;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("--better"), HasSubstr("write as"))) << odd;
  }
}

// A model takes another's place only if the rule says that it is better, and by one rename.
TEST(AuCommands, TheBetterModelIsPromoted) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const tests::TempDir dir;
  std::string table = "image,AU12,AU25\n";
  int file = 0;
  for (const char* name : {"2008_001009.jpg", "2008_001322.jpg", "2008_002506.jpg", "2009_004587.jpg"}) {
    if (!fs::exists(fs::path(photos) / name)) GTEST_SKIP() << name << " is not there";
    fs::copy_file(fs::path(photos) / name, dir / name);
    table += std::string(name) + (file++ % 2 == 0 ? ",3,0\n" : ",0,2\n");
  }
  tests::WriteText(dir / "labels.csv", table);
  const std::string data = "csv:" + (dir / "labels.csv");
  ASSERT_EQ(RunProgram("calibrate --neutral " + (dir / "2008_001009.jpg") + " -o " + (dir / "new.h5")).code, 0);
  tests::WriteText(dir / "old.h5", tests::ReadText(annotator::DefaultAuModelPath()));
  const std::string before = tests::ReadText(dir / "old.h5"), fresh = tests::ReadText(dir / "new.h5");
  const std::string compare =
      "eval-au --data " + data + " --model " + (dir / "new.h5") + " --than " + (dir / "old.h5") + " --promote " + (dir / "old.h5");

  const Outcome worse = RunProgram(compare + " --better 'mae <= old' --better 'auc > 1.5'");
  EXPECT_EQ(worse.code, 0) << worse.text;
  EXPECT_THAT(worse.text, AllOf(HasSubstr("not better than"), HasSubstr("auc > 1.5 does not hold")));
  EXPECT_TRUE(tests::ReadText(dir / "old.h5") == before);

  const Outcome learnt = RunProgram(compare + " --apart-from " + data);
  EXPECT_EQ(learnt.code, 3);
  EXPECT_THAT(learnt.text, AllOf(HasSubstr("4 pictures to judge by are learnt from, too"), HasSubstr("2008_")));

  const Outcome better = RunProgram(compare + " --better 'mae < 6' --json");
  EXPECT_EQ(better.code, 0) << better.text;
  EXPECT_THAT(better.text, AllOf(HasSubstr("\"better\":true"), HasSubstr("\"promoted\":true"), HasSubstr("\"AU12.auc\":"),
                                 HasSubstr("mae < 6 holds")));
  EXPECT_TRUE(tests::ReadText(dir / "old.h5") == fresh);
}

// What a loop of trainings says of a model is kept with it, and printed; what makes another model of it does not inherit it.
TEST(AuCommands, LineageIsKeptAndPrinted) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const tests::TempDir dir;
  const std::string photo = std::string(photos) + "/Tom_Cruise_avp_2014_4.jpg";
  if (!fs::exists(photo)) GTEST_SKIP() << photo << " is not there";
  const std::string lineage = R"({"data":[],"parent":null,"plan":")" + std::string(64, 'a') + R"(","round":7})";
  tests::WriteText(dir / "l.json", lineage);
  const std::string calibrate = "calibrate --neutral " + photo;
  ASSERT_EQ(RunProgram(calibrate + " -o " + (dir / "with.h5") + " --lineage " + (dir / "l.json")).code, 0);
  const Outcome said = RunProgram("inspect " + (dir / "with.h5"));
  EXPECT_THAT(said.text, AllOf(HasSubstr("AU model, nystrom"), HasSubstr("lineage  " + lineage), HasSubstr("sha256 ")));
  EXPECT_THAT(RunProgram("inspect --json " + (dir / "with.h5")).text,
              AllOf(HasSubstr("\"lineage\":" + lineage), HasSubstr("\"kind\":\"AU model\"")));

  ASSERT_EQ(RunProgram(calibrate + " -o " + (dir / "next.h5") + " --model " + (dir / "with.h5")).code, 0);
  EXPECT_THAT(RunProgram("inspect " + (dir / "next.h5")).text, Not(HasSubstr("lineage")));
  tests::WriteText(dir / "l.json", R"({"round":7})");
  const Outcome wrong = RunProgram(calibrate + " -o " + (dir / "x.h5") + " --lineage " + (dir / "l.json"));
  EXPECT_EQ(wrong.code, 3);
  EXPECT_THAT(wrong.text, AllOf(HasSubstr("l.json"), HasSubstr("\"data\" is missing")));
  EXPECT_EQ(RunProgram(calibrate + " -o " + (dir / "x.h5") + " --lineage " + (dir / "gone.json")).code, 1);
  EXPECT_EQ(RunProgram("train-au --data csv:x.csv -o " + (dir / "x.h5") + " --lineage " + (dir / "l.json")).code, 3);
}

// One person's own resting face is where AUs are measured from.
TEST(AuCommands, AnnotateMeasuresFromARestingFace) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const tests::TempDir dir;
  const std::string photo = std::string(photos) + "/Tom_Cruise_avp_2014_4.jpg";
  if (!fs::exists(photo)) GTEST_SKIP() << photo << " is not there";
  const auto annotate = [&](const std::string& more) {
    return RunProgram("annotate " + photo + " -q -o " + (dir / "out") + more);
  };
  const Outcome measured = annotate(" --neutral " + photo);
  ASSERT_EQ(measured.code, 0) << measured.text;

  // What is measured from itself shows nothing of what is always measured from rest.
  EXPECT_EQ(
      RunProgram("query " + (dir / "out") + " --count --au 'AU1>=1 | AU2>=1 | AU4>=1 | AU12>=1 | AU26>=1'")
          .text,
      "0\n");
  EXPECT_EQ(annotate("").code, 3) << "another model: not mixed into one folder";
  tests::WriteText(dir / "none.txt", "no picture");
  EXPECT_EQ(
      RunProgram("annotate " + photo + " -q -o " + (dir / "other") + " --neutral " + (dir / "none.txt")).code,
      3);
}

}  // namespace
}  // namespace auforge::tools
