#include "datasets/near_duplicates.h"

#include <gtest/gtest.h>

#include <random>

namespace auforge::datasets {
namespace {

using features::AreNearDuplicates;
using features::ImageHash;

// Families of near and not so near hashes: some pairs on either side of every bound.
std::vector<ImageHash> Hashes(std::size_t count) {
  std::mt19937_64 random(4);
  std::vector<ImageHash> hashes;
  for (std::size_t i = 0; i < count; ++i) {
    ImageHash hash = hashes.empty() || random() % 4 == 0 ? ImageHash{{random(), random(), random(), random()}}
                                                         : hashes[random() % hashes.size()];
    for (auto flips = random() % 50; flips > 0; --flips) {
      const auto bit = random() % features::kHashBits;
      hash.words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    }
    hashes.push_back(hash);
  }
  return hashes;
}

TEST(NearDuplicateSet, FindsWhatComparingWithAllFinds) {
  const std::vector<ImageHash> hashes = Hashes(3000);
  NearDuplicateSet set;
  std::size_t found = 0;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t j = 0; j < i; ++j) {
      if (AreNearDuplicates(hashes[i], hashes[j])) expected.push_back(j);
    }
    ASSERT_EQ(set.FindAll(hashes[i]), expected) << i;
    const auto first = set.Find(hashes[i]);
    ASSERT_EQ(first, expected.empty() ? std::nullopt : std::optional(expected.front()));
    found += expected.size();
    set.Insert(hashes[i]);
  }
  EXPECT_GT(found, 1000U);
  EXPECT_EQ(set.size(), hashes.size());
}

TEST(NearDuplicateSet, WhatHasNoHashHasNoDuplicates) {
  NearDuplicateSet set;
  EXPECT_FALSE(set.Find({{1, 2, 3, 4}}));
  set.Insert({});
  EXPECT_FALSE(set.Find({}));
  EXPECT_TRUE(set.FindAll({}).empty());
}

}  // namespace
}  // namespace auforge::datasets
