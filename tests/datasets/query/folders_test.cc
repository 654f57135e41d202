// Any folders of shards, given as AUFORGE_SHARDS=DIR:DIR…, queried against a plain scan.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "datasets/query/search.h"
#include "tests/datasets/query/plain_scan.h"

namespace auforge::datasets::query {
namespace {

TEST(Folders, EveryFormOfQueryFindsWhatAScanFinds) {
  const char* folders = std::getenv("AUFORGE_SHARDS");
  if (folders == nullptr) GTEST_SKIP() << "AUFORGE_SHARDS names no folders of shards";
  std::istringstream list(folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    IndexOptions options;
    options.file = ":memory:";
    const FaceIndex index(folder, options);
    std::vector<std::string> texts{
        "",         "quality>=0.5", "yaw=-10..10 & pitch=-10..10", "size=80..120", "keyword:a*",
        "source:0", "face=0"};
    const features::AuSchema schema = index.Schema();
    for (const int au : schema.numbers()) {
      const std::string name = "AU" + std::to_string(au);
      for (const char* rest : {"", ">=2", "=0.5..3", ".p>=0.5"}) texts.push_back(name + rest);
    }
    texts.push_back("AU12>=2 & !AU4 & (AU6|AU7)");
    for (const std::string& emotion : index.EmotionNames()) texts.push_back("emotion:\"" + emotion + "\"");
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
  }
}

}  // namespace
}  // namespace auforge::datasets::query
