// The layers of docs/architecture.md as a test: who may include whom, and where third-party headers may stand.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/test_data.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file;    // relative to the checkout
  std::string target;  // what stands between quotes or brackets
  bool quoted = false;
};

// What a layer may include besides itself; the order of the chain.
const std::map<std::string, std::set<std::string>>& Allowed() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"features", {}},
      {"datasets/storage", {}},
      {"annotator", {"features", "datasets/storage"}},
      {"datasets", {"features", "datasets/storage"}},
      {"datasets/synthetic", {"features", "annotator", "datasets", "datasets/storage"}},
      {"gan/warp", {"features", "annotator", "datasets", "datasets/storage", "datasets/synthetic"}},
      {"pipeline", {"features", "annotator", "datasets", "datasets/storage"}},
      {"gan", {"features", "datasets", "datasets/storage"}},
      {"annotator/net_training", {"features", "annotator", "datasets", "datasets/storage"}},
  };
  return allowed;
}

std::string LayerOf(const std::string& path) {
  for (const char* nested : {"datasets/storage", "datasets/synthetic", "annotator/net_training", "gan/warp"}) {
    if (path.starts_with(std::string(nested) + "/")) return nested;
  }
  return path.substr(0, path.find('/'));
}

std::vector<Include> IncludesOf(const fs::path& root, const fs::path& file) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::smatch match;
    if (std::regex_search(line, match, pattern)) {
      includes.push_back({fs::relative(file, root).string(), match[2], match[1] == "\""});
    }
  }
  return includes;
}

std::vector<Include> AllIncludes(const std::string& extension) {
  const fs::path root = tests::SourcePath("");
  std::vector<Include> all;
  for (const char* folder : {"features", "annotator", "datasets", "pipeline", "gan", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != extension) continue;
      const auto includes = IncludesOf(root, entry.path());
      all.insert(all.end(), includes.begin(), includes.end());
    }
  }
  return all;
}

TEST(Layers, IncludeOnlyWhatTheyMay) {
  std::size_t checked = 0;
  for (const char* extension : {".h", ".cc"}) {
    for (const Include& include : AllIncludes(extension)) {
      const std::string from = LayerOf(include.file);
      if (!include.quoted || from == "tools") continue;
      const std::string to = LayerOf(include.target);
      ASSERT_TRUE(Allowed().contains(from)) << include.file << " lies in an unknown layer";
      EXPECT_TRUE(from == to || Allowed().at(from).contains(to))
          << include.file << " includes " << include.target << ": " << from << " may not include " << to;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100U) << "the test no longer sees the sources";
}

// The rooms of tools/: what a command of one may include of another. Only the mains, which stand in no room, know all.
const std::map<std::string, std::set<std::string>>& RoomsAllowed() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"cli", {}},
      {"au", {"cli"}},
      {"annotate", {"cli", "au"}},
      {"crawl", {"cli"}},
      {"synth", {"cli"}},
      {"gan", {"cli"}},
      {"landmarks", {"cli"}},
      {"loop", {"cli", "crawl"}},
      {"net", {"cli", "au"}},
      {"manuals", {}},
  };
  return allowed;
}

// "tools/au/rank.h" -> "au"; "" for what stands directly in tools/ or elsewhere.
std::string RoomOf(const std::string& path) {
  if (!path.starts_with("tools/")) return "";
  const std::size_t end = path.find('/', 6);
  return end == std::string::npos ? "" : path.substr(6, end - 6);
}

TEST(Layers, RoomsOfToolsIncludeOnlyWhatTheyMay) {
  std::size_t checked = 0;
  for (const char* extension : {".h", ".cc"}) {
    for (const Include& include : AllIncludes(extension)) {
      const std::string from = RoomOf(include.file);
      if (!include.quoted || from.empty()) continue;
      ASSERT_TRUE(RoomsAllowed().contains(from)) << include.file << " lies in an unknown room";
      const std::string to = RoomOf(include.target);
      if (to.empty()) continue;
      EXPECT_TRUE(from == to || RoomsAllowed().at(from).contains(to))
          << include.file << " includes " << include.target << ": tools/" << from << " may not include tools/" << to;
      ++checked;
    }
  }
  EXPECT_GT(checked, 50U) << "the test no longer sees the sources";
}

TEST(Layers, InternalHeadersStayInTheirFolder) {
  for (const char* extension : {".h", ".cc"}) {
    for (const Include& include : AllIncludes(extension)) {
      const std::size_t internal = include.target.find("/internal/");
      if (!include.quoted || internal == std::string::npos) continue;
      EXPECT_EQ(LayerOf(include.file), LayerOf(include.target)) << include.file << " includes " << include.target;
    }
  }
}

TEST(Layers, PublicHeadersHideThirdParties) {
  // OpenCV's core is allowed where a picture is passed.
  const std::regex third_party(
      R"(^(torch|ATen|c10|dlib|CLI|tbb|oneapi|hdf5|H5|libsvm|svm|httplib|archive|turbojpeg|nlohmann|Eigen|cblas|sqlite3|openssl|gif_lib|spdlog|fmt)\b.*)");
  for (const Include& include : AllIncludes(".h")) {
    if (include.file.find("/internal/") != std::string::npos) continue;
    EXPECT_FALSE(std::regex_match(include.target, third_party)) << include.file << " includes " << include.target;
    if (include.target.starts_with("opencv2/")) {
      EXPECT_TRUE(include.target.starts_with("opencv2/core")) << include.file << " includes " << include.target;
    }
  }
}

TEST(Layers, OnlyToolsKnowAllOfThem) {
  // gan never sees dlib, TBB or the annotator; the annotator links no image shards; tools' two programs split there.
  for (const char* extension : {".h", ".cc"}) {
    for (const Include& include : AllIncludes(extension)) {
      if (include.file.starts_with("tools/") && include.target.starts_with("gan/")) {
        EXPECT_TRUE(include.file.find("gan") != std::string::npos)
            << include.file << " would make auforge load LibTorch";
      }
    }
  }
}

}  // namespace
}  // namespace auforge
