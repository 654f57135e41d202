#include "datasets/internal/metadata.h"

#include <gtest/gtest.h>

#include "datasets/internal/input_list.h"
#include "datasets/internal/text_encoding.h"
#include "datasets/robots.h"

namespace auforge::datasets {
namespace {

using namespace std::string_literals;

TEST(Metadata, RecordsAreReadLeniently) {
  const std::string records[] = {
      R"({"url": "http://x/", "caption": "a smile", "license": "CC0"})",
      R"({"punsafe": NaN, "similarity": -Infinity, "url": "http://x/", "caption": "a smile", "license": "CC0"})",
      R"({"a": None, "b": True, "c": [1, {"url": "no"}, "]"], 'url': 'http://x/', "caption": "a smile", "licence": "CC0",})",
      "\xEF\xBB\xBF{\"url\": \"http://x/\", \"caption\": \"a smile\", \"license\": \"CC0\"}\r\n",
      R"({"exif": {"caption": "no", "x": "\"}"}, "url": "http:\/\/x\/", "caption": "\u0061 smile", "license": "CC0"})",
      R"({"url": null, "url": "http://x/", "caption": ["a", "smile"], "license": "CC0"})"};
  for (const std::string& record : records) {
    const Metadata found = ReadJsonRecord(record);
    EXPECT_EQ(found.url, "http://x/") << record;
    EXPECT_EQ(found.caption, "a smile") << record;
    EXPECT_EQ(found.licence, "CC0") << record;
    EXPECT_TRUE(found.is_whole) << record;
  }
}

TEST(Metadata, LicencesAreSpelledByManyHands) {
  for (const char* record : {R"({"LICENSE": "CC0-1.0"})", R"({"License": "CC0-1.0"})", R"({"licence": ["CC0-1.0"], "license": "x"})",
                             R"({"license": null, "LICENCE": "CC0-1.0"})", R"({"license": "?", "licence": "CC0-1.0"})"}) {
    EXPECT_EQ(ReadJsonRecord(record).licence, "CC0-1.0") << record;
  }
  // LAION-400M's lists and pandas write these where they know nothing.
  for (const char* record : {R"({"LICENSE": "?"})", R"({"license": "Unknown"})", R"({"license": NaN})", R"({"license": "nan"})",
                             R"({"license": "None"})", R"({"license": {"name": "CC0"}})", R"({})"}) {
    const Metadata found = ReadJsonRecord(record);
    EXPECT_EQ(found.licence, "") << record;
    EXPECT_EQ(found.robots, "") << record;
    EXPECT_TRUE(found.is_whole) << record;
  }
}

TEST(Metadata, WhatASiteAsksOfRobotsIsKept) {
  const auto robots = [](const char* record) {
    const Metadata found = ReadJsonRecord(record);
    EXPECT_TRUE(found.is_whole) << record;
    return found.robots;
  };
  EXPECT_EQ(robots(R"({"x_robots_tag": "NoAI,  noimageai"})"), "noai, noimageai");
  EXPECT_EQ(robots(R"({"X-Robots-Tag": ["noindex", "somebot: noai"]})"), "noindex, somebot: noai");
  EXPECT_EQ(robots(R"({"robots": "noindex", "noai": true, "noimageai": 1})"), "noindex, noai, noimageai");
  EXPECT_EQ(robots(R"({"noai": "yes"})"), "noai");
  EXPECT_EQ(robots(R"({"noai": False})"), "all");
  for (const char* record : {R"({"noai": null})", R"({"robots": null})", R"({"robots": ""})", R"({"noai": NaN})", R"({"robots": {"a": 1}})",
                             R"({"noai": [1, 2]})", R"({"exif": {"noai": true}})"}) {
    EXPECT_EQ(robots(record), "") << record;
  }
  EXPECT_LE(robots(("{\"robots\": \"" + std::string(5000, 'x') + "\", \"noai\": true}").c_str()).size(), 2048U);
}

TEST(Robots, ARefusalIsOneWhomeverItIsAddressedTo) {
  for (const char* text : {"noai", "noindex, noimageai", "somebot: noai", "somebot:noai", "NOAI;noindex"}) EXPECT_TRUE(ForbidsAi(text)) << text;
  for (const char* text : {"", "all", "noindex", "noaid", "piano ai", "unavailable_after: 25 jun 2010"}) EXPECT_FALSE(ForbidsAi(text)) << text;
  EXPECT_EQ(PlainDirectives(" ,NoAI ,,\tNOINDEX ; x "), "noai, noindex, x");
}

TEST(Metadata, WhatIsNoUtf8IsKeptAsWellAsCanBe) {
  EXPECT_EQ(ReadJsonRecord("{\"caption\": \"caf\xE9\", \"url\": \"u\"}").caption, "café");
  EXPECT_EQ(ReadJsonRecord("{\"caption\": \"caf\xE9\", \"url\": \"u\"}").url, "u");
  EXPECT_EQ(ReadJsonRecord(R"({"caption": "joy \ud83d!", "url": "u"})").caption, "joy \xEF\xBF\xBD!");
  EXPECT_EQ(ReadJsonRecord(R"({"caption": "joy \ud83d\ude00"})").caption, "joy \xF0\x9F\x98\x80");
  EXPECT_EQ(ReadJsonRecord("{\"caption\": \"a\tb\"}").caption, "a\tb");
  EXPECT_EQ(ReadCaption("caf\xE9 \x93quoted\x94\r\n").caption, "café “quoted”");
  EXPECT_EQ(ReadCaption("\xFF\xFEh\0i\0"s).caption, "hi");
  EXPECT_EQ(ReadCaption("日本\n").caption, "日本");
}

TEST(Metadata, SaysWhenThatWasNotAll) {
  const Metadata cut = ReadJsonRecord(R"({"url": "http://x/", "caption": "a smi)");
  EXPECT_FALSE(cut.is_whole);
  EXPECT_EQ(cut.url, "http://x/");
  EXPECT_EQ(cut.caption, "a smi");
  for (const std::string& record : {std::string(), "[1]"s, "no json"s, "{\"url\""s, "{\"url\":"s, "{\"a\": }"s, std::string(200'000, '['),
                                    "{\"a\":" + std::string(200'000, '['), "{\"url\": \"u\"} {\"url\": \"v\"}"s}) {
    EXPECT_FALSE(ReadJsonRecord(record).is_whole) << record.substr(0, 50);
  }
  EXPECT_FALSE(ReadCaption("\xFF\xD8\xFF\xE0 a picture").is_whole);
  EXPECT_TRUE(ReadCaption("").is_whole);
  EXPECT_EQ(ReadCaption(std::string(5000, 'x')).caption.size(), 2048U);
}

TEST(TextEncoding, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("aé日\xF0\x9F\x98\x80"));
  for (const char* text : {"\xE9", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE6\x97"}) EXPECT_FALSE(IsUtf8(text)) << text;
  EXPECT_TRUE(IsUtf8("\xE6\x97", true));
}

std::vector<std::string> Paths(std::string_view content) {
  std::vector<std::string> paths;
  for (const ListLine& line : ReadListLines(content)) {
    if (!line.is_remark) paths.push_back(line.path);
  }
  return paths;
}

TEST(InputList, TakesWhatEditorsAndShellsWrite) {
  const std::vector<std::string> wanted{"a.jpg", "b c.jpg"};
  for (const std::string& list :
       {"a.jpg\nb c.jpg\n"s, "\xEF\xBB\xBF"s + "a.jpg\r\nb c.jpg"s, "\"a.jpg\"\n'b c.jpg'\n\n"s, "# remark\n  a.jpg \t\n\nb c.jpg\r\r\n"s,
        "\xFF\xFE"s + "a\0.\0j\0p\0g\0\r\0\n\0b\0 \0c\0.\0j\0p\0g\0"s, "a.jpg\0b c.jpg\0"s, "a.jpg\rb c.jpg\r"s}) {
    EXPECT_EQ(Paths(list), wanted) << list;
  }
  EXPECT_EQ(Paths("caf\xE9.jpg\n"), std::vector<std::string>{"caf\xE9.jpg"}) << "names are bytes";
  EXPECT_EQ(Paths("a\nb.jpg\0"s), std::vector<std::string>{"a\nb.jpg"}) << "find -print0";
  EXPECT_TRUE(Paths("").empty());
}

}  // namespace
}  // namespace auforge::datasets
