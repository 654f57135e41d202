// query, export and keywords as scripts see them.
#include <gtest/gtest.h>

#include <filesystem>

#include "datasets/shard.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;

using Outcome = tests::ProgramOutcome;

Outcome RunProgram(const std::string& arguments) {
  return tests::RunCommand(std::string(AUFORGE_PROGRAM) + " " + arguments);
}

class QueryCommand : public testing::Test {
 protected:
  QueryCommand() {
    tests::CrawlOptions options;
    options.pictures = true;
    options.images = 20;
    tests::WriteCrawl(shards(), options);
  }
  std::string shards() const { return dir_ / "shards"; }
  std::size_t Scanned(const std::string& where) const {
    return tests::Scan(shards(), datasets::query::ParseExpression(where)).size();
  }
  tests::TempDir dir_;
};

TEST_F(QueryCommand, CountsWhatAScanCounts) {
  const auto count = [&](const std::string& options) {
    return RunProgram("query " + shards() + " -q --count " + options).text;
  };
  EXPECT_EQ(count("--au 'AU12>=2 & !AU4 & (AU6|AU7)'"),
            std::to_string(Scanned("AU12>=2 & !AU4 & (AU6|AU7)")) + "\n");
  EXPECT_EQ(count("--emotion happiness"), std::to_string(Scanned("emotion:happy")) + "\n");
  EXPECT_EQ(count("--emotion 'happy|fearful'"),
            std::to_string(Scanned("emotion:happy | emotion:fearful")) + "\n");
  EXPECT_EQ(count("--keyword 'fear of heights' --quality 0.3..0.9"),
            std::to_string(Scanned("keyword:\"fear of heights\" & quality=0.3..0.9")) + "\n");
  EXPECT_EQ(count("--pose 20 --size 80..200"),
            std::to_string(Scanned("yaw=-20..20 & pitch=-20..20 & size=80..200")) + "\n");
  EXPECT_EQ(count("--source example.org --size 100"),
            std::to_string(Scanned("source:example.org & size>=100")) + "\n");
  EXPECT_EQ(count("--json"),
            "{\"faces\":" + std::to_string(Scanned("")) + ",\"of\":" + std::to_string(Scanned("")) + "}\n");
}

TEST_F(QueryCommand, ListsSheetsLinesAndShards) {
  const Outcome list = RunProgram("query " + shards() + " -q --au 'AU12>=3' --list");
  EXPECT_EQ(list.code, 0);
  EXPECT_EQ(static_cast<std::size_t>(std::count(list.text.begin(), list.text.end(), '\n')),
            Scanned("AU12>=3") + 1)
      << list.text;
  const Outcome sheet =
      RunProgram("query " + shards() + " -q --sort AU12 --limit 5 --sheet " + (dir_ / "s.png"));
  EXPECT_EQ(sheet.code, 0) << sheet.text;
  EXPECT_EQ(tests::ReadText(dir_ / "s.png").substr(1, 3), "PNG");
  const Outcome lines = RunProgram("query " + shards() + " -q --sort +quality --limit 7 --jsonl -");
  EXPECT_EQ(std::count(lines.text.begin(), lines.text.end(), '\n'), 7);
  float last = -1;
  for (std::size_t at = lines.text.find("\"quality\":"); at != std::string::npos;
       at = lines.text.find("\"quality\":", at + 1)) {
    const float quality = std::stof(lines.text.substr(at + 10, 12));
    EXPECT_GE(quality, last);
    last = quality;
  }
  const Outcome chosen = RunProgram("query " + shards() + " -q --emotion happy -o " + (dir_ / "happy"));
  EXPECT_EQ(chosen.code, 0) << chosen.text;
  EXPECT_EQ(RunProgram("verify " + (dir_ / "happy")).code, 0);
  EXPECT_EQ(RunProgram("query " + (dir_ / "happy") + " -q --count").text,
            std::to_string(Scanned("emotion:happy")) + "\n");
  EXPECT_EQ(RunProgram("query " + shards() + " -q --emotion happy -o " + (dir_ / "happy")).code, 2)
      << "the folder is not empty";
  EXPECT_EQ(RunProgram("query " + shards() + " -q --keyword nowhere -o " + (dir_ / "none")).code, 3);
  EXPECT_FALSE(fs::exists(dir_ / "none"));
}

TEST_F(QueryCommand, TablesAreEmotioNets) {
  const Outcome emotions = RunProgram("query " + shards() + " -q --table emotions");
  EXPECT_EQ(emotions.text.substr(0, 21), "emotion\timages\tfaces\n") << emotions.text;
  EXPECT_NE(emotions.text.find("\t" + std::to_string(Scanned("emotion:happy")) + "\n"), std::string::npos)
      << emotions.text;
  const Outcome aus = RunProgram("query " + shards() + " -q --table aus --json");
  EXPECT_NE(aus.text.find("\"faces\":" + std::to_string(Scanned("AU12")) + "}"), std::string::npos)
      << aus.text;
  tests::WriteText(dir_ / "words.tsv", "fear of heights\ta definition\nnothing at all\n");
  const Outcome words =
      RunProgram("query " + shards() + " -q --table keywords --words " + (dir_ / "words.tsv"));
  EXPECT_NE(words.text.find("fear of heights\t"), std::string::npos) << words.text;
  EXPECT_NE(words.text.find("nothing at all\t0\t0"), std::string::npos) << words.text;
}

TEST_F(QueryCommand, BadInputIsExplained) {
  const auto expect = [&](const std::string& arguments, int code, const std::string& part) {
    const Outcome outcome = RunProgram(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << "\n" << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << arguments << "\n" << outcome.text;
  };
  fs::create_directories(dir_ / "empty");
  expect("query " + (dir_ / "empty"), 1, "no finished shard in it");
  expect("query " + (dir_ / "none"), 1, "no such folder");
  expect("query " + shards() + "/00000.h5", 1, "is not a folder");
  expect("query " + shards() + " --au 'AU12>= & AU4'", 2, "AU12>= & AU4\n       ^\ncolumn 8: ");
  expect("query " + shards() + " --au AU99", 2, "did you mean AU9?");
  expect("query " + shards() + " --au AU5", 2, "the nearest is AU4");
  expect("query " + shards() + " --emotion hapiness", 2, "did you mean \"happiness\"?");
  expect("query " + shards() + " --au AU12 --emotion hapiness", 2, "auforge query: no emotion is called");
  expect("query --emotion hapiness " + shards(), 2, "no emotion is called");
  expect("query " + shards() + " --quality good", 2, "--quality good: write a number");
  expect("query " + shards() + " --sort beauty", 2, "--sort beauty");
  expect("query " + shards() + " --table nonsense", 2, "--table");
  expect("query " + shards() + " --pose 400", 2, "--pose");
  expect("export " + shards() + " --format xml -o " + (dir_ / "x"), 2, "--format");
  expect("export " + shards() + " --format csv -o /proc/none/x.csv", 2, "/proc/none/x.csv");
}

TEST_F(QueryCommand, ADamagedShardAmongGoodOnesIsNamedAndTheRestAnswered) {
  const std::size_t good = Scanned("");
  const std::string whole = tests::ReadText(shards() + "/00001.h5");
  const std::size_t lost = datasets::ShardReader(shards() + "/00001.h5").FaceCount();
  tests::WriteText(shards() + "/00001.h5", whole.substr(0, whole.size() / 2));
  for (int run = 0; run < 2; ++run) {  // the second time the index remembers
    const Outcome outcome = RunProgram("query " + shards() + " -q --count");
    EXPECT_EQ(outcome.code, 3) << outcome.text;
    EXPECT_NE(outcome.text.find("00001.h5"), std::string::npos) << outcome.text;
    EXPECT_EQ(outcome.text.substr(0, outcome.text.find('\n')), std::to_string(good - lost));
  }
  EXPECT_EQ(RunProgram("query " + shards() + " -q --count --skip-damaged").code, 0);
  EXPECT_EQ(RunProgram("export " + shards() + " -q --format csv -o " + (dir_ / "a.csv")).code, 3);
  EXPECT_TRUE(fs::exists(dir_ / "a.csv"));
}

TEST_F(QueryCommand, HostileTextsDoNotReachTheTerminal) {
  datasets::ShardHeader header = tests::CrawlHeader({});
  datasets::ShardWriter writer(dir_ / "hostile", 0, header);
  datasets::ShardReader from(shards() + "/00000.h5");
  datasets::SampleRecord sample;
  sample.key = "a\x1b[2Jb\tc\nd";
  datasets::FaceRecord face = from.Face(0);
  face.image = from.FaceImage(0);
  face.sample = writer.AddSample(sample);
  writer.AddFace(std::move(face));
  writer.Finish();
  const Outcome list = RunProgram("query " + (dir_ / "hostile") + " -q --list");
  EXPECT_EQ(list.text.find('\x1b'), std::string::npos);
  EXPECT_NE(list.text.find("a [2Jb c d"), std::string::npos) << list.text;
  EXPECT_EQ(std::count(list.text.begin(), list.text.end(), '\n'), 2);
}

TEST_F(QueryCommand, ExportsAFilteredFolder) {
  for (const char* format : {"csv", "jsonl", "openface", "webdataset", "shards"}) {
    const std::string output = dir_ / (std::string("out-") + format);
    const Outcome outcome =
        RunProgram("export " + shards() + " -q --format " + format + " --au 'AU12>=2' -o " + output);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_NE(outcome.text.find(output + ": " + std::to_string(Scanned("AU12>=2")) + " faces"),
              std::string::npos)
        << outcome.text;
    EXPECT_TRUE(fs::exists(output));
  }
  const Outcome few = RunProgram("export " + shards() + " -q --format ganimation -o " + (dir_ / "gan"));
  EXPECT_EQ(few.code, 1);
  EXPECT_NE(few.text.find("does not measure AU5"), std::string::npos) << few.text;
}

// A folder that is put together of several runs.
TEST_F(QueryCommand, InspectTellsEveryDetector) {
  for (const int number : {0, 1}) {
    datasets::ShardHeader header = tests::CrawlHeader({});
    header.detector = number == 0 ? "auforge-1" : "dlib-hog";
    header.model_digest = number == 0 ? "first" : "second";
    datasets::ShardWriter(dir_ / "mixed", number, header).Finish();
  }
  const Outcome text = RunProgram("inspect " + (dir_ / "mixed")), json = RunProgram("inspect --json " + (dir_ / "mixed"));
  EXPECT_NE(text.text.find("detector auforge-1 and dlib-hog"), std::string::npos) << text.text;
  EXPECT_NE(json.text.find(R"("detectors":["auforge-1","dlib-hog"])"), std::string::npos) << json.text;
  EXPECT_NE(json.text.find(R"("models":["first","second"])"), std::string::npos) << json.text;
}

TEST_F(QueryCommand, FacesWithoutPicturesAreReadWithoutThem) {
  tests::CrawlOptions options;
  options.crops = false;
  options.aus = features::GanSchema().numbers();
  const std::string bare = dir_ / "bare";
  tests::WriteCrawl(bare, options);
  const auto succeeds = [&](const std::string& arguments, const std::string& part) {
    const Outcome outcome = RunProgram(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << arguments << "\n" << outcome.text;
  };
  succeeds("verify " + bare, "");
  succeeds("inspect " + bare, "3 shards have no face pictures (annotate --no-crops)");
  succeeds("query " + bare + " -q --au 'AU12>=3' --list", "quality");
  succeeds("query " + bare + " -q --sheet " + (dir_ / "points.png"), "points.png: 48 faces");
  succeeds("report " + bare + " -o " + (dir_ / "bare.html"), "");
  EXPECT_EQ(tests::ReadText(dir_ / "bare.html").find("<image width"), std::string::npos);
  for (const char* format : {"csv", "jsonl", "openface"})
    succeeds("export " + bare + " -q --format " + format + " -o " + (dir_ / (std::string("bare-") + format)), " faces");
  succeeds("query " + bare + " -q --au 'AU12>=3' -o " + (dir_ / "copied"), "copied: ");
  succeeds("verify " + (dir_ / "copied"), "");
  EXPECT_FALSE(datasets::ShardReader(dir_ / "copied/00000.h5").header().has_crops);
  for (const char* format : {"webdataset", "ganimation"}) {
    const std::string output = dir_ / (std::string("bare-") + format);
    const Outcome outcome = RunProgram("export " + bare + " -q --format " + format + " -o " + output);
    EXPECT_EQ(outcome.code, 3) << outcome.text;
    EXPECT_NE(outcome.text.find("00000.h5: has no face pictures"), std::string::npos) << outcome.text;
    EXPECT_FALSE(fs::exists(output));
  }
}

TEST(KeywordsCommand, ListsWordsWithDefinitions) {
  const tests::TempDir dir;
  tests::WriteText(dir / "data.noun", "00000000 12 n 02 fear 0 fear_of_x 0 000 | a, \"an example\"  \n");
  tests::WriteText(dir / "index.noun", "\nfear n 1 0 1 1 00000000  \n");
  const auto run = [&](const std::string& options) {
    return RunProgram("keywords --root fear --wordnet " + dir.path().string() + " " + options);
  };
  EXPECT_EQ(run("2>/dev/null").text.substr(0, 20), "fear\ta,\nfear of x\ta,");
  EXPECT_NE(run("--format csv --query '{} face'").text.find("fear face,fear,\"a,\",0,0,0"),
            std::string::npos);
  EXPECT_NE(
      run("--format jsonl")
          .text.find(
              R"({"caption":"fear of x","word":"fear of x","definition":"a,","examples":["an example"])"),
      std::string::npos);
  EXPECT_EQ(run("--query face").code, 2);
  EXPECT_EQ(run("--wordnet /nowhere").code, 2);  // given twice
  EXPECT_EQ(RunProgram("keywords --wordnet /nowhere").code, 1);
  EXPECT_EQ(run("--sense 9").code, 2);
}

}  // namespace
}  // namespace auforge::tools
