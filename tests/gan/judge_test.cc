// `gan eval --judge`: points, movements, pictures and what is wrong with files of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "datasets/storage/bad_content.h"
#include "tests/gan/mesh_fixture.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tools/cli/cli.h"
#include "tools/gan/edit_judge.h"
#include "tools/gan/gan_eval_judge.h"
#include "tools/gan/judged_pictures.h"
#include "tools/gan/mesh_points.h"
#include "tools/gan/picture_judge.h"

namespace auforge::tools {
namespace {

using datasets::storage::BadContent;
using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::MeshRow;
using tests::NeutralMesh;
using Rows = std::map<std::string, MeshRow>;

template <typename Exception>
std::string MessageOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

class MeshJudge : public ::testing::Test {
 protected:
  MeshPoints Points(const MeshRow& row) {
    tests::WriteMeshFile(folder_ / "one.h5", {{"AU1_0/a", row}});
    return *ReadMeshFile(folder_ / "one.h5").rows.at("AU1_0/a");
  }
  std::vector<JudgedMovement> Judge(const Rows& rows, const std::string& renderer = "au,movement,mean\n") {
    tests::WriteMeshFile(folder_ / "points.h5", rows);
    const MeshFile file = ReadMeshFile(folder_ / "points.h5");
    std::vector<std::string> keys;
    for (const auto& row : file.rows) keys.push_back(row.first);
    return JudgeMovements(file, PairJudgedKeys(file.path, keys), ParseRendererMovements(renderer, "r.csv"));
  }
  tests::TempDir folder_;
};

TEST_F(MeshJudge, MeasuresAreOfTheFaceWhateverItsPlaceSizeAndTilt) {
  const MeshPoints upright = Points(NeutralMesh()), tilted = Points(tests::Moved(NeutralMesh(), 25, 3, 40));
  const std::map<Measure, double> expected{
      {Measure::kMouthWidth, 0.40}, {Measure::kCornerHeight, -0.10}, {Measure::kLipGap, 0},     {Measure::kJaw, 0.80},
      {Measure::kUpperLip, -0.30},  {Measure::kInnerBrow, 0.20},     {Measure::kOuterBrow, 0.20}, {Measure::kBrowGap, 0.30},
      {Measure::kLids, 0.10},       {Measure::kNoseWings, -0.50}};
  for (const auto& [measure, value] : expected) {
    EXPECT_NEAR(Take(measure, upright), value, 1e-6) << static_cast<int>(measure);
    EXPECT_NEAR(Take(measure, tilted), value, 1e-5) << static_cast<int>(measure);
  }
}

// What an AU does to the neutral face, in its own direction by .05 of the eyes' distance where it has to move.
MeshRow Edited(int au) {
  MeshRow row = NeutralMesh();
  switch (au) {
    case 1: row.SetEyes(68, 135, 75, 165); break;
    case 2: row.SetEyes(64, 95, 75, 205); break;
    case 4: row.SetEyes(68, 137.5F, 85, 162.5F); break;
    case 5: row.SetEyes(12, 115, 90, 185); break;
    case 7: case 45: row.SetEyes(12, 115, 100, 185); break;
    case 9: row.Set(98, 140, 145), row.Set(327, 160, 145); break;
    case 10: row.Set(0, 150, 165); break;
    case 12: row.Set(61, 127.5F, 175), row.Set(291, 172.5F, 175); break;
    case 15: row.Set(61, 130, 185), row.Set(291, 170, 185); break;
    case 20: row.Set(61, 127.5F, 180), row.Set(291, 172.5F, 180); break;
    case 25: row.Set(14, 150, 183); break;
    case 26: row.Set(14, 150, 183), row.Set(152, 150, 225); break;
    default: ADD_FAILURE() << "AU" << au;
  }
  return row;
}

TEST_F(MeshJudge, EveryAuMovesItsMeasuresTheRightWay) {
  Rows rows;
  for (const Movement& m : Movements()) {
    rows["AU" + std::to_string(m.au) + "_0/a"] = NeutralMesh();
    rows["AU" + std::to_string(m.au) + "_1/a"] = Edited(m.au);
  }
  const std::vector<JudgedMovement> judged = Judge(rows);
  ASSERT_EQ(judged.size(), Movements().size());
  for (const JudgedMovement& row : judged) {
    EXPECT_NEAR(row.mean, 0.05, 1e-5) << row.movement.au << " " << row.movement.name;
    EXPECT_EQ(row.right, 1) << row.movement.au << " " << row.movement.name;
  }
}

TEST_F(MeshJudge, NoiseIsMeasuredAndWhatLiesWithinItDoesNotCount) {
  MeshRow little = NeutralMesh();
  little.Set(152, 150, 221);  // .01
  Rows rows{{"AU26_0/a", NeutralMesh()}, {"AU26_1/a", little}, {"original/a", NeutralMesh()}, {"again/a", NeutralMesh()}};
  rows["again/a"].Set(152, 150, 220.5F);  // .005, as a standard deviation .0074
  EXPECT_EQ(Judge(rows)[0].right, 1);
  EXPECT_TRUE(Judge(rows)[0].noise_measured);
  EXPECT_NEAR(Judge(rows)[0].noise, 0.0074, 1e-4);
  rows["again/a"].Set(152, 150, 221);
  EXPECT_EQ(Judge(rows)[0].right, 0);
}

TEST_F(MeshJudge, AFaceThatTheEditSpoiltHasNotMoved) {
  Rows rows;
  for (const char* face : {"a", "b", "c", "d"}) {
    rows[std::string("AU25_0/") + face] = NeutralMesh();
    rows[std::string("AU25_1/") + face] = Edited(25);
  }
  rows["AU25_1/b"].seen = false;
  rows["AU25_0/c"].seen = false;  // was not seen before, either: says nothing
  const JudgedMovement row = Judge(rows, "# made by a test\nau,movement,mean\n25,lip gap,0.1\n")[0];
  EXPECT_EQ(row.faces, 3);
  EXPECT_EQ(row.lost, 1);
  EXPECT_NEAR(row.right, 2.0 / 3, 1e-9);
  EXPECT_NEAR(row.Share(), 0.5, 1e-4);
  EXPECT_EQ(ShortOf(row), "AU25 lip gap: 67 % the right way, 50 % of the renderer's movement");
}

TEST_F(MeshJudge, TheRendererMovementsThatComeWithTheProgramAreWhole) {
  const RendererMovements renderer = DefaultRendererMovements();
  EXPECT_THAT(renderer.made_by, HasSubstr("mediapipe"));
  for (const Movement& m : Movements()) EXPECT_GT(renderer.movement.at({m.au, std::string(m.name)}), 0.005) << m.au << " " << m.name;
}

TEST_F(MeshJudge, RendererMovementsAreReadAsTheyAreWritten) {
  const auto judged = Judge({{"AU26_0/a", NeutralMesh()}, {"AU26_1/a", Edited(26)}});
  const RendererMovements read = ParseRendererMovements(RendererMovementsCsv(judged, "them"), "r.csv");
  EXPECT_EQ(read.made_by, "them");
  EXPECT_NEAR(read.movement.at({26, "jaw"}), 0.05, 1e-4);
  EXPECT_NEAR(read.movement.at({26, "lip gap"}), 0.05, 1e-4);
}

TEST_F(MeshJudge, BadRendererMovementsAreNamed) {
  const std::string head = "au,movement,mean\n";
  for (const auto& [text, why] : std::map<std::string, std::string>{{"", "no line"},
                                                                    {"26,jaw,0.1\n", "line 1"},
                                                                    {head + "26,jaw\n", "no three fields"},
                                                                    {head + "26,nose,0.1\n", "no movement"},
                                                                    {head + "26,jaw,0.1x\n", "no number"},
                                                                    {head + "26,jaw,1\n26,jaw,2\n", "line 3"}}) {
    EXPECT_THAT(MessageOf<BadInputError>([&] { ParseRendererMovements(text, "r.csv"); }), AllOf(HasSubstr("r.csv"), HasSubstr(why)))
        << text;
  }
}

TEST_F(MeshJudge, BadPointsAreNamed) {
  const std::string path = folder_ / "points.h5";
  const auto reading = [&] { return MessageOf<BadContent>([&] { ReadMeshFile(path); }); };
  MeshRow row = NeutralMesh();
  row.Set(61, std::numeric_limits<float>::quiet_NaN(), 0);
  tests::WriteMeshFile(path, {{"AU12_0/a", row}});
  EXPECT_THAT(reading(), AllOf(HasSubstr(path), HasSubstr("AU12_0/a"), HasSubstr("no numbers")));
  row = NeutralMesh();
  row.Set(33, 200, 100);
  tests::WriteMeshFile(path, {{"AU12_0/a", row}});
  EXPECT_THAT(reading(), HasSubstr("eyes in one place"));
  row.seen = false;  // of a face that was not seen the points are nobody's business
  tests::WriteMeshFile(path, {{"AU12_0/a", row}});
  EXPECT_EQ(reading(), "nothing thrown");
  row.mesh.resize(2 * 478);
  tests::WriteMeshFile(path, {{"AU12_0/a", row}});
  EXPECT_THAT(reading(), AllOf(HasSubstr(path), HasSubstr("mesh"), HasSubstr("468")));
  std::ofstream(path) << "au,x,y\n";
  EXPECT_THAT(reading(), HasSubstr(path));
  EXPECT_THAT(MessageOf<BadContent>([] { ReadMeshFile(tests::SourcePath("tests/golden/parity.h5")); }), HasSubstr("not a file of mesh points"));
}

TEST(JudgedPictures, KeysSayWhatAPictureIs) {
  const JudgedKey key = ParseJudgedKey("p.h5", "AU45_back/people/a.b");
  EXPECT_EQ(key.kind, JudgedKind::kBack);
  EXPECT_EQ(key.au, 45);
  EXPECT_EQ(key.face, "people/a.b");
  EXPECT_EQ(ParseJudgedKey("p.h5", "original/a").kind, JudgedKind::kOriginal);
  for (const char* bad : {"a", "original", "original/", "AU12/a", "AU12_2/a", "AU12_0", "12_0/a", "AU012_0/a", "au12_0/a", "AU999_0/a", ""}) {
    EXPECT_THAT(MessageOf<BadInputError>([&] { ParseJudgedKey("p.h5", bad); }), AllOf(HasSubstr("p.h5"), HasSubstr(bad))) << bad;
  }
}

TEST(JudgedPictures, PartnersThatAreMissingAreNamed) {
  const auto pairing = [](const std::vector<std::string>& keys) { return MessageOf<BadInputError>([&] { PairJudgedKeys("p.h5", keys); }); };
  EXPECT_THAT(pairing({"AU1_0/a", "AU1_1/a", "AU1_1/b"}), AllOf(HasSubstr("AU1_1/b"), HasSubstr("AU1_0/b")));
  EXPECT_THAT(pairing({"AU1_0/a", "AU2_1/a"}), AllOf(HasSubstr("AU1_0/a"), HasSubstr("AU1_1/a")));
  EXPECT_THAT(pairing({"AU1_0/a", "AU1_1/a", "AU2_back/a"}), AllOf(HasSubstr("AU2_back/a"), HasSubstr("AU2_0/a")));
  EXPECT_THAT(pairing({"AU1_0/a", "AU1_1/a", "again/a"}), AllOf(HasSubstr("again/a"), HasSubstr("original/a")));
  EXPECT_THAT(pairing({"original/a"}), HasSubstr("no edits"));
  const JudgedSet set = PairJudgedKeys("p.h5", {"AU1_0/a", "AU1_1/a", "AU1_back/a", "original/a", "AU1_0/b", "AU1_1/b"});
  ASSERT_EQ(set.pairs.at(1).size(), 2U);
  EXPECT_EQ(set.pairs.at(1)[0].back, "AU1_back/a");
  EXPECT_EQ(set.pairs.at(1)[0].original, "original/a");
  EXPECT_EQ(set.pairs.at(1)[1].back, "");
}

TEST(PictureJudge, TheBackgroundIsWhereNeitherFaceIs) {
  features::Landmarks68 before = tests::NeutralFace(), after = before;
  for (std::size_t i = 5; i < 12; ++i) after[i].y += 30;  // the chin sinks
  const cv::Mat background = Background(before, after, {256, 256});
  const auto at = [&](features::Point2 p) { return background.at<std::uint8_t>(static_cast<int>(p.y), static_cast<int>(p.x)) != 0; };
  EXPECT_FALSE(at(after[8]));
  EXPECT_FALSE(at(before[30]));
  EXPECT_FALSE(at({128, 60}));  // the forehead
  EXPECT_TRUE(at({4, 4}));
  EXPECT_TRUE(at({250, 250}));
  const cv::Mat grey(256, 256, CV_8UC3, cv::Scalar::all(100));
  cv::Mat changed = grey.clone();
  changed.setTo(cv::Scalar::all(255), background == 0);
  EXPECT_EQ(RmsDifference(grey, changed, background), 0);
  changed.setTo(cv::Scalar::all(151), background);
  EXPECT_NEAR(RmsDifference(grey, changed, background), 0.2, 1e-6);
}

class JudgeFiles : public MeshJudge {
 protected:
  JudgeFiles() {
    tests::WriteMeshFile(points_, {{"AU26_0/a", NeutralMesh()}, {"AU26_1/a", Edited(26)}});
    for (const char* key : {"AU26_0/a", "AU26_1/a"}) WritePicture(key);
  }
  // Grey, so that no face is in it.
  void WritePicture(const std::string& key, int side = 48) {
    const std::filesystem::path path = edits_ / (key + ".png");
    std::filesystem::create_directories(path.parent_path());
    cv::imwrite(path.string(), cv::Mat(side, side, CV_8UC3, cv::Scalar::all(90)));
  }
  template <typename Exception>
  std::string Refusal(const JudgeArguments& arguments) {
    return MessageOf<Exception>([&] { RunJudge(arguments); });
  }
  const std::string points_ = folder_ / "points.h5";
  const std::filesystem::path edits_ = folder_.path() / "edits";
  const JudgeArguments by_mesh_{.judge = "mesh:" + points_, .pictures = edits_.string(), .quiet = true},
      by_annotator_{.judge = "annotator", .pictures = edits_.string(), .quiet = true};
};

TEST_F(JudgeFiles, PicturesAndPointsThatDoNotFitAreNamed) {
  EXPECT_THAT(Refusal<BadInputError>(by_mesh_), AllOf(HasSubstr("AU26_0/a.png"), HasSubstr("no face")));
  WritePicture("AU26_1/b");
  EXPECT_THAT(Refusal<BadInputError>(by_mesh_), AllOf(HasSubstr("no points of"), HasSubstr("AU26_1/b.png")));
  EXPECT_THAT(Refusal<BadInputError>(by_annotator_), HasSubstr("AU26_1/b has no partner AU26_0/b"));
  WritePicture("AU26_0/b", 64);
  EXPECT_THAT(Refusal<BadInputError>(by_annotator_), HasSubstr("another size than its partner"));
  WritePicture("AU26_0/b");
  std::ofstream(edits_ / "AU26_1/b.png") << "no picture";
  EXPECT_THAT(Refusal<BadInputError>(by_annotator_), HasSubstr("AU26_1/b.png"));
  WritePicture("AU26_1/b");
  WritePicture("smile");
  EXPECT_THAT(Refusal<BadInputError>(by_annotator_), HasSubstr("\"smile\" is no picture of edits"));
  std::filesystem::remove_all(edits_);
  WritePicture("AU26_0/a");
  EXPECT_THAT(Refusal<BadInputError>(by_mesh_), HasSubstr("points of AU26_1/a, a picture that is not in the folder"));
}

TEST_F(JudgeFiles, OtherKindsOfFilesAreNamed) {
  JudgeArguments arguments = by_annotator_;
  arguments.embedding = folder_ / "weights.dat";
  std::ofstream(arguments.embedding) << "no network";
  EXPECT_THAT(Refusal<BadContent>(arguments), HasSubstr("weights.dat: not dlib's face recognition network"));
  std::ofstream(points_) << "no HDF5";
  EXPECT_THAT(Refusal<BadContent>(by_mesh_), HasSubstr(points_));
  std::filesystem::remove(points_);
  EXPECT_THAT(Refusal<std::runtime_error>(by_mesh_), HasSubstr(points_));
}

TEST_F(JudgeFiles, WrongUsageIsToldBeforeTheWork) {
  const std::string mesh = "mesh:" + points_, pictures = edits_.string(), nowhere = folder_ / "no/where";
  for (const JudgeArguments& wrong : std::vector<JudgeArguments>{{.judge = "mesh"}, {.judge = "mesh:"}, {.judge = "dlib:x"}, {.judge = "annotator"},
                                                                 {.judge = mesh, .embedding = "x"},
                                                                 {.judge = "annotator", .pictures = pictures, .movements = "m.csv"}}) {
    EXPECT_NE(Refusal<UsageError>(wrong), "nothing thrown") << wrong.judge;
  }
  EXPECT_THAT(Refusal<std::invalid_argument>({.judge = mesh, .movements = nowhere}), HasSubstr(nowhere));
  EXPECT_THAT(Refusal<std::invalid_argument>({.judge = mesh, .json_file = nowhere}), HasSubstr(nowhere));
}

// The program, as it answers scripts.
TEST_F(JudgeFiles, TheProgramReportsWritesAndAnswersWithItsExitCodes) {
  const auto run = [&](const std::string& arguments) {
    return tests::RunCommand("cd '" + folder_.path().string() + "' && '" AUFORGE_GAN_PROGRAM "' eval " + arguments);
  };
  const tests::ProgramOutcome outcome = run("--judge mesh:points.h5 --json-file out.json --movements out.csv");
  EXPECT_EQ(outcome.code, kDone) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("AU26  jaw"), HasSubstr("100 %"), HasSubstr("falls short"), HasSubstr("AU26 lip gap: ")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out.json"));
  EXPECT_THAT(run("--judge mesh:points.h5 --renderer out.csv").text, HasSubstr("every movement goes the right way"));
  EXPECT_EQ(run("--judge mesh:out.csv").code, kBadInput);
  EXPECT_EQ(run("--judge mesh:nowhere.h5").code, kFailed);
  EXPECT_EQ(run("edits --write-pictures out --judge annotator").code, kUsage);
  EXPECT_EQ(run("").code, kUsage);
}

}  // namespace
}  // namespace auforge::tools
