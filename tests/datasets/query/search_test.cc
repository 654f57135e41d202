// Queries over the index against a plain scan of the shards.
#include "datasets/query/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "datasets/query/describe.h"
#include "tests/datasets/query/crawl.h"
#include "tests/datasets/query/plain_scan.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

std::vector<tests::ScannedFace> Names(const FaceIndex& index, const std::vector<FaceReference>& faces) {
  std::vector<tests::ScannedFace> named;
  for (const FaceReference& face : faces) named.push_back({index.shards()[face.shard].name, face.face});
  return named;
}

class Search : public testing::Test {
 protected:
  Search() { tests::WriteCrawl(folder()); }
  std::string folder() const { return dir_.path().string(); }
  FaceIndex Open() const { return FaceIndex(folder(), {}); }
  // Compares with the scan and returns how many there are.
  std::size_t Check(const FaceIndex& index, const std::string& text) const {
    const Expression expression = ParseExpression(text);
    const std::vector<tests::ScannedFace> expected = tests::Scan(folder(), expression);
    const Selection selection = Find(index, expression);
    EXPECT_EQ(selection.Count(), expected.size()) << text;
    EXPECT_EQ(Names(index, selection.Page(0, selection.Count())), expected) << text;
    return expected.size();
  }

 private:
  tests::TempDir dir_;
};

TEST_F(Search, EveryFormFindsWhatAScanFinds) {
  const FaceIndex index = Open();
  for (const char* text : {"",
                           "AU12",
                           "AU12>=2",
                           "AU12>2",
                           "AU12<=2",
                           "AU12<2",
                           "AU12=2",
                           "AU12!=2",
                           "AU12=1..3",
                           "AU12.p>=0.7",
                           "AU12.present=0",
                           "AU43",
                           "quality>=0.5",
                           "score<0",
                           "yaw=-15..15",
                           "pitch>10",
                           "roll<=-5",
                           "size=80..200",
                           "face=0",
                           "face>=1",
                           "emotion:happiness",
                           "emotion:\"happily*\"",
                           "!emotion:neutral",
                           "emotion_rule:happy",
                           "emotion_score>.5 & emotion:fearful",
                           "AU12.left<AU12.right - 1",
                           "AU12.right>=2 & AU12.left + 1 < AU12.right",
                           "AU6>AU12",
                           "AU12.p>AU6.p + 0.25",
                           "AU12.left=AU12.right",
                           "AU12.left!=AU12.right",
                           "keyword:joy",
                           "keyword:anx*",
                           "keyword:cafe",
                           "keyword:\"CAFÉ\"",
                           "keyword:\"fear of heights\"",
                           "keyword:\"fear of he*\"",
                           "keyword:script",
                           "keyword:\"drop table\"",
                           "keyword:nothing",
                           "keyword:\"!!\"",
                           "keyword:\"\\\"\"",
                           "source:example.org",
                           "source:\"crawl/1.tar\"",
                           "source:\"1-7\"",
                           "licence:\"CC0*\"",
                           "license = \"cc by 4.0\"",
                           "!licence:*",
                           "noai",
                           "!noai",
                           "robots:noindex",
                           "!robots:*",
                           "licence:CC0* & !noai & AU12",
                           "AU12>=2 & !AU4 & (AU6|AU7)",
                           "(AU1|AU2)&quality>0.2|keyword:joy&!emotion:happy",
                           "!(AU1 | !AU2)"}) {
    Check(index, text);
  }
  EXPECT_GT(Check(index, "keyword:\"fear of heights\""), 0U);
  EXPECT_GT(Check(index, "AU12>=2 & !AU4 & (AU6|AU7)"), 0U);
  EXPECT_GT(Check(index, "keyword:cafe"), 0U);
  EXPECT_GT(Check(index, "licence:\"CC0*\" & noai"), 0U);
  EXPECT_EQ(Check(index, "licence:CC"), 0U) << "the whole licence, unless it is a pattern";
  EXPECT_EQ(Check(index, "noai") + Check(index, "!noai"), Check(index, ""));
}

TEST_F(Search, RandomExpressionsFindWhatAScanFinds) {
  const FaceIndex index = Open();
  std::mt19937 random(3);
  const std::vector<std::string> terms{
      "AU1",        "AU2>=3",       "AU4.p<0.5", "AU6=0",         "AU7!=2",          "AU25>1.5",
      "AU45",       "quality>0.4",  "yaw>0",     "emotion:happy", "emotion:fearful", "keyword:joy",
      "keyword:s*", "source:media", "size<150",  "noai",          "licence:CC*"};
  for (int round = 0; round < 150; ++round) {
    std::string text = terms[random() % terms.size()];
    for (auto i = random() % 5; i > 0; --i) {
      const std::string other = terms[random() % terms.size()];
      text = random() % 3 == 0 ? "!(" + text + ") | " + other
                               : "(" + text + (random() % 2 == 0 ? ") & " : ") | ") + other;
    }
    Check(index, text);
  }
}

TEST_F(Search, PatternsMatchTheWholeSource) {
  const FaceIndex index = Open();
  EXPECT_GT(Find(index, ParseExpression("source:\"https://photos.*\"")).Count(), 0U);
  EXPECT_EQ(Find(index, ParseExpression("source:\"photos.*\"")).Count(), 0U);
  EXPECT_EQ(Find(index, ParseExpression("source:\"crawl/?.tar\"")).Count(), index.FaceCount());
}

TEST_F(Search, PagesTileTheResult) {
  const FaceIndex index = Open();
  for (const char* sort : {"", "AU12", "+AU12", "quality", "random:5", "AU12.p"}) {
    const Selection selection = Find(index, ParseExpression("AU12<4"), ParseOrder(sort));
    std::vector<FaceReference> tiled;
    for (std::uint64_t at = 0; at < selection.Count(); at += 7) {
      for (const FaceReference& face : selection.Page(at, 7)) tiled.push_back(face);
    }
    EXPECT_EQ(tiled, selection.Page(0, selection.Count())) << sort;
    EXPECT_EQ(tiled.size(), selection.Count());
    std::set<std::pair<std::uint32_t, std::uint32_t>> distinct;
    for (const FaceReference& face : tiled) {
      distinct.insert({face.shard, face.face});
      EXPECT_TRUE(selection.Contains(face));
    }
    EXPECT_EQ(distinct.size(), tiled.size());
    EXPECT_TRUE(selection.Page(selection.Count(), 5).empty());
    EXPECT_TRUE(selection.Page(~std::uint64_t{0}, ~std::uint64_t{0}).empty());
  }
}

TEST_F(Search, OrdersByAnyField) {
  const FaceIndex index = Open();
  const Selection falling = Find(index, {}, ParseOrder("AU12"));
  float last = 6;
  for (const FaceSummary& face : Describe(index, falling.Page(0, falling.Count()))) {
    const float value = face.intensity[5];
    EXPECT_LE(value, last);
    last = value;
  }
  EXPECT_EQ(Find(index, {}, ParseOrder("random:1")).Page(0, 9),
            Find(index, {}, ParseOrder("random:1")).Page(0, 9));
  EXPECT_NE(Find(index, {}, ParseOrder("random:1")).Page(0, 9),
            Find(index, {}, ParseOrder("random:2")).Page(0, 9));
  EXPECT_THROW(ParseOrder("beauty"), ExpressionError);
  EXPECT_THROW(ParseOrder("random:x"), ExpressionError);
  EXPECT_THROW(ParseOrder("AU12>1 & quality"), ExpressionError);
}

TEST_F(Search, SummariesSayWhatTheShardsSay) {
  const FaceIndex index = Open();
  const Selection all = Find(index, {});
  for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{50}}) {  // columns and single entries
    std::vector<FaceReference> faces;
    for (std::uint64_t at = 0; at < all.Count(); at += step) faces.push_back(all.Page(at, 1)[0]);
    ShardCache cache(index, 2);
    const std::vector<FaceSummary> summaries = Describe(index, faces);
    VisitByShard(cache, faces, [&](std::size_t at, const ShardReader& shard) {
      const std::uint32_t face = faces[at].face;
      const FaceRecord record = shard.Face(face);
      EXPECT_EQ(summaries[at].intensity, record.aus.intensity);
      EXPECT_EQ(summaries[at].probability, record.aus.probability);
      EXPECT_EQ(summaries[at].present, record.aus.present);
      EXPECT_EQ(summaries[at].quality, record.aus.quality);
      EXPECT_EQ(summaries[at].yaw, record.pose.yaw);
      EXPECT_EQ(summaries[at].size, record.box.width);
      EXPECT_EQ(summaries[at].emotion, shard.header().emotion_names[record.emotion]);
      const SampleRecord& sample = shard.Sample(static_cast<std::size_t>(record.sample));
      EXPECT_EQ(summaries[at].text.key, sample.key);
      EXPECT_EQ(summaries[at].text.caption, sample.keywords);
    });
  }
}

TEST_F(Search, TalliesCountImagesOnce) {
  const FaceIndex index = Open();
  const Expression where = ParseExpression("AU12>=1");
  const Selection selection = Find(index, where);
  std::map<std::string, std::set<std::string>> images;
  std::map<std::string, std::uint64_t> faces;
  for (const tests::ScannedFace& found : tests::Scan(folder(), where)) {
    const ShardReader shard(folder() + "/" + found.shard);
    const FaceRecord face = shard.Face(found.face);
    const auto add = [&](const std::string& name) {
      images[name].insert(shard.Sample(static_cast<std::size_t>(face.sample)).key);
      ++faces[name];
    };
    add(shard.header().emotion_names[face.emotion]);
    const auto names = shard.header().schema.Names();
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (face.aus.present[j] != 0) add(names[j]);
    }
  }
  std::size_t rows = 0;
  for (const auto& tallies : {TallyEmotions(index, selection), TallyAus(index, selection)}) {
    for (const Tally& tally : tallies) {
      EXPECT_EQ(tally.images, images[tally.name].size()) << tally.name;
      EXPECT_EQ(tally.faces, faces[tally.name]) << tally.name;
      ++rows;
    }
  }
  EXPECT_EQ(rows, 5U + 8U);
}

TEST_F(Search, KeywordTalliesAreThoseOfTheWords) {
  const FaceIndex index = Open();
  const Selection selection = Find(index, ParseExpression("AU6"));
  const auto own = TallyKeywords(index, selection, {}, 1000);
  ASSERT_GT(own.size(), 5U);
  for (const Tally& tally : own) {
    const Selection with = Find(index, ParseExpression("AU6 & keyword:\"" + tally.name + "\""));
    EXPECT_EQ(tally.faces, with.Count()) << tally.name;
  }
  EXPECT_TRUE(std::none_of(own.begin(), own.end(), [](const Tally& t) { return t.name == "of"; }));
  const auto asked = TallyKeywords(index, selection, {"fear of heights", "nothing"}, 10);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].faces, Find(index, ParseExpression("AU6 & keyword:\"fear of heights\"")).Count());
  EXPECT_EQ(asked[1].images, 0U);
}

TEST_F(Search, UnknownNamesAreRefusedWithTheNearest) {
  const FaceIndex index = Open();
  const auto message = [&](const std::string& text) {
    try {
      Find(index, ParseExpression(text));
    } catch (const ExpressionError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("quality>0 & AU5").substr(0, 73),
            "column 13: AU5 is not measured in these shards; the nearest is AU4 (there");
  EXPECT_NE(message("emotion:hapy").find("did you mean \"happy\"?"), std::string::npos)
      << message("emotion:hapy");
  EXPECT_NE(message("emotion:hapiness").find("did you mean \"happiness\"?"), std::string::npos)
      << message("emotion:hapiness");
  EXPECT_NE(message("emotion:\"zz*\"").find("There are: neutral"), std::string::npos);
}

TEST_F(Search, ShardsThatDoNotMeasureAnAuAreLeftOut) {
  tests::CrawlOptions other;
  other.aus = {1, 5};
  other.first = 3;
  other.shards = 1;
  tests::WriteCrawl(folder(), other);
  const FaceIndex index = Open();
  const Selection both = Find(index, ParseExpression("AU1"));
  EXPECT_EQ(both.UnmeasuredShards(), 0U);
  EXPECT_EQ(both.Count(), tests::Scan(folder(), ParseExpression("AU1")).size());
  const Selection some = Find(index, ParseExpression("!AU5"));
  EXPECT_EQ(some.UnmeasuredShards(), 3U);
  for (const FaceReference& face : some.Page(0, 1000)) EXPECT_EQ(index.shards()[face.shard].name, "00003.h5");
}

// Shards of models that do not tell halves are left out; where none does, the question is refused.
TEST_F(Search, HalvesAreAskedOfShardsThatHaveThem) {
  tests::CrawlOptions other;
  other.halves = false;
  other.first = 3;
  other.shards = 1;
  tests::WriteCrawl(folder(), other);
  const FaceIndex index = Open();
  const Selection some = Find(index, ParseExpression("AU12.left>0"), ParseOrder("AU12.left"));
  EXPECT_EQ(some.UnmeasuredShards(), 1U);
  EXPECT_GT(some.Count(), 0U);
  const tests::TempDir without;
  tests::WriteCrawl(without.path().string(), other);
  const FaceIndex none(without.path().string(), {});
  EXPECT_THROW(Find(none, ParseExpression("AU1 | AU12.left>0")), ExpressionError);
  EXPECT_THROW(Find(none, ParseExpression("AU1>AU12.left")), ExpressionError);
  EXPECT_THROW(Find(none, {}, ParseOrder("AU12.right")), ExpressionError);
  EXPECT_THROW(ParseOrder("AU12+1"), ExpressionError);
}

TEST_F(Search, StopsWhenTold) {
  const FaceIndex index = Open();
  EXPECT_THROW(Find(index, ParseExpression("AU1"), {}, [] { return true; }), QueryStopped);
}

}  // namespace
}  // namespace auforge::datasets::query
