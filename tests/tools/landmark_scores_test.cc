#include "tools/landmarks/landmark_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <cmath>

#include "annotator/au_model.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using features::Landmarks68;

TEST(LandmarkScores, ErrorsAreMeansOverWhatIsKnown) {
  annotator::PointRow truth;
  truth.points = tests::NeutralFace();
  truth.known.fill(true);
  Landmarks68 found = truth.points;
  found[0].x += 17;  // of the 17 of the jaw
  const auto regions = LandmarkRegions();
  EXPECT_NEAR(RegionError(found, truth, regions[0]), 1, 1e-4);
  EXPECT_NEAR(RegionError(found, truth, regions[3]), 0, 1e-6);
  truth.known[0] = false;
  EXPECT_NEAR(RegionError(found, truth, regions[0]), 0, 1e-6);
  for (std::size_t i = 0; i < 17; ++i) truth.known[i] = false;
  EXPECT_TRUE(std::isnan(RegionError(found, truth, regions[0])));
}

TEST(LandmarkScores, ShutLidsHaveNoGap) {
  Landmarks68 face = tests::NeutralFace();
  for (const std::size_t eye : {36, 42}) EXPECT_GT(LidGap(face, eye), 0.1);
  for (const auto& [upper, lower] : {std::pair<std::size_t, std::size_t>{37, 41}, {38, 40}, {43, 47}, {44, 46}})
    face[upper] = face[lower];
  for (const std::size_t eye : {36, 42}) EXPECT_NEAR(LidGap(face, eye), 0, 1e-6);
}

TEST(LandmarkScores, DisturbancesAreUndoneExactly) {
  const cv::Mat image = tests::Texture(201, 161, 3, 2);
  const features::Box box{60, 40, 80, 80};
  const Landmarks68 face = tests::NeutralFace();
  for (const Disturbance& kind : Disturbances()) {
    cv::Mat shown = image;
    features::Box there = box;
    kind.apply(shown, there);
    Landmarks68 moved = face;
    if (std::string(kind.name) == "mirrored") {
      moved = features::Mirror(face, 201);
      EXPECT_FLOAT_EQ(there.x, 201 - 60 - 80);
    }
    if (std::string(kind.name) == "half size") {
      EXPECT_NEAR(shown.cols, 100, 1);
      const float sx = static_cast<float>(shown.cols) / 201, sy = static_cast<float>(shown.rows) / 161;
      for (features::Point2& p : moved) p = {p.x * sx, p.y * sy};
    }
    const Landmarks68 back = kind.undo(moved, image);
    for (std::size_t i = 0; i < face.size(); ++i) EXPECT_LT(features::Distance(back[i], face[i]), 0.6) << kind.name << i;
  }
}

TEST(LandmarkScores, ReadsDlibsXml) {
  const tests::TempDir dir;
  datasets::storage::WriteFileAtomically(
      dir / "faces.xml",
      "<?xml version='1.0'?>\n<dataset>\n<images>\n  <image file='a.jpg' width='5' height='3'>\n"
      "    <box top='18' left='27' width='52' height='53'>\n      <part name='00' x='277' y='194'/>\n"
      "      <part name='67' x='1' y='2'/>\n    </box>\n    <box top='1' left='2' width='3' height='4'>\n    </box>\n  </image>\n"
      "  <image file='b.jpg'>\n  </image>\n</images></dataset>\n");
  const std::vector<XmlFace> faces = ReadDlibXml(dir / "faces.xml");
  ASSERT_EQ(faces.size(), 2U);
  EXPECT_EQ(faces[0].truth.picture, dir / "a.jpg");
  EXPECT_EQ(faces[0].box, (features::Box{27, 18, 52, 53}));
  EXPECT_TRUE(faces[0].truth.known[67]);
  EXPECT_FALSE(faces[0].truth.known[1]);
  EXPECT_EQ(faces[0].truth.points[0], (features::Point2{277.5F, 194.5F}));
  EXPECT_FALSE(faces[1].truth.known[0]);
  for (const char* bad : {"", "<image file='a.jpg'><box top='x' left='1' width='1' height='1'></box></image>",
                          "<image file='a.jpg'><box top='1' left='1' width='1' height='1'><part name='68' x='1' y='1'/></box></image>",
                          "<image width='3'></image>"}) {
    datasets::storage::WriteFileAtomically(dir / "bad.xml", bad);
    EXPECT_THROW(ReadDlibXml(dir / "bad.xml"), datasets::storage::BadContent) << bad;
  }
}

tests::ProgramOutcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

TEST(LandmarkCommands, SayWhatIsWrong) {
  const tests::TempDir dir;
  datasets::storage::WriteFileAtomically(dir / "text.csv", "file,AU1\n");
  datasets::storage::WriteFileAtomically(dir / "cut.net", "AUFMARK1 and no more");
  EXPECT_EQ(RunProgram("eval-landmarks").code, 2);
  EXPECT_EQ(RunProgram("eval-landmarks --landmarks auforge --data " + (dir / "gone.csv")).code, 1);
  const auto table = RunProgram("eval-landmarks --landmarks auforge --data " + (dir / "text.csv"));
  EXPECT_EQ(table.code, 3);
  EXPECT_THAT(table.text, testing::HasSubstr("text.csv: is no table of points"));
  const auto cut = RunProgram("eval-landmarks --data " + (dir / "text.csv") + " --landmarks " + (dir / "cut.net"));
  EXPECT_EQ(cut.code, 3);
  EXPECT_THAT(cut.text, testing::HasSubstr("cut.net: damaged landmarker"));
  EXPECT_EQ(RunProgram("eval-landmarks --landmarks gone.net --data " + (dir / "text.csv")).code, 1);
}

// The default AU model was trained with the nets' points: dlib's are refused before anything is labelled.
TEST(LandmarkCommands, AModelRefusesPointsOfAnotherLandmarker) {
  const tests::TempDir dir;
  const cv::Mat picture = tests::Texture(200, 200, 3, 1);
  const std::vector<std::uint8_t> jpeg = datasets::EncodeJpeg(picture, 90);
  datasets::storage::WriteFileAtomically(dir / "a.jpg", std::string(jpeg.begin(), jpeg.end()));
  if (!std::filesystem::exists(annotator::LandmarkFile("dlib"))) GTEST_SKIP() << "libdlib-data is not installed";
  const auto refused = RunProgram("annotate " + (dir / "a.jpg") + " -q --landmarks dlib -o " + (dir / "out"));
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.text, testing::HasSubstr("was trained with the landmarks of auforge-"));
}

}  // namespace
}  // namespace auforge::tools
