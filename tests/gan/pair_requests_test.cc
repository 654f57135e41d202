// What photographs are asked to show in pairs.
#include "tools/gan/pair_requests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "features/au_schema.h"

namespace auforge::tools {
namespace {

using datasets::synthetic::Random;

TEST(PairRequests, ChangeTheAusThatMayBeSetAndNoOthers) {
  const features::AuSchema& schema = features::CatalogueSchema();
  std::vector<float> own(schema.size(), 0.2F), other(schema.size(), 4);
  own[*schema.Find(12)] = 3;
  const std::vector<std::size_t> columns{*schema.Find(1), *schema.Find(12), *schema.Find(25)};
  int changed = 0, alone = 0, rest = 0, full = 0;
  constexpr int kRequests = 2000;
  for (int i = 0; i < kRequests; ++i) {
    Random random(3, static_cast<std::uint64_t>(i));
    const std::vector<float> wanted = DrawRequest(random, columns, own, other);
    ASSERT_EQ(wanted.size(), own.size());
    int differ = 0;
    for (std::size_t j = 0; j < own.size(); ++j) {
      ASSERT_GE(wanted[j], 0);
      ASSERT_LE(wanted[j], 5);
      if (wanted[j] == own[j]) continue;
      ++differ;
      ASSERT_NE(std::ranges::find(columns, j), columns.end()) << schema.Names()[j];
    }
    changed += differ > 0 ? 1 : 0;
    alone += differ == 1 ? 1 : 0;
    rest += wanted[columns[1]] == 0 && differ == 1 ? 1 : 0;
    full += std::ranges::count(wanted, 5.0F) > 0 ? 1 : 0;
    Random again(3, static_cast<std::uint64_t>(i));
    EXPECT_EQ(DrawRequest(again, columns, own, other), wanted);
  }
  EXPECT_GT(changed, kRequests * 9 / 10);
  EXPECT_GT(alone, kRequests / 4) << "users ask for one AU most often";
  EXPECT_GT(rest, kRequests / 20) << "smiles are also taken away";
  EXPECT_GT(full, kRequests / 4);
}

TEST(PairRequests, WhatCannotGoWithAnAuMakesRoomForIt) {
  const features::AuSchema& schema = features::CatalogueSchema();
  std::vector<float> smile(schema.size(), 0);
  for (const int au : {6, 12, 25}) smile[*schema.Find(au)] = 4;
  const std::vector<std::size_t> columns{*schema.Find(12), *schema.Find(18), *schema.Find(24), *schema.Find(25), *schema.Find(26), *schema.Find(28)};
  int puckered = 0, pressed = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Random random(5, i);
    const std::vector<float> wanted = DrawRequest(random, columns, smile, smile);
    const auto of = [&](int au) { return wanted[*schema.Find(au)]; };
    if (of(18) > 0) {
      ++puckered;
      EXPECT_EQ(of(12), 0);
    }
    if (of(24) > 0 || of(28) > 0) {
      ++pressed;
      EXPECT_EQ(of(25), 0) << "teeth do not show between pressed lips";
    }
  }
  EXPECT_GT(puckered, 50);
  EXPECT_GT(pressed, 50);
}

TEST(PairRequests, OneHalfRisesLess) {
  const features::AuSchema& schema = features::CatalogueSchema();
  std::vector<float> own(schema.size(), 1), wanted = own;
  wanted[*schema.Find(12)] = 5;
  wanted[*schema.Find(4)] = 0;
  wanted[*schema.Find(26)] = 5;
  int weaker = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Random random(6, i);
    const auto halves = ApartInHalves(random, own, wanted, 0.5F);
    EXPECT_EQ(halves.Labels(), wanted);
    const std::size_t smile = *schema.Find(12);
    EXPECT_GE(std::min(halves.left[smile], halves.right[smile]), 1) << "rises, at least not at all";
    weaker += halves.left[smile] != halves.right[smile] ? 1 : 0;
    for (std::size_t j = 0; j < own.size(); ++j) {
      if (j != smile) {
        EXPECT_EQ(halves.left[j], halves.right[j]) << schema.Names()[j];
      }
    }
  }
  EXPECT_NEAR(weaker, 100, 30);
}

TEST(PairRequests, DroppedJawsPartTheLips) {
  const features::AuSchema& schema = features::CatalogueSchema();
  const std::vector<float> none(schema.size(), 0);
  std::vector<std::size_t> all(schema.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  int dropped = 0, parted = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Random random(4, i);
    const std::vector<float> wanted = DrawRequest(random, all, none, none);
    if (std::ranges::count_if(wanted, [](float v) { return v > 0; }) < 4 || wanted[*schema.Find(26)] < 2) continue;  // an expression
    ++dropped;
    parted += wanted[*schema.Find(25)] >= 2 ? 1 : 0;
  }
  EXPECT_GT(dropped, 20);
  EXPECT_EQ(parted, dropped);
}

}  // namespace
}  // namespace auforge::tools
