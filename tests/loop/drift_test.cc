// What a round holds, and how far it is from the one before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "datasets/shard.h"
#include "datasets/storage/bad_content.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"
#include "tools/loop/round_figures.h"

namespace auforge::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Stability, IsTheIndexOfItsFormula) {
  const Stability s = Compare({500, 500}, {250, 750});
  // (p - q) ln(p / q), half a count added to each bin.
  const double p = 500.5 / 1001, q = 250.5 / 1001;
  EXPECT_NEAR(s.psi, (p - q) * std::log(p / q) + (q - p) * std::log((1 - p) / (1 - q)), 1e-9);
  EXPECT_EQ(Compare({5, 5}, {5, 5}).psi, 0);
  EXPECT_EQ(Compare({}, {}).psi, 0);
  EXPECT_EQ(Compare({0, 0}, {4, 4}).psi, 0);
}

TEST(Stability, ChanceAloneIsRarelyCalledAMove) {
  std::mt19937 random(1);
  std::discrete_distribution<std::size_t> draw{50, 20, 10, 10, 5, 5};
  int moved = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    Histogram a(6), b(6);
    for (int i = 0; i < 60; ++i) ++a[draw(random)];
    for (int i = 0; i < 90; ++i) ++b[draw(random)];
    moved += Compare(a, b).Moved(0.1) ? 1 : 0;
  }
  EXPECT_LE(moved, 10) << "of 1000 pairs from one distribution";
}

TEST(Stability, AChangeThatPeopleSeeIsTold) {
  std::mt19937 random(2);
  std::discrete_distribution<std::size_t> before{50, 20, 10, 10, 5, 5}, now{10, 10, 20, 20, 20, 20};
  int moved = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Histogram a(6), b(6);
    for (int i = 0; i < 60; ++i) ++a[before(random)];
    for (int i = 0; i < 60; ++i) ++b[now(random)];
    moved += Compare(a, b).Moved(0.1) ? 1 : 0;
  }
  EXPECT_GE(moved, 95);
}

// Faces whose AUs and captions are known.
struct KnownFace {
  float au12 = 0, au15 = 0, quality = 0.8F;
  std::string caption = {};
};
RoundFigures FiguresOf(const std::vector<KnownFace>& faces, int broken = 0) {
  const tests::TempDir dir;
  tests::CrawlOptions options;
  options.aus = {12, 15};
  datasets::ShardWriter writer(dir / "shards", 0, tests::CrawlHeader(options));
  for (const KnownFace& known : faces) {
    datasets::SampleRecord sample;
    sample.key = "k";
    sample.keywords = known.caption;
    sample.url = "https://example.org/a.jpg";
    datasets::FaceRecord face;
    face.sample = writer.AddSample(sample);
    for (const float intensity : {known.au12, known.au15}) {
      face.aus.intensity.push_back(intensity);
      face.aus.probability.push_back(0.5F);
      face.aus.present.push_back(intensity >= 1 ? 1 : 0);
    }
    face.aus.quality = known.quality;
    face.landmarks = tests::NeutralFace();
    face.box = {0, 0, 100, 100};
    face.image = {1, 2, 3};
    face.emotion_score = 0.5F;
    writer.AddFace(std::move(face));
  }
  for (int i = 0; i < broken; ++i) {
    datasets::SampleRecord sample;
    sample.status = datasets::Outcome::kUndecodable;
    writer.AddSample(sample);
  }
  writer.Finish();
  return GatherFigures({dir / "shards/00000.h5"});
}

std::vector<KnownFace> Many(int count, const KnownFace& face) { return std::vector<KnownFace>(static_cast<std::size_t>(count), face); }

TEST(RoundFigures, CountWhatIsThere) {
  const RoundFigures f = FiguresOf({{3, 0, 0.55F, "a happy man"},
                                    {0, 0, 0.8F, "Smiling, at work"},           // does not smile
                                    {3, 3, 0.8F, "sad"},                        // smiles, and contradicts itself
                                    {0, 2, 0.8F, "sad and happy"},              // names two: says nothing
                                    {0.5F, 0, 0.8F, "unhappy smilers, joyous"}},  // no word of ours
                                   3);
  EXPECT_EQ(f.images, 8U);
  EXPECT_EQ(f.faces, 5U);
  EXPECT_EQ(f.Broken(), 3U);
  EXPECT_EQ(f.WithoutFace(), 3U);
  EXPECT_EQ(f.captioned, 3U);
  EXPECT_EQ(f.against_captions, 2U);
  EXPECT_EQ(f.against_themselves, 1U);
  EXPECT_THAT(f.aus.at("AU12"), ElementsAre(2, 1, 0, 0, 2, 0));
  EXPECT_EQ(f.present.at("AU15"), 2U);
  EXPECT_EQ(f.quality[5], 1U);
  EXPECT_EQ(f.sizes[2], 5U);
  EXPECT_EQ(f.sources.at("example.org"), 5U);
  const RoundFigures read = FiguresFromJson(ToJson(f), "f");
  EXPECT_EQ(ToJson(read), ToJson(f));
  EXPECT_THROW(FiguresFromJson("{}", "f"), datasets::storage::BadContent);
}

TEST(Drift, NothingMovesWhereNothingChanged) {
  std::vector<KnownFace> faces = Many(60, {2, 0});
  const auto more = Many(40, {0, 1});
  faces.insert(faces.end(), more.begin(), more.end());
  const RoundFigures a = FiguresOf(faces, 5), b = FiguresOf(faces, 6);
  const DriftReport report = FindDrift(b, &a, {});
  EXPECT_THAT(report.sentences, IsEmpty());
  EXPECT_THAT(report.beyond, IsEmpty());
  EXPECT_EQ(report.au_psi, 0);
}

TEST(Drift, SaysInPlainWordsWhatMoved) {
  const RoundFigures before = FiguresOf(Many(80, {3, 0, 0.9F})), now = FiguresOf(Many(80, {0, 0, 0.65F}));
  const DriftReport report = FindDrift(now, &before, {});
  EXPECT_THAT(report.sentences, testing::Contains(HasSubstr("AU12 (Lip corner puller) is present in 0 % of the faces, before in 100 %")));
  EXPECT_THAT(report.sentences, testing::Contains(HasSubstr("The faces are of worse quality than before")));
  EXPECT_THAT(report.beyond, testing::Contains(HasSubstr("drift.max_au_psi")));
  EXPECT_THAT(report.beyond, testing::Contains(HasSubstr("drift.max_quality_psi")));
  const DriftReport read = DriftFromJson(ToJson(report), "d");
  EXPECT_EQ(ToJson(read), ToJson(report));
}

TEST(Drift, BrokenImagesAreBeyondTheBoundInTheFirstRound) {
  const RoundFigures now = FiguresOf(Many(60, {}), 40);
  EXPECT_THAT(FindDrift(now, nullptr, {}).beyond, ElementsAre(HasSubstr("40 % of the images cannot be decoded or read")));
  DriftBounds bounds;
  bounds.max_broken.reset();
  EXPECT_THAT(FindDrift(now, nullptr, bounds).beyond, IsEmpty());
}

TEST(Drift, WronglyCaptionedFacesAreBeyondTheBound) {
  const auto faces = [](int right, int wrong) {
    std::vector<KnownFace> all = Many(right, {3, 0, 0.8F, "a smile"});
    const auto others = Many(wrong, {3, 0, 0.8F, "a sad man"});
    all.insert(all.end(), others.begin(), others.end());
    return FiguresOf(all);
  };
  const RoundFigures before = faces(57, 3), now = faces(36, 24), same = faces(56, 4);
  EXPECT_THAT(FindDrift(now, &before, {}).beyond, ElementsAre(HasSubstr("do not show what their caption names")));
  EXPECT_THAT(FindDrift(same, &before, {}).beyond, IsEmpty());
}

TEST(Drift, MislabelledFacesContradictThemselves) {
  std::vector<KnownFace> wrong = Many(40, {3, 3});
  const auto right = Many(60, {3, 0});
  wrong.insert(wrong.end(), right.begin(), right.end());
  const RoundFigures before = FiguresOf(Many(100, {3, 0})), now = FiguresOf(wrong);
  EXPECT_THAT(FindDrift(now, &before, {}).beyond, testing::Contains(HasSubstr("AUs that exclude each other rose by 40 %")));
}

}  // namespace
}  // namespace auforge::tools
