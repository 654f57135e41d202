// The judge on real points and real photographs (AUFORGE_DATA).
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "tests/gan/mesh_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tools/cli/cli.h"
#include "tools/gan/gan_eval_judge.h"
#include "tools/gan/mesh_points.h"

namespace auforge::tools {
namespace {

// mesh.h5's points of people who smile, by the codes of readers: what the judge looks at tells them.
TEST(MeshJudgeData, MouthsOfPhotographsAreMeasured) {
  const auto path = tests::DataPath("faces/mesh.h5"), codes = tests::DataPath("faces/labels.csv");
  if (!path || !codes) GTEST_SKIP() << "no faces/mesh.h5 and faces/labels.csv below AUFORGE_DATA";
  const MeshFile file = ReadMeshFile(*path);
  EXPECT_GT(file.rows.size(), 2000U);
  std::ifstream lines(*codes);
  std::string line;
  std::getline(lines, line);
  std::vector<std::string> names;
  for (std::stringstream fields(line); std::getline(fields, line, ',');) names.push_back(line);
  std::map<std::string, std::array<std::pair<double, int>, 2>> of_level;  // AU -> sum and count of absent and marked
  const std::map<std::string, Measure> measures{{"AU12", Measure::kMouthWidth}, {"AU25", Measure::kLipGap}, {"AU45", Measure::kLids}};
  while (std::getline(lines, line)) {
    std::vector<std::string> fields;
    for (std::stringstream parts(line); std::getline(parts, line, ',');) fields.push_back(line);
    const auto row = file.rows.find(fields[0]);
    if (row == file.rows.end() || !row->second) continue;
    for (std::size_t j = 1; j < fields.size(); ++j) {
      const auto measure = measures.find(names[j]);
      if (measure == measures.end() || (fields[j] != "0" && fields[j] != "2" && fields[j] != "3")) continue;
      auto& [sum, count] = of_level[names[j]][fields[j] != "0"];
      sum += Take(measure->second, *row->second);
      ++count;
    }
  }
  const auto difference = [&](const std::string& au) {
    const auto& [absent, marked] = of_level.at(au);
    EXPECT_GT(marked.second, 5) << au;
    return marked.first / marked.second - absent.first / absent.second;
  };
  EXPECT_GT(difference("AU12"), 0.05);
  EXPECT_GT(difference("AU25"), 0.05);
  EXPECT_LT(difference("AU45"), -0.03);
}

// Points tell nothing of pictures that were edited back; the pictures do.
TEST(MeshJudgeData, ThereAndBackIsToldBesideTheMovements) {
  const auto tar = tests::DataPath("portraits/00005.tar");
  if (!tar) GTEST_SKIP() << "no portraits/00005.tar below AUFORGE_DATA";
  const auto source = datasets::ImageSource::Plan({*tar}, {});
  datasets::ImageItem portrait;
  ASSERT_TRUE(source.Open(source.Shards().front())->Next(portrait));
  const cv::Mat face = cv::imdecode(portrait.bytes, cv::IMREAD_COLOR), brighter = face + cv::Scalar::all(3);
  const tests::TempDir dir;
  for (const auto& [folder, picture] : {std::pair{"AU26_0", face}, {"AU26_1", face}, {"AU26_back", brighter}}) {
    std::filesystem::create_directories(dir.path() / "edits" / folder);
    cv::imwrite((dir.path() / "edits" / folder / "a.png").string(), picture);
  }
  tests::WriteMeshFile(dir / "points.h5", {{"AU26_0/a", tests::NeutralMesh()}, {"AU26_1/a", tests::NeutralMesh()}});
  JudgeArguments arguments;
  arguments.judge = "mesh:" + (dir / "points.h5");
  arguments.pictures = dir / "edits";
  arguments.json_file = dir / "report.json";
  arguments.quiet = true;
  EXPECT_EQ(RunJudge(arguments), kDone);
  std::ifstream report(arguments.json_file);
  const std::string text{std::istreambuf_iterator<char>(report), {}};
  const std::size_t at = text.find("\"back_grey\": ");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_NEAR(std::stod(text.substr(at + 13)), 3, 0.2);
}

}  // namespace
}  // namespace auforge::tools
