// The order in which faces are shown, and the parts that processes take of a batch.
#include "gan/face_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "tests/gan/faces.h"
#include "tests/support/temp_dir.h"

namespace auforge::gan {
namespace {

using tests::WriteFaces;

TEST(BatchLoader, ShowsEveryFaceOnceAnEpochAndDependsOnItsPlaceAlone) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader forwards(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 2});
  BatchLoader jumping(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 1});
  ASSERT_EQ(forwards.BatchesPerEpoch(), 3);
  std::vector<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 3; ++i) {
    const HostBatch batch = forwards.Get(1, i);
    for (std::size_t k = 0; k < 4; ++k) {
      seen.emplace_back(batch.image.begin() + static_cast<std::ptrdiff_t>(k * data.ImageValues()),
                        batch.image.begin() + static_cast<std::ptrdiff_t>((k + 1) * data.ImageValues()));
    }
    for (const float v : batch.target) EXPECT_TRUE(v >= 0 && v <= 1);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end()) << "a face came twice";
  EXPECT_EQ(jumping.Get(1, 2).image, forwards.Get(1, 2).image);
  EXPECT_NE(jumping.Get(2, 2).image, forwards.Get(1, 2).image);
}

TEST(BatchLoader, NamesItsFacesWithAndWithoutTheirPixels) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 6);
  tests::WritePairs(dir / "pairs", {.side = 32});
  const FaceDataset data({dir / "shards"}, {.image_size = 32, .pairs = {dir / "pairs"}});
  const LoaderOptions options{.batch = 5, .seed = 3, .jobs = 1, .unpaired = 2};
  LoaderOptions bare = options;
  bare.pixels = false;
  const HostBatch full = BatchLoader(data, options).Get(1, 1), named = BatchLoader(data, bare).Get(1, 1);
  ASSERT_EQ(full.faces.size(), 8U);
  ASSERT_EQ(full.flips.size(), 8U);
  EXPECT_EQ(named.faces, full.faces);
  EXPECT_EQ(named.flips, full.flips);
  EXPECT_EQ(named.target, full.target);
  EXPECT_TRUE(named.image.empty() && named.answer.empty());
  // Partners are mirrored as their faces are.
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(full.flips[5 + i], full.flips[2 + i]);
    const auto partners = data.Partners(static_cast<std::size_t>(full.faces[2 + i]));
    EXPECT_NE(std::find(partners.begin(), partners.end(), static_cast<std::size_t>(full.faces[5 + i])), partners.end());
  }
  std::vector<float> image(data.ImageValues());
  data.LoadImage(static_cast<std::size_t>(full.faces[4]), full.flips[4] != 0, image);
  EXPECT_TRUE(std::equal(image.begin(), image.end(), full.image.begin() + static_cast<std::ptrdiff_t>(4 * image.size())));
  std::vector<std::uint8_t> bytes(data.ImageValues());
  data.LoadBytes(static_cast<std::size_t>(full.faces[4]), bytes);
  data.LoadImage(static_cast<std::size_t>(full.faces[4]), false, image);
  for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(static_cast<float>(bytes[i]) / 127.5F - 1, image[i]) << i;
}

// A face and its answer stand in the same light; without casts batches are as if there were none.
TEST(BatchLoader, CastsAreThoseOfTheFaceAndItsAnswer) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 6);
  tests::WritePairs(dir / "pairs", {.side = 32});
  const FaceDataset data({dir / "shards"}, {.image_size = 32, .pairs = {dir / "pairs"}});
  LoaderOptions options{.batch = 5, .seed = 3, .jobs = 1, .unpaired = 2};
  EXPECT_TRUE(BatchLoader(data, options).Get(1, 1).casts.empty());
  options.colour_cast = 0.3F;
  const HostBatch cast = BatchLoader(data, options).Get(1, 1);
  ASSERT_EQ(cast.casts.size(), 3 * 8U);
  const auto [least, most] = std::minmax_element(cast.casts.begin(), cast.casts.end());
  EXPECT_GE(*least, 0.7F);
  EXPECT_LE(*most, 1.3F);
  EXPECT_GT(*most - *least, 0.2F);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(cast.casts[3 * 5 + i], cast.casts[3 * 2 + i]);
  EXPECT_EQ(BatchLoader(data, options).Get(1, 1).casts, cast.casts);
}

TEST(BatchLoader, PartsOfProcessesMakeTheWholeBatch) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader whole(data, {.batch = 4, .seed = 3, .jobs = 1});
  const HostBatch all = whole.Get(0, 1);
  HostBatch joined;
  for (const int part : {0, 1}) {
    BatchLoader loader(data, {.batch = 4, .part = part, .parts = 2, .seed = 3, .jobs = 1});
    const HostBatch half = loader.Get(0, 1);
    EXPECT_EQ(half.size, 2);
    joined.image.insert(joined.image.end(), half.image.begin(), half.image.end());
    joined.aus.insert(joined.aus.end(), half.aus.begin(), half.aus.end());
    joined.target.insert(joined.target.end(), half.target.begin(), half.target.end());
    joined.alpha.insert(joined.alpha.end(), half.alpha.begin(), half.alpha.end());
  }
  EXPECT_EQ(joined.image, all.image);
  EXPECT_EQ(joined.aus, all.aus);
  EXPECT_EQ(joined.target, all.target);
  EXPECT_EQ(joined.alpha, all.alpha);
  EXPECT_THROW(BatchLoader(data, {.batch = 4, .parts = 3}), std::invalid_argument);
}

void Append(HostBatch& to, const HostBatch& from) {
  const auto append = [](std::vector<float>& a, const std::vector<float>& b) { a.insert(a.end(), b.begin(), b.end()); };
  append(to.answer, from.answer);
  append(to.alpha, from.alpha);
  append(to.certainty, from.certainty);
}

TEST(BatchLoader, PairsAreToldTheFaceOfTheirSceneWithTheAusAskedFor) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  tests::WritePairs(dir / "pairs");
  const FaceDataset data({dir / "shards"}, {.image_size = 32, .pairs = {dir / "pairs"}});
  ASSERT_EQ(data.size(), 12U + 18U);
  ASSERT_EQ(data.UnpairedCount(), 12U);
  EXPECT_TRUE(data.Partners(3).empty());
  BatchLoader loader(data, {.batch = 4, .seed = 3, .flip = true, .jobs = 2, .unpaired = 1, .paired_only = 2});
  EXPECT_EQ(loader.BatchesPerEpoch(), 6);
  // Every paired face's picture, either way round.
  std::map<std::vector<float>, std::size_t> known;
  std::vector<float> pixels(data.ImageValues());
  for (std::size_t face = 12; face < data.size(); ++face) {
    for (const bool flip : {false, true}) {
      data.LoadImage(face, flip, pixels);
      known[pixels] = face;
    }
  }
  for (std::int64_t i = 0; i < 8; ++i) {
    const HostBatch batch = loader.Get(i / 6, i % 6);
    ASSERT_EQ(batch.size, 4);
    ASSERT_EQ(batch.paired, i < 2 ? 4 : 3) << "the first batches are all pairs";
    EXPECT_TRUE(batch.certainty.empty());
    for (std::int64_t p = 0; p < batch.paired; ++p) {
      const auto picture = [&](const std::vector<float>& all, std::int64_t row) {
        const auto begin = all.begin() + row * static_cast<std::int64_t>(pixels.size());
        return std::vector<float>(begin, begin + static_cast<std::int64_t>(pixels.size()));
      };
      const std::int64_t row = batch.size - batch.paired + p;
      const std::size_t face = known.at(picture(batch.image, row)), partner = known.at(picture(batch.answer, p));
      EXPECT_THAT(data.Partners(face), testing::Contains(partner));
      const auto target = std::vector<float>(batch.target.begin() + row * 17, batch.target.begin() + (row + 1) * 17);
      EXPECT_THAT(target, testing::ElementsAreArray(data.Aus(partner)));
    }
  }
}

TEST(BatchLoader, EveryPairedFaceComesOnceAPassAndPartsMakeTheWhole) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 5);
  tests::WritePairs(dir / "pairs");
  const FaceDataset data({dir / "shards"}, {.image_size = 32, .pairs = {dir / "pairs"}, .unsure_label = 0.25F});
  const LoaderOptions options{.batch = 8, .seed = 9, .flip = false, .jobs = 1, .unpaired = 2};
  BatchLoader whole(data, options), jumping(data, options);
  std::map<std::vector<float>, int> seen;
  for (std::int64_t i = 0; i < 3; ++i) {  // 18 of 18 paired faces
    const HostBatch batch = whole.Get(0, i);
    for (std::int64_t row = 2; row < 8; ++row) {
      const auto begin = batch.image.begin() + row * static_cast<std::int64_t>(data.ImageValues());
      ++seen[std::vector<float>(begin, begin + static_cast<std::int64_t>(data.ImageValues()))];
    }
    // Presences as probable as not (the faces of tests/gan/faces.cc) count a quarter.
    for (const float c : batch.certainty) EXPECT_FLOAT_EQ(c, 0.25F);
  }
  EXPECT_EQ(seen.size(), 18U);
  const HostBatch all = jumping.Get(1, 1);
  HostBatch joined;
  for (const int part : {0, 1}) {
    LoaderOptions half = options;
    half.part = part;
    half.parts = 2;
    const HostBatch batch = BatchLoader(data, half).Get(1, 1);
    EXPECT_EQ(batch.size, 4);
    EXPECT_EQ(batch.paired, 3);
    Append(joined, batch);
  }
  EXPECT_EQ(joined.answer, all.answer);
  std::sort(joined.alpha.begin(), joined.alpha.end());
  std::vector<float> alpha = all.alpha;
  std::sort(alpha.begin(), alpha.end());
  EXPECT_EQ(joined.alpha, alpha);
  EXPECT_EQ(joined.certainty.size(), all.certainty.size());
}

// What `call` says when it throws BadContent.
template <typename Call>
std::string Refusal(const Call& call) {
  try {
    call();
  } catch (const datasets::storage::BadContent& error) {
    return error.what();
  }
  return "";
}

TEST(FaceDataset, NamesWhatIsWrongWithPairs) {
  using testing::AllOf;
  using testing::HasSubstr;
  const tests::TempDir dir;
  WriteFaces(dir / "faces", 4);
  tests::WritePairs(dir / "cut", {.partner_is_missing = true});
  tests::WritePairs(dir / "large", {.side = 64});
  tests::WritePairs(dir / "few", {.schema = features::AuSchema({1, 12})});
  const auto open = [](const std::string& pairs) { FaceDataset({}, {.image_size = 32, .pairs = {pairs}}); };
  EXPECT_THAT(Refusal([&] { open(dir / "faces"); }), AllOf(HasSubstr("faces/00000.h5: has no pairs"), HasSubstr("--expressions")));
  EXPECT_THAT(Refusal([&] { open(dir / "cut"); }), AllOf(HasSubstr("cut/00000.h5: face 15"), HasSubstr("partner is missing")));
  EXPECT_THAT(Refusal([&] { open(dir / "large"); }), AllOf(HasSubstr("of 64 pixels, the networks of 32"), HasSubstr("--image-size 64")));
  EXPECT_THAT(Refusal([&] { open(dir / "few"); }), HasSubstr("AU2"));
}

}  // namespace
}  // namespace auforge::gan
