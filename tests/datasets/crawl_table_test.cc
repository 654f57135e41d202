// img2dataset's tables beside its tars and folders: what they add to images, what they count, and that a bad one costs nothing
// else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "datasets/image_source.h"
#include "datasets/internal/crawl_table.h"
#include "datasets/parquet/writer.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

struct Row {
  std::string key, url, caption, licence, status, message;
};

std::string Table(const std::vector<Row>& rows, const std::string& key_column = "key") {
  using parquet::Kind;
  std::string bytes;
  parquet::Writer writer({{key_column, Kind::kText, false, false},
                          {"url", Kind::kText, true, false},
                          {"caption", Kind::kText, true, false},
                          {"license", Kind::kText, true, false},
                          {"status", Kind::kText, true, false},
                          {"error_message", Kind::kText, true, false},
                          {"width", Kind::kInt32, true, false}},
                         [&bytes](std::string_view piece) { bytes += piece; }, {.group_rows = 2, .created_by = {}});
  for (const Row& row : rows) {
    for (const std::string* text : {&row.key, &row.url, &row.caption, &row.licence, &row.status, &row.message})
      text->empty() && text != &row.key ? writer.Null() : writer.Text(*text);
    writer.Null();
    writer.EndRow();
  }
  writer.Finish({});
  return bytes;
}

const std::vector<Row> kRows{{"000", "http://0", "words of 0", "CC0", "success", ""},
                             {"001", "", "", "", "failed_to_download", "HTTP Error 404: Not Found"},
                             {"002", "http://2", "", "", "success", ""},
                             {"003", "http://3", "gone", "", "failed_to_download", "timed out"},
                             {"004", "http://4", std::string(5000, 'x') + "\xFF", "", "failed_to_resize", "no picture"}};

struct Found {
  std::map<std::string, ImageItem> items;
  SideNotes notes;
};

Found ReadAll(const ImageSource& source) {
  Found found;
  found.notes = source.Notes();
  for (const InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (ImageItem item; reader->Next(item); item = {}) found.items[item.key] = item;
    found.notes.Add(reader->Notes());
  }
  return found;
}

TEST(CrawlTable, LiesWhereItsShardLies) {
  EXPECT_EQ(CrawlTable::PathFor("d.tar/00000.tar"), "d.tar/00000.parquet");
  EXPECT_EQ(CrawlTable::PathFor("d/00000.tar.gz"), "d/00000.parquet");
  EXPECT_EQ(CrawlTable::PathFor("d/00000.tgz"), "d/00000.parquet");
  EXPECT_EQ(CrawlTable::PathFor("d/00000/"), "d/00000.parquet");
}

TEST(CrawlTable, FillsWhatATarLacksAndCountsWhatWasTried) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "00000.tar", {{"000.jpg", "a"}, {"000.txt", "own words"}, {"002.jpg", "b"}, {"002.json", R"({"url": "http://own"})"}, {"004.jpg", "c"}});
  tests::WriteText(dir / "00000.parquet", Table(kRows));
  for (const std::string& input : {dir / "00000.tar", dir.path().string()}) {
    const ImageSource source = ImageSource::Plan({input}, {});
    EXPECT_THAT(source.Files(source.Shards()[0]), ElementsAre(dir / "00000.tar", dir / "00000.parquet"));
    const Found found = ReadAll(source);
    EXPECT_EQ(found.items.at("000").url, "http://0");
    EXPECT_EQ(found.items.at("000").keywords, "own words");
    EXPECT_EQ(found.items.at("000").licence, "CC0");
    EXPECT_EQ(found.items.at("002").url, "http://own");
    EXPECT_LE(found.items.at("004").keywords.size(), 2048U);
    EXPECT_EQ(found.notes.crawl.at("success").count, 2U);
    EXPECT_EQ(found.notes.crawl.at("failed_to_download").count, 2U);
    EXPECT_EQ(found.notes.crawl.at("failed_to_download").example, "HTTP Error 404: Not Found");
    EXPECT_EQ(found.notes.crawl.at("failed_to_resize").count, 1U);
    EXPECT_TRUE(found.notes.left_out.empty()) << found.notes.LeftOutText();
    EXPECT_EQ(found.notes.unread_tables.count, 0U);
  }
}

TEST(CrawlTable, FoldersOfPicturesHaveOneEach) {
  const tests::TempDir dir;
  for (const char* folder : {"00000", "00001"}) {
    fs::create_directories(dir / folder);
    for (const char* name : {"/000.jpg", "/002.jpg", "/004.jpg"}) tests::WriteText(dir / (std::string(folder) + name), "picture");
    tests::WriteText(dir / (std::string(folder) + ".parquet"), Table(kRows));
  }
  tests::WriteText(dir / "other.parquet", Table(kRows));
  for (const std::size_t shard_size : {10000U, 2U}) {
    const ImageSource source = ImageSource::Plan({dir.path().string()}, {.shard_size = shard_size});
    const Found found = ReadAll(source);
    EXPECT_EQ(found.items.at("00001/002.jpg").url, "http://2");
    // Once a folder, however many shards it is cut into.
    EXPECT_EQ(found.notes.crawl.at("success").count, 4U);
    EXPECT_EQ(found.notes.left_out.at("Parquet").count, 1U);
    EXPECT_EQ(found.notes.left_out.at("Parquet").example, "other.parquet");
  }
  const ImageSource source = ImageSource::Plan({dir / "00000"}, {});
  const auto files = source.Files(source.Shards()[0]);
  EXPECT_EQ(files.size(), 4U);
  EXPECT_EQ(files.back(), dir / "00000.parquet");
}

TEST(CrawlTable, ABadOneCostsItsTextsOnly) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "00000.tar", {{"000.jpg", "a"}});
  const std::string whole = Table(kRows);
  const std::string brotli = tests::ReadText(tests::SourcePath("tests/golden/parquet/brotli.parquet"));
  for (const auto& [bytes, fault] : std::vector<std::pair<std::string, std::string>>{{whole.substr(0, whole.size() / 2), "no whole Parquet"},
                                                                                      {"", "too short"},
                                                                                      {"PAR1 is what it begins with and PAR1", "footer"},
                                                                                      {brotli, "Brotli"}}) {
    tests::WriteText(dir / "00000.parquet", bytes);
    const Found found = ReadAll(ImageSource::Plan({dir / "00000.tar"}, {}));
    EXPECT_EQ(found.items.at("000").bytes.size(), 1U);
    EXPECT_EQ(found.items.at("000").url, "");
    EXPECT_EQ(found.notes.unread_tables.count, 1U) << fault;
    EXPECT_THAT(found.notes.unread_tables.example, testing::AllOf(HasSubstr(dir / "00000.parquet"), HasSubstr(fault)));
    EXPECT_TRUE(found.notes.crawl.empty());
  }
  // Somebody else's table; and a folder of that name.
  tests::WriteText(dir / "00000.parquet", Table(kRows, "id"));
  EXPECT_EQ(ReadAll(ImageSource::Plan({dir / "00000.tar"}, {})).notes.unread_tables.count, 0U);
  fs::remove(dir / "00000.parquet");
  fs::create_directories(dir / "00000.parquet");
  EXPECT_EQ(ReadAll(ImageSource::Plan({dir / "00000.tar"}, {})).notes.unread_tables.count, 0U);
}

}  // namespace
}  // namespace auforge::datasets
