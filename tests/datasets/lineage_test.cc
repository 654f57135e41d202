#include "datasets/storage/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::storage {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string Digest(char digit) { return std::string(64, digit); }
json Whole() {
  return {{"parent", Digest('a')},
          {"data", {Digest('1'), Digest('2')}},
          {"plan", Digest('b')},
          {"round", 3},
          {"created", "2026-01-31T12:00:00Z"}};
}
std::string FaultOf(const json& lineage) {
  try {
    CanonicalLineage(lineage.dump(), "l.json");
  } catch (const BadContent& error) {
    return error.what();
  }
  return "";
}

TEST(Lineage, IsOneLineWithSortedKeys) {
  EXPECT_EQ(CanonicalLineage(Whole().dump(2), "l.json"), Whole().dump());
  json first = Whole();
  first["parent"] = nullptr;
  first["data"] = json::array();
  first.erase("created");
  EXPECT_EQ(CanonicalLineage(first.dump(), "l.json"), first.dump());
  first.erase("parent");
  EXPECT_EQ(CanonicalLineage(first.dump(), "l.json"), first.dump());
}

TEST(Lineage, WhatIsWrongIsNamed) {
  EXPECT_THAT(FaultOf(json::array()), AllOf(HasSubstr("l.json"), HasSubstr("not a JSON object")));
  for (const char* key : {"data", "plan", "round"}) {
    json lineage = Whole();
    lineage.erase(key);
    EXPECT_THAT(FaultOf(lineage), AllOf(HasSubstr(key), HasSubstr("missing")));
  }
  const std::vector<std::pair<const char*, json>> wrong{
      {"parent", "abc"},     {"parent", std::string(64, 'A')}, {"data", Digest('1')},
      {"data", {Digest('1'), 7}}, {"data", {{"count", 2}}},    {"plan", nullptr},
      {"round", -1},         {"round", 1.5},                   {"round", "1"},
      {"created", "today"},  {"created", "2026-01-31 12:00:00Z"}, {"parents", Digest('a')}};
  for (const auto& [key, value] : wrong) {
    json lineage = Whole();
    lineage[key] = value;
    EXPECT_THAT(FaultOf(lineage), HasSubstr(std::string("\"") + key + "\"")) << value;
  }
  EXPECT_THROW(CanonicalLineage("{", "l.json"), BadContent);
}

// An attribute of HDF5 has 64 KB: a crawl of thousands of shards is told by the digest of theirs.
TEST(Lineage, OfThousandsOfFilesHasRoom) {
  json lineage = Whole();
  lineage["data"] = json::array();
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    lineage["data"].push_back(Sha256Hex(std::to_string(i)));
    lines += Sha256Hex(std::to_string(i)) + "\n";
  }
  const std::string text = CanonicalLineage(lineage.dump(), "l.json");
  const json summed = json::parse(text);
  EXPECT_EQ(summed["data"], (json{{"count", 5000}, {"sha256", Sha256Hex(lines)}}));
  EXPECT_EQ(CanonicalLineage(text, "again"), text);
  const tests::TempDir dir;
  lineage["data"].erase(lineage["data"].begin() + 800, lineage["data"].end());
  Hdf5Writer file(dir / "f.h5");
  file.WriteAttribute("/", kLineage, CanonicalLineage(lineage.dump(), "l.json"));
  file.Close();
  EXPECT_EQ(StoredLineage(Hdf5Reader(dir / "f.h5")), lineage.dump());
}

TEST(Lineage, OfFilesThatHaveNoneIsEmpty) {
  const tests::TempDir dir;
  Hdf5Writer none(dir / "none.h5");
  none.Close();
  EXPECT_EQ(StoredLineage(Hdf5Reader(dir / "none.h5")), "");
  Hdf5Writer other(dir / "other.h5");
  other.WriteAttribute("/", kLineage, std::int64_t{7});
  other.Close();
  EXPECT_EQ(StoredLineage(Hdf5Reader(dir / "other.h5")), "");
  EXPECT_EQ(ReadLineageFile(""), "");
  EXPECT_THROW(ReadLineageFile(dir / "gone.json"), std::runtime_error);
  tests::WriteText(dir / "l.json", Whole().dump(1));
  EXPECT_EQ(ReadLineageFile(dir / "l.json"), Whole().dump());
}

}  // namespace
}  // namespace auforge::datasets::storage
