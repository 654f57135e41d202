// The portraits, annotated, and queried against a plain scan.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "datasets/query/search.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::datasets::query {
namespace {

TEST(Portraits, EveryFormOfQueryFindsWhatAScanFinds) {
  const auto portraits = tests::DataPath("portraits");
  if (!portraits) GTEST_SKIP() << "no portraits: set AUFORGE_DATA to the folder that has them";
  const tests::TempDir dir;
  const std::string folder = dir / "shards";
  const std::string annotate = std::string(AUFORGE_PROGRAM) + " annotate '" + *portraits +
                               "/{00000..00005}.tar' -q -o " + folder + " >/dev/null 2>&1";
  ASSERT_EQ(std::system(annotate.c_str()), 0) << annotate;
  const FaceIndex index(folder, {});
  EXPECT_GT(index.FaceCount(), 500U);
  std::uint64_t found = 0;
  for (const char* text :
       {"", "AU12>=2", "AU12>=2 & !AU4 & (AU6|AU7)", "AU25 | AU12.p>=0.5", "AU9=0.5..1.5",
        "emotion:happiness", "emotion:\"happily*\"", "!emotion:other", "keyword:official",
        "keyword:\"official portrait\"", "keyword:port*", "quality>=0.5", "yaw=-10..10 & pitch=-10..10",
        "size=80..120", "source:\"00003\"", "source:.tar & AU12", "score>1 & face=0"}) {
    const Expression expression = ParseExpression(text);
    const std::uint64_t scanned = tests::Scan(folder, expression).size();
    EXPECT_EQ(Find(index, expression).Count(), scanned) << text;
    found += scanned;
  }
  EXPECT_GT(found, 1000U) << "the queries find next to nothing: they no longer test";
}

}  // namespace
}  // namespace auforge::datasets::query
