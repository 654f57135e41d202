#include "pipeline/near_duplicate_filter.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

using features::ImageHash;

ImageHash Hash(std::uint64_t seed, std::uint64_t change = 0) {
  std::mt19937_64 random(seed);
  ImageHash hash{{random(), random(), random(), random()}};
  hash.words[3] ^= change;
  return hash;
}

ExaminedImage Image(const std::string& key, const std::vector<ImageHash>& faces) {
  ExaminedImage image;
  image.sample.key = key;
  for (const ImageHash& hash : faces) {
    datasets::FaceRecord& face = image.faces.emplace_back();
    face.hash = hash;
    face.face_index = static_cast<std::int32_t>(image.faces.size()) - 1;
    face.box.x = static_cast<float>(face.face_index);
    image.au_visible.insert(image.au_visible.end(), {static_cast<std::uint8_t>(face.face_index), 1});
  }
  return image;
}

TEST(NearDuplicateFilter, TakesOutCopiesOfWhatWasKept) {
  NearDuplicateFilter filter({});
  filter.Begin(0);
  ExaminedImage first = Image("first", {Hash(1), Hash(2)});
  EXPECT_EQ(filter.Filter(first, 2), 0U);
  EXPECT_EQ(first.faces.size(), 2U);
  ExaminedImage mixed = Image("mixed", {Hash(1, 5), Hash(3), Hash(2)});
  EXPECT_EQ(filter.Filter(mixed, 2), 2U);
  ASSERT_EQ(mixed.faces.size(), 1U);
  EXPECT_EQ(mixed.faces[0].box.x, 1);
  EXPECT_EQ(mixed.faces[0].face_index, 0);
  EXPECT_EQ(mixed.au_visible, (std::vector<std::uint8_t>{1, 1}));
  EXPECT_EQ(mixed.sample.status, datasets::Outcome::kOk);
  ExaminedImage copy = Image("copy", {Hash(3, 1), Hash(1)});
  EXPECT_EQ(filter.Filter(copy, 2), 2U);
  EXPECT_EQ(copy.sample.status, datasets::Outcome::kDuplicate);
  EXPECT_EQ(copy.message, "a near-duplicate of mixed, which came before");
  ExaminedImage none = Image("none", {});
  none.sample.status = datasets::Outcome::kNoFace;
  EXPECT_EQ(filter.Filter(none, 2), 0U);
  EXPECT_EQ(none.sample.status, datasets::Outcome::kNoFace);
  ExaminedImage twice = Image("twice", {Hash(9), Hash(9)});
  EXPECT_EQ(filter.Filter(twice, 2), 1U) << "of one image, too";
}

// What was left out is no original: it is not in the shards, from which a run that goes on learns.
TEST(NearDuplicateFilter, ComparesWithWhatWasKeptAlone) {
  const std::uint64_t near = (std::uint64_t{1} << 30) - 1, far = (std::uint64_t{1} << 60) - 1;
  NearDuplicateFilter filter({});
  ExaminedImage first = Image("a", {Hash(1)}), second = Image("b", {Hash(1, near)}), third = Image("c", {Hash(1, far)});
  ASSERT_TRUE(features::AreNearDuplicates(Hash(1, near), Hash(1, far)));
  ASSERT_FALSE(features::AreNearDuplicates(Hash(1), Hash(1, far)));
  filter.Filter(first, 2);
  EXPECT_EQ(filter.Filter(second, 2), 1U);
  EXPECT_EQ(filter.Filter(third, 2), 0U);
}

TEST(NearDuplicateFilter, KnowsTheShardsOfEarlierRunsBeforeItsOwn) {
  const tests::TempDir dir;
  for (const int index : {0, 4}) {
    datasets::ShardHeader header;
    header.schema = features::AuSchema({1, 2});
    header.has_crops = false;
    datasets::ShardWriter writer(dir.path().string(), index, header);
    datasets::SampleRecord sample;
    sample.key = "of " + std::to_string(index);
    datasets::FaceRecord face;
    face.sample = writer.AddSample(sample);
    face.aus = {{0, 0}, {0, 0}, {0, 0}, 1};
    face.hash = Hash(static_cast<std::uint64_t>(100 + index));
    writer.AddFace(face);
    writer.Finish();
  }
  NearDuplicateFilter filter({{0, dir / "00000.h5"}, {4, dir / "00004.h5"}});
  filter.Begin(1);
  ExaminedImage of_first = Image("x", {Hash(100)}), of_later = Image("y", {Hash(104)});
  EXPECT_EQ(filter.Filter(of_first, 2), 1U);
  EXPECT_EQ(of_first.message, "a near-duplicate of of 0, which came before");
  EXPECT_EQ(filter.Filter(of_later, 2), 0U) << "a run that was not interrupted would not have known it either";
  filter.Begin(5);
  ExaminedImage again = Image("z", {Hash(104)});
  EXPECT_EQ(filter.Filter(again, 2), 1U);
}

}  // namespace
}  // namespace auforge::pipeline
