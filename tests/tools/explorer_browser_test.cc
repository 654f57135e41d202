// The explorer's page end to end: this server, headless Chromium, and a script that uses it
// (explorer_browser.py). AUFORGE_SCREENSHOTS=DIR keeps pictures of what it looked like.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "datasets/image_codec.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/million_rows.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tools/crawl/explorer.h"
#include "tools/crawl/report_page.h"

namespace auforge::tools {
namespace {

// Draws the crop brighter, the more the wanted AUs are raised.
class Brightener : public FaceEditor {
 public:
  std::vector<int> Aus() const override { return {1, 2, 4, 6, 7, 12, 25, 45}; }
  std::string Edit(const std::vector<std::uint8_t>& crop, const std::vector<std::pair<int, float>>&,
                   const std::vector<std::pair<int, float>>& wanted) override {
    cv::Mat face = datasets::DecodeImage(crop, {}).bgr;
    for (const auto& [au, value] : wanted) face += cv::Scalar::all(12 * value);
    std::vector<std::uint8_t> png;
    cv::imencode(".png", face, png);
    return {png.begin(), png.end()};
  }
};

bool HaveBrowser() {
  return std::filesystem::exists("/usr/bin/chromedriver") && std::filesystem::exists("/usr/bin/chromium") &&
         std::system("/usr/bin/python3 -c 'import selenium' 2>/dev/null") == 0;
}

int RunScript(const std::string& scenario, const std::string& address) {
  std::string command = "timeout 120 /usr/bin/python3 " +
                        tests::SourcePath("tests/tools/explorer_browser.py") + " " + scenario + " " + address;
  if (const char* shots = std::getenv("AUFORGE_SCREENSHOTS")) command += std::string(" ") + shots;
  return std::system(command.c_str());
}

int Browse(const datasets::query::FaceIndex& index, FaceEditor* editor, const std::string& scenario) {
  const Explorer explorer(index, editor, {});
  HttpOptions options;
  options.port = 0;
  HttpServer server(options, [&explorer](const HttpRequest& request) { return explorer.Handle(request); });
  std::thread thread([&server] { server.Run(); });
  const int status = RunScript(scenario, "http://127.0.0.1:" + std::to_string(server.port()) + "/");
  server.Stop();
  thread.join();
  return status;
}

class ExplorerInBrowser : public testing::TestWithParam<const char*> {};

TEST_P(ExplorerInBrowser, WorksAsAPersonUsesIt) {
  if (!HaveBrowser())
    GTEST_SKIP()
        << "chromium, chromium-driver or python3-selenium is missing; tools/install-deps.sh installs them";
  const tests::TempDir dir;
  tests::CrawlOptions crawl;
  crawl.pictures = true;
  crawl.images = 60;
  tests::WriteCrawl(dir.path().string(), crawl);
  const datasets::query::FaceIndex index(dir.path().string(), {});
  Brightener editor;
  EXPECT_EQ(Browse(index, &editor, GetParam()), 0);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ExplorerInBrowser,
                         testing::Values("query", "face", "keyboard", "download", "edit", "phone"),
                         [](const auto& scenario) { return std::string(scenario.param); });

TEST(ReportInBrowser, IsFitToBeShown) {
  if (!HaveBrowser()) {
    GTEST_SKIP()
        << "chromium, chromium-driver or python3-selenium is missing; tools/install-deps.sh installs them";
  }
  const tests::TempDir dir;
  tests::CrawlOptions crawl;
  crawl.pictures = true;
  tests::WriteCrawl(dir.path().string(), crawl);
  const ReportData data = GatherReport({dir.path().string()}, 12);
  tests::WriteText(dir / "report.html", ReportPage(data, ChooseReportFaces(data, 3, 0.5F), "A crawl"));
  EXPECT_EQ(RunScript("report", "file://" + (dir / "report.html")), 0);
}

TEST(ExplorerInBrowserSlow, ScrollsThroughAMillionFaces) {
  if (!HaveBrowser())
    GTEST_SKIP()
        << "chromium, chromium-driver or python3-selenium is missing; tools/install-deps.sh installs them";
  datasets::query::IndexStore store(":memory:");
  for (int s = 0; s < 100; ++s) {
    datasets::query::ShardRows rows = tests::MillionRowsShard(s, 10'000);
    store.Put(std::move(rows.shard), rows.columns, rows.texts);
  }
  EXPECT_EQ(Browse(datasets::query::FaceIndex(std::move(store)), nullptr, "million"), 0);
}

}  // namespace
}  // namespace auforge::tools
