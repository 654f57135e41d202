// What the explorer answers, asked without a socket, against a plain scan of the shards.
#include "tools/crawl/explorer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/query/search.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using nlohmann::json;

class FakeEditor : public FaceEditor {
 public:
  std::vector<int> Aus() const override { return {4, 12}; }
  std::string Edit(const std::vector<std::uint8_t>& crop, const std::vector<std::pair<int, float>>& shown,
                   const std::vector<std::pair<int, float>>& wanted) override {
    return "crop " + std::to_string(crop.size()) + ", shown " + std::to_string(shown.size()) + ", AU" +
           std::to_string(wanted.at(0).first) + "=" + std::to_string(wanted.at(0).second);
  }
};

class ExplorerApi : public testing::Test {
 protected:
  ExplorerApi() : index_(Write(dir_), {}), explorer_(index_, nullptr, {}) {}

  static std::string Write(const tests::TempDir& dir) {
    tests::CrawlOptions options;
    options.pictures = true;
    tests::WriteCrawl(dir.path().string(), options);
    return dir.path().string();
  }
  static HttpRequest Get(const std::string& path, std::map<std::string, std::string> parameters = {}) {
    return {false, path, std::move(parameters), ""};
  }
  json Ask(const std::string& path, std::map<std::string, std::string> parameters = {},
           int status = 200) const {
    const HttpResponse response = explorer_.Handle(Get(path, std::move(parameters)));
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    return json::parse(response.body);
  }
  std::size_t Scanned(const std::string& where) const {
    return tests::Scan(dir_.path().string(), datasets::query::ParseExpression(where)).size();
  }
  static std::string Drain(const HttpResponse& response) {
    std::string all;
    for (bool goes_on = true; goes_on;) {
      std::string part;
      goes_on = response.stream(part);
      all += part;
    }
    return all;
  }

  tests::TempDir dir_;
  datasets::query::FaceIndex index_;
  Explorer explorer_;
};

TEST_F(ExplorerApi, FindsWhatAScanFinds) {
  for (const char* where :
       {"", "AU12>=2 & !AU4", "emotion:happy", "keyword:\"fear of heights\"", "quality>0.5 | yaw<0"}) {
    const json answer = Ask("/api/faces", {{"q", where}, {"limit", "200"}});
    EXPECT_EQ(answer["count"], Scanned(where)) << where;
    EXPECT_EQ(answer["faces"].size(), std::min<std::size_t>(200, Scanned(where)));
  }
  const json info = Ask("/api/info");
  EXPECT_EQ(info["faces"], Scanned(""));
  EXPECT_EQ(info["aus"].size(), 8U);
  EXPECT_TRUE(info["editable"].empty());
}

TEST_F(ExplorerApi, OneFaceSaysEverything) {
  const json face = Ask("/api/face", {{"shard", "1"}, {"face", "3"}});
  const datasets::ShardReader shard(index_.ShardPath(1));
  EXPECT_EQ(face["landmarks"].size(), 68U);
  EXPECT_EQ(face["aus"].size(), 8U);
  EXPECT_FALSE(face["aus"][5]["regions"].empty()) << "AU12 has a region";
  EXPECT_NEAR(face["aus"][5]["intensity"].get<double>(), shard.AuIntensity()[3 * 8 + 5], 0.006);
  EXPECT_EQ(face["crop"], json({64, 64}));
  const HttpResponse crop = explorer_.Handle(Get("/api/crop", {{"shard", "1"}, {"face", "3"}}));
  EXPECT_EQ(crop.type, "image/jpeg");
  const auto bytes = shard.FaceImage(3);
  EXPECT_EQ(crop.body, std::string(bytes.begin(), bytes.end()));
}

TEST_F(ExplorerApi, OfFacesWithoutPicturesThePointsAreShown) {
  const tests::TempDir dir;
  tests::CrawlOptions options;
  options.crops = false;
  tests::WriteCrawl(dir.path().string(), options);
  const datasets::query::FaceIndex index(dir.path().string(), {});
  FakeEditor editor;
  const Explorer explorer(index, &editor, {});
  const HttpResponse detail = explorer.Handle(Get("/api/face", {{"shard", "0"}, {"face", "1"}}));
  ASSERT_EQ(detail.status, 200) << detail.body;
  const json face = json::parse(detail.body);
  EXPECT_EQ(face["has_crop"], false);
  EXPECT_GT(face["crop"][0].get<int>(), 15);
  const HttpResponse crop = explorer.Handle(Get("/api/crop", {{"shard", "0"}, {"face", "1"}}));
  EXPECT_EQ(crop.status, 200);
  EXPECT_EQ(crop.type, "image/jpeg");
  HttpRequest edit{true, "/api/edit", {{"shard", "0"}, {"face", "1"}}, R"({"AU12": 3})"};
  const HttpResponse refused = explorer.Handle(edit);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("no face pictures"), std::string::npos) << refused.body;
}

TEST_F(ExplorerApi, TablesAreThoseOfTheSelection) {
  const json emotions = Ask("/api/table", {{"table", "emotions"}, {"q", "AU12"}});
  for (const json& row : emotions) {
    EXPECT_EQ(row["faces"], Scanned("AU12 & emotion:\"" + row["name"].get<std::string>() + "\"")) << row;
  }
  EXPECT_EQ(emotions.size(), 5U);
  EXPECT_GT(Ask("/api/table", {{"table", "keywords"}}).size(), 5U);
  Ask("/api/table", {{"table", "passwords"}}, 400);
}

TEST_F(ExplorerApi, MistakesAreAnsweredWithTheColumn) {
  const json fault = Ask("/api/faces", {{"q", "AU12>= & AU4"}}, 400);
  EXPECT_EQ(fault["column"], 8);
  EXPECT_NE(Ask("/api/faces", {{"q", "emotion:hapy"}}, 400)["error"].get<std::string>().find("did you mean"),
            std::string::npos);
  Ask("/api/faces", {{"sort", "beauty"}}, 400);
  Ask("/api/faces", {{"q", std::string(5000, 'x')}}, 400);
}

TEST_F(ExplorerApi, NumbersOutOfRangeAreRefused) {
  for (const char* number :
       {"-1", "99999999999999999999", "1e3", "0x1", "", " 1", "201", "../../etc/passwd"}) {
    Ask("/api/faces", {{"limit", number}}, 400);
  }
  for (const char* number : {"-1", "3", "999999999999", "", "00000.h5", "../00000.h5", "/etc/passwd"}) {
    Ask("/api/face", {{"shard", number}, {"face", "0"}}, 400);
    Ask("/api/crop", {{"shard", number}, {"face", "0"}}, 400);
    if (std::string(number) != "3") Ask("/api/face", {{"shard", "0"}, {"face", number}}, 400);
  }
  EXPECT_EQ(Ask("/api/faces", {{"offset", "18446744073709551615"}})["faces"].size(), 0U);
}

TEST_F(ExplorerApi, NoAddressReachesAFile) {
  for (const char* path :
       {"/etc/passwd", "/../../etc/passwd", "//etc/passwd", "/00000.h5", "/auforge-index.sqlite",
        "/web/app.js", "/api/../app.js", "/api", "/api/", "/app.js/", "/index.html/.."}) {
    Ask(path, {}, 404);
  }
}

TEST_F(ExplorerApi, NothingIsChangedByAsking) {
  for (const char* path : {"/", "/api/faces", "/api/face", "/api/info", "/api/crop"}) {
    EXPECT_EQ(explorer_.Handle({true, path, {}, "x"}).status, 405) << path;
  }
}

TEST_F(ExplorerApi, DownloadsAreWhatWasFound) {
  HttpResponse lines =
      explorer_.Handle(Get("/api/download", {{"q", "AU12>=2"}, {"format", "jsonl"}, {"sort", "AU12"}}));
  const std::string text = Drain(lines);
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), Scanned("AU12>=2"));
  EXPECT_TRUE(json::parse(text.substr(0, text.find('\n')))["aus"].contains("AU12"));
  const std::string table = Drain(explorer_.Handle(Get("/api/download", {{"format", "csv"}})));
  EXPECT_EQ(table.substr(0, 10), "shard,face");
  const std::string picked =
      Drain(explorer_.Handle({true, "/api/download", {{"format", "jsonl"}}, "2:1,0:0"}));
  EXPECT_EQ(std::count(picked.begin(), picked.end(), '\n'), 2);
  EXPECT_EQ(json::parse(picked.substr(0, picked.find('\n')))["shard"], "00002.h5");
  for (const char* body : {"9:0", "0:99999", "0", "a:b", "0:0,,", "0:0;1:1"}) {
    EXPECT_EQ(explorer_.Handle({true, "/api/download", {}, body}).status, 400) << body;
  }
  EXPECT_EQ(explorer_.Handle(Get("/api/download", {{"format", "exe"}})).status, 400);
}

TEST_F(ExplorerApi, HostileCaptionsStayText) {
  const json answer = Ask("/api/faces", {{"q", "keyword:script"}});
  ASSERT_GT(answer["count"], 0);
  const json& face = answer["faces"][0];
  const HttpResponse whole =
      explorer_.Handle(Get("/api/face", {{"shard", std::to_string(face["shard"].get<int>())},
                                         {"face", std::to_string(face["face"].get<int>())}}));
  EXPECT_EQ(whole.type, "application/json");
  EXPECT_NE(json::parse(whole.body)["caption"].get<std::string>().find("<script>"), std::string::npos)
      << "it is data, unchanged";
  // The page itself has nothing of the crawl in it, and its script never makes markup of text.
  const std::string script = explorer_.Handle(Get("/app.js")).body;
  for (const char* danger :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"}) {
    EXPECT_EQ(script.find(danger), std::string::npos) << danger;
  }
  const std::string page = explorer_.Handle(Get("/")).body;
  EXPECT_EQ(page.find("http:"), std::string::npos);
  EXPECT_EQ(page.find("https:"), std::string::npos);
}

TEST_F(ExplorerApi, AQuestionThatTakesTooLongIsStopped) {
  // A deadline that is over before it starts.
  class Late {
   public:
    explicit Late(const datasets::query::FaceIndex& index) : explorer(index, nullptr, Options()) {}
    static ExplorerOptions Options() {
      ExplorerOptions options;
      options.longest_query = std::chrono::milliseconds(1);
      return options;
    }
    Explorer explorer;
  };
  const tests::TempDir dir;
  tests::CrawlOptions many;
  many.shards = 40;
  many.images = 100;
  tests::WriteCrawl(dir.path().string(), many);
  const datasets::query::FaceIndex index(dir.path().string(), {});
  std::string everything = "AU1>5";
  for (int i = 0; i < 200; ++i) everything += " | source:x" + std::to_string(i);
  const HttpResponse response = Late(index).explorer.Handle(Get("/api/faces", {{"q", everything}}));
  EXPECT_EQ(response.status, 503) << response.body;
}

TEST_F(ExplorerApi, EditingAsksTheGenerator) {
  EXPECT_EQ(explorer_.Handle({true, "/api/edit", {{"shard", "0"}, {"face", "0"}}, "{}"}).status, 404);
  FakeEditor editor;
  const Explorer explorer(index_, &editor, {});
  const auto edit = [&](const std::string& body) {
    return explorer.Handle({true, "/api/edit", {{"shard", "0"}, {"face", "0"}}, body});
  };
  const HttpResponse edited = edit(R"({"AU12": 3.5})");
  EXPECT_EQ(edited.type, "image/png");
  EXPECT_NE(edited.body.find("shown 8, AU12=3.5"), std::string::npos) << edited.body;
  for (const char* body : {"", "[]", "12", R"({"AU6": 1})", R"({"AU12": 6})", R"({"AU12": -1})",
                           R"({"AU12": "x"})", R"({"AU12": null})", R"({"__proto__": 1})"}) {
    EXPECT_EQ(edit(body).status, 400) << body;
  }
  EXPECT_EQ(explorer.Handle({false, "/api/edit", {{"shard", "0"}, {"face", "0"}}, "{}"}).status, 404);
}

}  // namespace
}  // namespace auforge::tools
