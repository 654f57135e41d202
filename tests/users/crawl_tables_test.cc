// img2dataset's 00000.parquet beside its tar, through the commands: what the crawl tried and did not get is in every summary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/shard.h"
#include "tests/support/tar_file.h"
#include "tests/support/test_data.h"
#include "tests/users/users_files.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using tests::InShell;

TEST(CrawlTables, AreInEverySummary) {
  const tests::TempDir dir;
  fs::current_path(dir.path());
  const std::string people = tests::ReadText(tests::PhotoWithFaces());
  tests::WriteTar("00000.tar", {{"000000001.jpg", people}, {"000000002.jpg", "damaged"}});
  // 100 rows, every third failed: tests/golden/parquet/make.py.
  fs::copy_file(tests::SourcePath("tests/golden/parquet/default.parquet"), "00000.parquet");
  const std::string command = "$AUFORGE annotate -q -j 1 --min-face 80 00000.tar -o out";
  const auto outcome = InShell(command);
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("what the crawl tried: 34 failed_to_download (HTTP Error 404, …), 66 success"));
  const json wanted{{"success", 66}, {"failed_to_download", 34}};
  EXPECT_EQ(json::parse(tests::ReadText("out/00000_stats.json")).at("crawl"), wanted);
  EXPECT_EQ(datasets::ShardReader("out/00000.h5").Sample(0).url, "http://host/1.jpg");
  EXPECT_THAT(InShell("$AUFORGE merge-stats out").text, HasSubstr("what the crawl tried: 34 failed_to_download, 66 success"));
  EXPECT_EQ(json::parse(InShell("$AUFORGE merge-stats out --json").text).at("crawl"), wanted);
  ASSERT_EQ(InShell("$AUFORGE report out -o report.html").code, 0);
  EXPECT_THAT(tests::ReadText("report.html"), AllOf(HasSubstr("What the crawl tried and did not get"), HasSubstr("failed_to_download")));
  EXPECT_THAT(InShell(command).text, HasSubstr("nothing to do"));
  // Another table: other texts, so the shard is made anew; none that can be read: the images stay.
  tests::WriteText("00000.parquet", "no table");
  const auto anew = InShell(command);
  EXPECT_EQ(anew.code, 0);
  EXPECT_THAT(anew.text, AllOf(HasSubstr("has changed"), HasSubstr("crawl tables that could not be read: 1 (00000.parquet: ")));
  EXPECT_EQ(datasets::ShardReader("out/00000.h5").SampleCount(), 2U);
  fs::current_path("/");
}

}  // namespace
}  // namespace auforge
