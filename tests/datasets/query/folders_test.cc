// Folders of shards queried against a plain scan: one that the test writes, and any others that are named as
// AUFORGE_SHARDS=DIR:DIR….
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "datasets/query/search.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

std::vector<std::string> EveryForm(const FaceIndex& index) {
  std::vector<std::string> texts{
      "", "quality>=0.5", "yaw=-10..10 & pitch=-10..10", "size=80..120", "keyword:a*", "source:0", "face=0"};
  const features::AuSchema schema = index.Schema();
  for (const int au : schema.numbers()) {
    const std::string name = "AU" + std::to_string(au);
    for (const char* rest : {"", ">=2", "=0.5..3", ".p>=0.5"}) texts.push_back(name + rest);
  }
  texts.push_back("AU12>=2 & !AU4 & (AU6|AU7)");
  for (const std::string& emotion : index.EmotionNames()) texts.push_back("emotion:\"" + emotion + "\"");
  return texts;
}

// Returns how many faces were found by all queries together.
std::uint64_t CompareWithScan(const std::string& folder) {
  IndexOptions options;
  options.file = ":memory:";
  const FaceIndex index(folder, options);
  const std::vector<std::string> texts = EveryForm(index);
  std::uint64_t found = 0;
  for (const std::string& text : texts) {
    const Expression expression = ParseExpression(text);
    const std::uint64_t scanned = tests::Scan(folder, expression).size();
    EXPECT_EQ(Find(index, expression).Count(), scanned) << folder << ": " << text;
    found += scanned;
  }
  std::printf("%s: %llu faces, %zu queries, %llu faces found by them\n", folder.c_str(),
              static_cast<unsigned long long>(index.FaceCount()), texts.size(),
              static_cast<unsigned long long>(found));
  return found;
}

TEST(Folders, EveryFormOfQueryFindsWhatAScanFinds) {
  const tests::TempDir folder;
  tests::WriteCrawl(folder.path().string(), {.shards = 4, .images = 60, .seed = 5});
  EXPECT_GT(CompareWithScan(folder.path().string()), 1000U);
  const char* more = std::getenv("AUFORGE_SHARDS");
  std::istringstream list(more == nullptr ? "" : more);
  for (std::string other; std::getline(list, other, ':');) CompareWithScan(other);
}

}  // namespace
}  // namespace auforge::datasets::query
