#include "datasets/content_kind.h"

#include <gtest/gtest.h>

#include "tests/support/picture_files.h"

namespace auforge::datasets {
namespace {

ContentKind Tell(const std::string& text) { return TellContent({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }

TEST(ContentKind, NamesPromisePictures) {
  for (const char* name : {"a.jpg", "A.JPG", "a.jfif", "a.heic", "a.avif", "x.jpg?w=200", "x.jpg_large", "x.jpg:orig", "x.jpg.1",
                           "x.jpg!large", "x.jpeg&name=small", "x.png@2x", "x.JPG%3Fw=2", "d.x/photo.jpg-800", "x.jpg?v=1.2", "x.php.jpg"}) {
    EXPECT_TRUE(NamePromisesPicture(name)) << name;
  }
  for (const char* name : {"a.txt", "a.jpg.txt", "a.jpg.json", "a.jpg_info.json", "jpg", "a", "a.jpgx", "a.jpg/b", "a.parquet", ".jpg",
                           "a.jpg.bak", "Thumbs.db", "a.mp4", "a.tar"}) {
    EXPECT_FALSE(NamePromisesPicture(name)) << name;
  }
}

TEST(ContentKind, EndingsEndNames) {
  EXPECT_EQ(WithoutEnding("d.e/a.b.jpg"), "d.e/a.b");
  EXPECT_EQ(WithoutEnding("a.jpg?w=2.0"), "a");
  EXPECT_EQ(WithoutEnding("a.jpg.1"), "a");
  EXPECT_EQ(WithoutEnding("a.jpg.txt"), "a.jpg");
  EXPECT_EQ(WithoutEnding("Mr. Smith"), "Mr. Smith");
  EXPECT_EQ(WithoutEnding(".hidden"), ".hidden");
  EXPECT_EQ(NameEnding("a.PNG"), "png");
  EXPECT_EQ(NameEnding("photo.2021"), "");
}

TEST(ContentKind, ContentTellsWhatAFileIs) {
  const std::pair<std::string, Content> files[] = {
      {"\xFF\xD8\xFF\xE0", Content::kPicture},
      {tests::MediaFile("heic"), Content::kForeignPicture},
      {tests::MediaFile("isom"), Content::kVideo},
      {tests::AppleDouble(), Content::kMacSide},
      {std::string("\0\0\0\1Bud1", 8), Content::kMacSide},
      {"PAR1abc", Content::kOther},
      {"a README of the crawl\n", Content::kOther},
      {"BMW and MZ are cars; P5 and P6 are motorways", Content::kOther},
      {"P3 4 you: a text", Content::kOther},
      {"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", Content::kOther},
      {"caf\xE9 au lait", Content::kOther},
      {"{\"a\": 1}", Content::kOther},
      {"", Content::kUnknown},
      {std::string("\x90\x01\x02\0\x03", 5), Content::kUnknown}};
  for (const auto& [text, content] : files) EXPECT_EQ(Tell(text).content, content) << text;
  EXPECT_EQ(Tell("<!DOCTYPE html><html>404").name, "HTML");
}

TEST(ContentKind, PicturesAreToldByContentThenByNameThenByNothingElse) {
  const ContentKind jpeg = Tell("\xFF\xD8\xFF\xE0"), text = Tell("404 not found"), noise = Tell(std::string("\x90\x01\0\x03", 4));
  for (const char* name : {"a.jpg", "a.txt", "a", ".hidden", "_SUCCESS", "a.php", "Thumbs.db"}) EXPECT_TRUE(IsPictureFile(name, jpeg)) << name;
  for (const char* name : {"a.jpg", "a.jpg?w=1"}) {
    EXPECT_TRUE(IsPictureFile(name, text)) << name;
    EXPECT_TRUE(IsPictureFile(name, noise)) << name;
  }
  EXPECT_TRUE(IsPictureFile("000123", noise));
  EXPECT_TRUE(IsPictureFile("000123", {})) << "an empty file: a download that failed";
  EXPECT_FALSE(IsPictureFile("000123", text));
  for (const char* name : {"a.bin", ".hidden", "_SUCCESS"}) EXPECT_FALSE(IsPictureFile(name, noise)) << name;
  EXPECT_FALSE(IsPictureFile("._a.jpg", Tell(tests::AppleDouble())));
  EXPECT_TRUE(IsPictureFile("._a.jpg", jpeg));
}

}  // namespace
}  // namespace auforge::datasets
