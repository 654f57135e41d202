// near_duplicate and "duplicate of" against comparing all faces with all.
#include <gtest/gtest.h>

#include <random>

#include "datasets/query/search.h"
#include "features/picture_hash.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

using features::ImageHash;

struct StoredFace {
  std::string key;
  ImageHash face, image;
};

// Three shards of copies and others. The first few images have two faces.
std::vector<std::vector<StoredFace>> WriteShards(const std::string& folder, bool hashes = true) {
  std::mt19937_64 random(9);
  const auto changed = [&random](ImageHash hash, std::uint64_t most) {
    for (auto flips = random() % most; flips > 0; --flips) {
      const auto bit = random() % features::kHashBits;
      hash.words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    }
    return hash;
  };
  const auto fresh = [&random] { return ImageHash{{random(), random(), random(), random()}}; };
  std::vector<std::vector<StoredFace>> shards;
  std::vector<ImageHash> known;
  for (int s = 0; s < 3; ++s) {
    ShardHeader header = tests::CrawlHeader({});
    header.has_crops = false;
    ShardWriter writer(folder, s, header);
    std::vector<StoredFace>& faces = shards.emplace_back();
    for (int i = 0; i < 60; ++i) {
      SampleRecord sample;
      sample.key = std::to_string(s) + "-" + std::to_string(i);
      sample.hash = fresh();
      for (int f = 0; f < (i < 5 ? 2 : 1); ++f) {
        const ImageHash hash = known.empty() || random() % 2 == 0 ? fresh() : changed(known[random() % known.size()], 45);
        known.push_back(hash);
        faces.push_back({sample.key, hash, sample.hash});
      }
      const std::int64_t row = writer.AddSample(sample);
      for (auto face = faces.end() - (i < 5 ? 2 : 1); face != faces.end(); ++face) {
        FaceRecord record;
        record.sample = row;
        record.aus.intensity.assign(header.schema.size(), 0);
        record.aus.probability = record.aus.intensity;
        record.aus.present.assign(header.schema.size(), 0);
        if (hashes) record.hash = face->face;
        writer.AddFace(record);
      }
    }
    writer.Finish();
  }
  return shards;
}

std::vector<FaceReference> Found(const FaceIndex& index, const std::string& text) {
  const Selection selection = Find(index, ParseExpression(text));
  return selection.Page(0, selection.Count());
}

TEST(NearFaces, AreThoseThatComparingWithAllEarlierOnesFinds) {
  const tests::TempDir dir;
  const auto shards = WriteShards(dir.path().string());
  std::vector<FaceReference> expected, others;
  std::vector<ImageHash> kept;
  for (std::uint32_t s = 0; s < shards.size(); ++s) {
    for (std::uint32_t i = 0; i < shards[s].size(); ++i) {
      const bool is_near = std::any_of(kept.begin(), kept.end(), [&](const ImageHash& hash) {
        return features::AreNearDuplicates(hash, shards[s][i].face);
      });
      (is_near ? expected : others).push_back({s, i});
      if (!is_near) kept.push_back(shards[s][i].face);
    }
  }
  ASSERT_GT(expected.size(), 20U);
  const FaceIndex index(dir.path().string(), {});
  EXPECT_EQ(Found(index, "near_duplicate"), expected);
  EXPECT_EQ(Found(index, "!near_duplicate"), others);
  EXPECT_EQ(Found(index, "near_duplicate & source:\"2-*\"").size() + Found(index, "near_duplicate & !source:\"2-*\"").size(),
            expected.size());
  const FaceIndex again(dir.path().string(), {});  // from the index that is there
  EXPECT_EQ(Found(again, "near_duplicate"), expected);
}

TEST(NearFaces, OfAnImageAreItsCopiesWithoutItself) {
  const tests::TempDir dir;
  const auto shards = WriteShards(dir.path().string());
  const FaceIndex index(dir.path().string(), {});
  std::size_t found = 0;
  for (const std::string key : {"0-0", "0-3", "1-4", "0-17", "2-59", "1-30"}) {
    std::vector<const StoredFace*> wanted;
    for (const auto& shard : shards) {
      for (const StoredFace& face : shard) {
        if (face.key == key) wanted.push_back(&face);
      }
    }
    std::vector<FaceReference> expected;
    for (std::uint32_t s = 0; s < shards.size(); ++s) {
      for (std::uint32_t i = 0; i < shards[s].size(); ++i) {
        const StoredFace& face = shards[s][i];
        const bool is_near = std::any_of(wanted.begin(), wanted.end(), [&](const StoredFace* w) {
          return features::AreNearDuplicates(w->face, face.face) || features::AreNearImages(w->image, face.image);
        });
        if (is_near && face.key != key) expected.push_back({s, i});
      }
    }
    EXPECT_EQ(Found(index, "duplicate of " + key), expected) << key;
    found += expected.size();
  }
  EXPECT_GT(found, 0U);
  // One face of an image of two: the other is on the same image, and no copy of it.
  std::vector<FaceReference> expected;
  for (std::uint32_t s = 0; s < shards.size(); ++s) {
    for (std::uint32_t i = 0; i < shards[s].size(); ++i) {
      const bool is_itself = s == 0 && i == 1;
      if (!is_itself && features::AreNearDuplicates(shards[0][1].face, shards[s][i].face)) expected.push_back({s, i});
    }
  }
  EXPECT_EQ(Found(index, "duplicate of 00000.h5:1"), expected);
}

TEST(NearFaces, WhatCannotBeAnsweredIsSaid) {
  const tests::TempDir dir, old;
  WriteShards(dir.path().string());
  WriteShards(old.path().string(), /*hashes=*/false);
  const FaceIndex index(dir.path().string(), {}), without(old.path().string(), {});
  const auto message = [](const FaceIndex& asked, const std::string& text) -> std::string {
    try {
      Find(asked, ParseExpression(text));
    } catch (const ExpressionError& error) {
      return error.what();
    }
    return "found";
  };
  EXPECT_NE(message(index, "AU1 | duplicate of nobody").find("column 7: no image with a face has the key \"nobody\""), std::string::npos);
  EXPECT_NE(message(index, "duplicate of 00000.h5:99999").find("no image"), std::string::npos);
  EXPECT_NE(message(without, "!near_duplicate").find("no perceptual hashes; annotate again"), std::string::npos);
  EXPECT_NE(message(without, "duplicate of 0-0").find("no perceptual hashes"), std::string::npos);
  EXPECT_THROW(Find(index, ParseExpression("near_duplicate"), {}, [] { return true; }), QueryStopped);
  EXPECT_EQ(message(index, "near_duplicate"), "found") << "what was stopped is asked for again";
}

}  // namespace
}  // namespace auforge::datasets::query
