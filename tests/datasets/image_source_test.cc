#include "datasets/image_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/support/picture_files.h"
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
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"one/x.jpg", "two/x.jpg"}));
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "one/x.jpg", dir / "two/x.jpg"}, {}))), Keys(items));
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "one", dir / "two/x.jpg"}, {}))), (std::vector<std::string>{"x.jpg", "x.jpg#2"}));
}

TEST(ImageSource, FoldersOfOneNameAreToldApartByThoseAbove) {
  const tests::TempDir dir;
  for (const char* folder : {"p1/left/frames", "p2/left/frames", "p2/right"}) {
    fs::create_directories(dir.path() / folder);
    tests::WriteText((dir.path() / folder / "1.jpg").string(), folder);
  }
  const auto items = ReadAll(ImageSource::Plan({dir / "p1/left/frames", dir / "p2/left/frames/", dir / "p2/right"}, {}));
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"p1/left/frames/1.jpg", "p2/left/frames/1.jpg", "right/1.jpg"}));
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

TEST(ImageSource, WhatIsNoPictureIsCountedByKind) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "@eaDir/x.jpg");
  fs::create_directories(dir.path() / "sub");
  const std::pair<const char*, std::string> files[] = {
      {"a.jpg", "\xFF\xD8\xFF"},   {"a.txt", "of a"},         {"a.jpg.json", "{}"},          {"000123", "\x89PNG\r\n\x1A\n"},
      {"000123.json", "{}"},       {"README.txt", "read me"}, {"x.jpg?w=200", "404"},         {"y.jpg_large", "\xFF\xD8\xFF"},
      {"photo.txt", "\xFF\xD8\xFF"}, {"00000.parquet", "PAR1"}, {"stats.json", "{}"},          {"sub/z.heic", tests::MediaFile("heic")},
      {"clip.mp4", tests::MediaFile("isom")}, {"._a.jpg", tests::AppleDouble()}, {"@eaDir/x.jpg/T.jpg", "\xFF\xD8\xFF"}, {"b.bin", "\x01"}, {"_SUCCESS", ""}};
  for (const auto& [name, content] : files) tests::WriteText(dir / name, content);
  const ImageSource source = ImageSource::Plan({dir.path().string()}, {});
  EXPECT_EQ(Keys(ReadAll(source)), (std::vector<std::string>{"000123", "a.jpg", "photo.txt", "sub/z.heic", "x.jpg?w=200", "y.jpg_large"}));
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [kind, left] : source.Notes().left_out) counts[kind] = left.count;
  EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{"text", 1}, {"Parquet", 1}, {"JSON", 1}, {"video", 1}, {"macOS", 1},
                                                          {"folder of thumbnails or attributes", 1}, {"unknown content", 2}}));
}

TEST(ImageSource, LinksInCirclesEndAndWhatCannotBeReadIsARow) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "in/sub/deep");
  fs::create_directories(dir.path() / "elsewhere");
  tests::WriteText(dir / "in/sub/a.jpg", "a");
  tests::WriteText(dir / "elsewhere/b.jpg", "b");
  tests::WriteText(dir / "above.jpg", "above");
  fs::create_symlink(".", dir.path() / "in/loop");
  fs::create_symlink("..", dir.path() / "in/up");
  fs::create_symlink("../..", dir.path() / "in/sub/deep/loop");
  fs::create_symlink("../elsewhere", dir.path() / "in/linked");
  fs::create_symlink("../elsewhere", dir.path() / "in/linked-again");
  fs::create_symlink("sub", dir.path() / "in/another-name");
  fs::create_symlink("self", dir.path() / "in/self");
  fs::create_symlink("/nowhere", dir.path() / "in/gone.jpg");
  fs::create_symlink("/nowhere", dir.path() / "in/notes.txt");
  const ImageSource source = ImageSource::Plan({dir / "in"}, {});
  const auto items = ReadAll(source);
  EXPECT_EQ(Keys(items), (std::vector<std::string>{"gone.jpg", "linked/b.jpg", "self", "sub/a.jpg"}));
  EXPECT_EQ(items[0].status, Outcome::kUnreadable);
  EXPECT_EQ(items[2].status, Outcome::kUnreadable);
  EXPECT_EQ(source.Notes().left_out.at("link to a folder above").count, 1U);
  EXPECT_EQ(source.Notes().left_out.at("unreadable").example, "notes.txt");
}

TEST(ImageSource, CaptionsAndRecordsBesidePicturesAreRead) {
  const tests::TempDir dir;
  const std::pair<const char*, const char*> files[] = {{"000000001.jpg", "J"},
                                                       {"000000001.txt", "a smile\n"},
                                                       {"000000001.json", R"({"url": "http://x/1", "caption": "not this", "license": "CC0"})"},
                                                       {"b.png", "P"},
                                                       {"b.png.json", R"({"url": "http://x/b", "caption": "from json", "nsfw": NaN})"},
                                                       {"c.jpg", "C"},
                                                       {"c.json", "{\"url\": \"http://x/c"},
                                                       {"d.jpg", "D"}};
  for (const auto& [name, content] : files) tests::WriteText(dir / name, content);
  for (const std::vector<std::string>& inputs :
       {std::vector{dir.path().string()}, std::vector{dir / "000000001.jpg", dir / "b.png", dir / "c.jpg", dir / "d.jpg"}}) {
    const ImageSource source = ImageSource::Plan(inputs, {});
    const auto reader = source.Open(source.Shards()[0]);
    std::vector<ImageItem> items;
    for (ImageItem item; reader->Next(item);) items.push_back(item);
    ASSERT_EQ(items.size(), 4U);
    EXPECT_EQ(items[0].keywords, "a smile");
    EXPECT_EQ(items[0].url, "http://x/1");
    EXPECT_EQ(items[0].licence, "CC0");
    EXPECT_EQ(items[1].keywords, "from json");
    EXPECT_EQ(items[2].url, "http://x/c");
    EXPECT_EQ(items[3].keywords, "");
    EXPECT_EQ(reader->Notes().metadata, 4U);
    EXPECT_EQ(reader->Notes().damaged_metadata, 1U);
  }
}

TEST(ImageSource, TarsAreKnownByContentToo) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "in");
  tests::WriteTar(dir / "in/shard", {{"a.jpg", "A"}});
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "in"}, {}))), std::vector<std::string>{"a"});
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "in/shard"}, {}))), std::vector<std::string>{"a"});
}

TEST(ImageSource, NamesWithBracesAtAndRemarksAreFiles) {
  const tests::TempDir dir;
  for (const char* name : {"a{1..2}.jpg", "#1.jpg", "\"q\".jpg"}) tests::WriteText(dir / name, name);
  EXPECT_EQ(Keys(ReadAll(ImageSource::Plan({dir / "a{1..2}.jpg"}, {}))), std::vector<std::string>{"a{1..2}.jpg"});
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

std::map<std::string, std::string> Captions(const std::vector<ImageItem>& items) {
  std::map<std::string, std::string> captions;
  for (const ImageItem& item : items) captions[item.key] = item.keywords;
  return captions;
}

TEST(Tar, TextsMayStandAnywhere) {
  const tests::TempDir dir;
  const std::vector<TarMember> pictures{{"a.jpg", "A"}, {"b.png", "B"}, {"My Photo 2.0 (final).jpg", "C"}, {"My Photo 2.1.jpg", "D"}};
  const std::vector<TarMember> texts{{"a.txt", "of a"}, {"b.json", R"({"caption": "of b", "x": NaN})"}, {"My Photo 2.0 (final).txt", "of 2.0"},
                                     {"My Photo 2.1.txt", "of 2.1"}, {"none.txt", "of none"}};
  const std::map<std::string, std::string> wanted{
      {"a", "of a"}, {"b", "of b"}, {"My Photo 2.0 (final)", "of 2.0"}, {"My Photo 2.1", "of 2.1"}};
  for (const bool texts_first : {false, true}) {
    std::vector<TarMember> members = texts_first ? texts : pictures;
    const std::vector<TarMember>& rest = texts_first ? pictures : texts;
    members.insert(members.end(), rest.begin(), rest.end());
    tests::WriteTar(dir / "t.tar", members);
    const ImageSource source = ImageSource::Plan({dir / "t.tar"}, {});
    const auto reader = source.Open(source.Shards()[0]);
    std::vector<ImageItem> items;
    for (ImageItem item; reader->Next(item);) items.push_back(item);
    EXPECT_EQ(Captions(items), wanted) << texts_first;
    EXPECT_EQ(reader->Notes().metadata, 5U);
    EXPECT_EQ(reader->Notes().lone_metadata, 1U);
  }
}

TEST(Tar, EachDuplicateHasItsOwnTexts) {
  const tests::TempDir dir;
  const auto captions = [&dir](const std::vector<TarMember>& members) {
    tests::WriteTar(dir / "t.tar", members);
    return Captions(ReadAll(ImageSource::Plan({dir / "t.tar"}, {})));
  };
  using Map = std::map<std::string, std::string>;
  const TarMember picture{"a.jpg", "A"}, other{"b.jpg", "B"}, first{"a.txt", "1"}, second{"a.txt", "2"};
  EXPECT_EQ(captions({picture, first, picture, second}), (Map{{"a", "1"}, {"a#2", "2"}}));
  EXPECT_EQ(captions({picture, picture, first, second}), (Map{{"a", "1"}, {"a#2", "2"}}));
  EXPECT_EQ(captions({picture, first, other, picture, second}), (Map{{"a", "1"}, {"b", ""}, {"a#2", "2"}}));
  EXPECT_EQ(captions({picture, other, picture, other, first, {"b.txt", "B"}, second}), (Map{{"a", "1"}, {"b", "B"}, {"a#2", "2"}, {"b#2", "B"}}));
  // One sample of two kinds of picture has one text.
  EXPECT_EQ(captions({picture, {"a.seg.png", "S"}, first}), (Map{{"a", "1"}, {"a#2", "1"}}));
}

TEST(Tar, MembersAreToldByContentAndLinksAreFollowed) {
  const tests::TempDir dir;
  const std::string jpeg = "\xFF\xD8\xFF picture";
  tests::WriteTar(dir / "t.tar", {{"a.jfif", jpeg},
                                  {"b.heic", tests::MediaFile("heic")},
                                  {"d/c", jpeg},
                                  {"e.jpg?w=200", jpeg},
                                  {"f.jpg", "", "d/c"},
                                  {"d/g.jpg", "", "", "../a.jfif"},
                                  {"h.jpg", "", "", "d/g.jpg"},
                                  {"f.txt", "of f"},
                                  {"gone.jpg", "", "", "nowhere"},
                                  {"._a.jpg", tests::AppleDouble()},
                                  {"__MACOSX/._d", tests::AppleDouble()},
                                  {"README.md", "read me"},
                                  {"x.npy", "\x93NUMPY"},
                                  {".hidden.jpg", jpeg},
                                  {"y.cls", "7"}});
  const ImageSource source = ImageSource::Plan({dir / "t.tar"}, {});
  const auto reader = source.Open(source.Shards()[0]);
  std::map<std::string, std::string> contents;
  for (ImageItem item; reader->Next(item);) {
    contents[item.key] = std::string(item.bytes.begin(), item.bytes.end());
    if (item.key == "f") {
      EXPECT_EQ(item.keywords, "of f");
    }
    EXPECT_EQ(item.status, item.key == "gone" ? Outcome::kUnreadable : Outcome::kOk) << item.key;
  }
  for (const char* key : {"a", "d/c", "e", "f", "d/g", "h", ".hidden"}) EXPECT_EQ(contents[key], jpeg) << key;
  EXPECT_EQ(contents.size(), 9U);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [kind, left] : reader->Notes().left_out) counts[kind] = left.count;
  EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{"macOS", 2}, {"NumPy", 1}, {"text", 2}}));
}

TEST(Tar, LinksInCirclesAndOfCutArchivesAreRows) {
  const tests::TempDir dir;
  tests::WriteTar(dir / "t.tar", {{"a.jpg", "A"}, {"link.jpg", "", "a.jpg"}, {"c.jpg", "", "", "d.jpg"}, {"d.jpg", "", "", "c.jpg"}, {"b.jpg", std::string(3000, 'b')}});
  const auto statuses = [&dir] {
    std::map<std::string, Outcome> found;
    for (const ImageItem& item : ReadAll(ImageSource::Plan({dir / "t.tar"}, {}))) found[item.key] = item.status;
    return found;
  };
  std::map<std::string, Outcome> wanted{
      {"a", Outcome::kOk}, {"b", Outcome::kOk}, {"link", Outcome::kOk}, {"c", Outcome::kUnreadable}, {"d", Outcome::kUnreadable}};
  EXPECT_EQ(statuses(), wanted);
  const std::string whole = tests::ReadText(dir / "t.tar");
  tests::WriteText(dir / "t.tar", whole.substr(0, whole.find("bbbb") + 1000));
  wanted["b"] = wanted["__archive__"] = Outcome::kUnreadable;
  EXPECT_EQ(statuses(), wanted);
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
