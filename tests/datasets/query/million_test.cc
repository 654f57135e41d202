// A million faces: how fast an index of them is built and asked, and what memory that takes. Times are of
// this process's CPU, so that a busy machine does not change them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "datasets/query/describe.h"
#include "tests/datasets/query/million_rows.h"
#include "tests/support/sanitizer.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

constexpr int kShards = 100;
constexpr std::uint32_t kFaces = 10'000;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ResidentMegabytes() {
  std::ifstream status("/proc/self/statm");
  double total = 0, resident = 0;
  status >> total >> resident;
  return resident * 4096 / 1e6;
}

TEST(Million, FacesAreIndexedAndFoundInTime) {
  const tests::TempDir dir;
  const std::string file = dir / "index.sqlite";
  double build = 0;
  {
    IndexStore store(file);
    for (int s = 0; s < kShards; ++s) {
      ShardRows rows = tests::MillionRowsShard(s, kFaces);
      const double start = CpuSeconds();
      store.Put(std::move(rows.shard), rows.columns, rows.texts);
      build += CpuSeconds() - start;
    }
  }
  const double rate = kShards * kFaces / build;
  std::printf("build: %.0f rows/s of CPU, %.0f MB on disk, resident %.0f MB\n", rate,
              static_cast<double>(std::filesystem::file_size(file)) / 1e6, ResidentMegabytes());
  EXPECT_GE(rate, tests::kSanitized ? 5'000 : 50'000);

  double start = CpuSeconds();
  const FaceIndex index{IndexStore(file)};
  std::printf("open: %.1f ms\n", 1000 * (CpuSeconds() - start));
  ASSERT_EQ(index.FaceCount(), std::uint64_t{kShards} * kFaces);
  for (const char* text : {"AU12", "AU12>=2 & !AU4 & (AU6|AU7)", "emotion:happiness", "keyword:anxiety",
                           "keyword:person", "keyword:\"person word1\"",
                           "emotion:fearful & keyword:person & quality>0.5", "AU1.p>0.3 & yaw=-10..10"}) {
    start = CpuSeconds();
    const Selection selection = Find(index, ParseExpression(text));
    const double counted = CpuSeconds() - start;
    const auto page = Describe(index, selection.Page(0, 48));
    const double all = CpuSeconds() - start;
    std::printf("%-50s %7llu faces, count %5.1f ms, with first page %5.1f ms\n", text,
                static_cast<unsigned long long>(selection.Count()), 1000 * counted, 1000 * all);
    EXPECT_GT(selection.Count(), 0U) << text;
    EXPECT_FALSE(page.empty());
    EXPECT_LE(all, tests::kSanitized ? 1 : 0.1) << text;
  }
  start = CpuSeconds();
  const Selection sorted = Find(index, ParseExpression("AU12"), ParseOrder("AU12"));
  const auto strongest = Describe(index, sorted.Page(0, 48));
  std::printf("sorted by AU12: %.1f ms; a page in the middle: ", 1000 * (CpuSeconds() - start));
  start = CpuSeconds();
  Describe(index, Find(index, {}).Page(500'000, 48));
  std::printf("%.1f ms\n", 1000 * (CpuSeconds() - start));
  start = CpuSeconds();
  TallyEmotions(index, Find(index, {}));
  const double emotions = CpuSeconds();
  TallyAus(index, Find(index, {}));
  const double aus = CpuSeconds();
  TallyKeywords(index, Find(index, {}), {}, 50);
  std::printf("tables: emotions %.0f ms, AUs %.0f ms, keywords %.0f ms\n", 1000 * (emotions - start),
              1000 * (aus - emotions), 1000 * (CpuSeconds() - aus));
  const double resident = ResidentMegabytes();
  std::printf("resident %.0f MB\n", resident);
  if (!tests::kSanitized) {
    EXPECT_LE(resident, 400);
  }
}

}  // namespace
}  // namespace auforge::datasets::query
