#include "datasets/image_source.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using tests::TarMember;

std::vector<ImageItem> ReadAll(const ImageSource& source) {
  std::vector<ImageItem> items;
  for (const InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (ImageItem item; reader->Next(item);) items.push_back(item);
  }
  return items;
}

std::vector<std::string> Keys(const std::vector<ImageItem>& items) {
  std::vector<std::string> keys;
  for (const ImageItem& item : items) keys.push_back(item.key);
  return keys;
}

TEST(ImageSource, FoldersAreSortedAndCut) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "b/deep");
  for (const char* name : {"z.jpg", "a.PNG", "b/deep/c.jpeg", "b/notes.txt", "B.webp"}) tests::WriteText(dir / name, name);
  const ImageSource source = ImageSource::Plan({dir.path().string()}, {.shard_size = 3});
  ASSERT_EQ(source.Shards().size(), 2U);
  EXPECT_EQ(source.Shards()[0].count, 3U);
  EXPECT_EQ(source.Shards()[1].count, 1U);
  const std::vector<ImageItem> items = ReadAll(source);
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"B.webp", "a.PNG", "b/deep/c.jpeg", "z.jpg"}));
  EXPECT_EQ(std::string(items[3].bytes.begin(), items[3].bytes.end()), "z.jpg");
}

TEST(ImageSource, FoldersOfTarsGiveAShardATar) {
  const tests::TempDir dir;
  for (const char* name : {"00001.tar", "00000.tar"}) tests::WriteTar(dir / name, {{std::string(name) + "x.jpg", "bytes"}});
  tests::WriteText(dir / "loose.jpg", "bytes");
  tests::WriteText(dir / "00000_stats.json", "{}");
  const ImageSource source = ImageSource::Plan({dir.path().string()}, {});
  ASSERT_EQ(source.Shards().size(), 3U);
  EXPECT_EQ(source.Shards()[0].name, dir / "00000.tar");
  EXPECT_EQ(source.Shards()[1].name, dir / "00001.tar");
  EXPECT_EQ(Keys(ReadAll(source)), (std::vector<std::string>{"00000", "00001", "loose.jpg"}));
}

TEST(ImageSource, SameNamesFromTwoFoldersBothCount) {
  const tests::TempDir dir;
  for (const char* folder : {"one", "two"}) {
    fs::create_directories(dir.path() / folder);
    tests::WriteText((dir.path() / folder / "x.jpg").string(), folder);
  }
  const auto items = ReadAll(ImageSource::Plan({dir / "one", dir / "two"}, {}));
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"x.jpg", "x.jpg#2"}));
}

TEST(ImageSource, ListsMayHaveHoles) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "a");
  tests::WriteText(dir / "list.txt", (dir / "a.jpg") + "\n# a comment\n\n" + (dir / "gone.jpg") + "\r\n");
  const auto items = ReadAll(ImageSource::Plan({"@" + (dir / "list.txt")}, {}));
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].status, Outcome::kOk);
  EXPECT_EQ(items[1].status, Outcome::kUnreadable);
}

TEST(ImageSource, SaysWhichInputIsMissing) {
  const tests::TempDir dir;
  for (const std::string& input : {dir / "none", "@" + (dir / "none.txt"), dir.path().string()}) {
    try {
      ImageSource::Plan({input}, {});
      ADD_FAILURE() << input;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(dir.path().string()), std::string::npos) << error.what();
    }
  }
}

TEST(ImageSource, LargeFilesAreNotRead) {
  const tests::TempDir dir;
  tests::WriteText(dir / "big.jpg", std::string(1000, 'x'));
  const auto items = ReadAll(ImageSource::Plan({dir / "big.jpg"}, {.max_bytes = 999}));
  EXPECT_EQ(items[0].status, Outcome::kTooLarge);
  EXPECT_TRUE(items[0].bytes.empty());
}

TEST(Tar, GroupsMembersIntoSamples) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "00000.tar", {{"000000000.jpg", "J0"},
                                      {"000000000.txt", "a happy caption"},
                                      {"000000000.json", R"({"url":"http://x/0.jpg","caption":"other"})"},
                                      {"__meta__.json", "{}"},
                                      {"000000001.json", R"({"url":"http://x/1.jpg","caption":"from json"})"},
                                      {"000000001.png", "P1"}});
  const auto items = ReadAll(ImageSource::Plan({dir / "00000.tar"}, {}));
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].key, "000000000");
  EXPECT_EQ(items[0].keywords, "a happy caption");
  EXPECT_EQ(items[0].url, "http://x/0.jpg");
  EXPECT_EQ(items[1].keywords, "from json");
  EXPECT_EQ(std::string(items[1].bytes.begin(), items[1].bytes.end()), "P1");
}

TEST(Tar, BracesNameRanges) {
  const tests::TempDir dir;
  for (const char* name : {"00008.tar", "00009.tar", "00010.tar"}) tests::WriteTar(dir / name, {{"k.jpg", name}});
  const ImageSource source = ImageSource::Plan({dir / "{00008..00010}.tar"}, {});
  ASSERT_EQ(source.Shards().size(), 3U);
  EXPECT_EQ(source.Shards()[2].name, dir / "00010.tar");
  EXPECT_THROW(ImageSource::Plan({dir / "{00008..00011}.tar"}, {}), std::runtime_error);
  EXPECT_THROW(ImageSource::Plan({dir / "{5..1}.tar"}, {}), std::runtime_error);
}

TEST(Tar, StrangeNamesAreJustNames) {
  const tests::TempDir dir;
  const std::string longest(300, 'n');
  tests::WriteTar(dir / "t.tar", {{"../../etc/evil.jpg", "1"},
                                  {"grüße/日本.jpg", "2"},
                                  {longest + ".jpg", "3"},
                                  {"same.jpg", "4"},
                                  {"other.jpg", "5"},
                                  {"same.jpg", "6"}});
  const auto items = ReadAll(ImageSource::Plan({dir / "t.tar"}, {}));
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"../../etc/evil", "grüße/日本", longest, "same", "other", "same#2"}));
  EXPECT_FALSE(fs::exists(dir.path().parent_path().parent_path() / "etc/evil.jpg"));
}

TEST(Tar, AnEmptyOneHasNoItemsAndNoFault) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "empty.tar", {});
  EXPECT_TRUE(ReadAll(ImageSource::Plan({dir / "empty.tar"}, {})).empty());
}

TEST(Tar, ATruncatedOneGivesWhatIsWholeAndOneFault) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "t.tar", {{"a.jpg", std::string(3000, 'a')}, {"b.jpg", std::string(3000, 'b')}});
  const std::string whole = tests::ReadText(dir / "t.tar");
  tests::WriteText(dir / "t.tar", whole.substr(0, 512 + 3072 + 512 + 1000));
  const auto items = ReadAll(ImageSource::Plan({dir / "t.tar"}, {}));
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].status, Outcome::kOk);
  EXPECT_EQ(items[1].key, "b");
  EXPECT_EQ(items[1].status, Outcome::kUnreadable);
  EXPECT_EQ(items[2].status, Outcome::kUnreadable);
  EXPECT_NE(items[2].message.find("t.tar"), std::string::npos);
}

TEST(Tar, NoiseIsOneFault) {
  const tests::TempDir dir;
  tests::WriteText(dir / "noise.tar", std::string(5000, '\x5a'));
  const auto items = ReadAll(ImageSource::Plan({dir / "noise.tar"}, {}));
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].status, Outcome::kUnreadable);
}

TEST(Tar, ConcatenatedOnesAreReadThrough) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "a.tar", {{"a.jpg", "1"}});
  tests::WriteTar(dir / "b.tar", {{"b.jpg", "2"}});
  tests::WriteText(dir / "ab.tar", tests::ReadText(dir / "a.tar") + tests::ReadText(dir / "b.tar"));
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "ab.tar"}, {}))), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace auforge::datasets
