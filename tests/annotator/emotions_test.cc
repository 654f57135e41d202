#include "annotator/emotions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace auforge::annotator {
namespace {

std::string Emotion(const std::vector<int>& active) {
  const features::AuSchema& schema = features::CatalogueSchema();
  std::vector<std::uint8_t> present(schema.size(), 0);
  for (const int au : active) present[*schema.Find(au)] = 1;
  return EmotionNames()[EmotionFromAus(schema, present).category];
}

TEST(Emotions, ExactSetsDecide) {
  EXPECT_EQ(Emotion({12, 25}), "happy");
  EXPECT_EQ(Emotion({1, 2, 12, 25}), "happily surprised");
  EXPECT_EQ(Emotion({4, 15}), "sad");
  EXPECT_EQ(Emotion({1, 4, 20, 25}), "fearful");
}

TEST(Emotions, EveryRuleDecidesItsOwnSet) {
  for (const EmotionRule& rule : EmotionRules()) EXPECT_EQ(Emotion(rule.aus), rule.name);
  EXPECT_EQ(EmotionRules().size(), 23U);
}

TEST(Emotions, LargerSetsComeFirst) {
  // 1 2 5 20 25 holds "awed" (1 2 5 25) too; with 12 added no set is exact.
  EXPECT_EQ(Emotion({1, 2, 5, 12, 20, 25}), "fearfully surprised");
}

TEST(Emotions, AusOutsideTheTableDoNotDisturb) {
  EXPECT_EQ(Emotion({12, 25, 45}), "happy");
  EXPECT_EQ(Emotion({}), "neutral");
  EXPECT_EQ(Emotion({45}), "other");
}

TEST(Emotions, TheRuleIsNamed) {
  const features::AuSchema schema({12, 25});
  const std::vector<std::uint8_t> present{1, 1};
  const EmotionDecision decision = EmotionFromAus(schema, present);
  ASSERT_NE(decision.rule, nullptr);
  EXPECT_EQ(decision.rule->name, "happy");
  EXPECT_TRUE(decision.exact);
}

// Intensities of AUs, 0 of all others.
NearestEmotion Nearest(const std::vector<std::pair<int, float>>& shown, const std::vector<int>& hidden = {}) {
  const features::AuSchema& schema = features::CatalogueSchema();
  std::vector<float> intensity(schema.size(), 0.0F);
  for (const auto& [au, value] : shown) intensity[*schema.Find(au)] = value;
  std::vector<std::uint8_t> visible(schema.size(), 1);
  for (const int au : hidden) visible[*schema.Find(au)] = 0;
  return EmotionNearest(schema, intensity, visible);
}
std::string NearestName(const std::vector<std::pair<int, float>>& shown, const std::vector<int>& hidden = {}) {
  return EmotionNames()[Nearest(shown, hidden).category];
}

TEST(NearestEmotion, BasicEmotionsAreFoundAndNeedNotBeExact) {
  EXPECT_EQ(NearestName({}), "neutral");
  EXPECT_EQ(NearestName({{12, 3}, {25, 3}}), "happy");
  EXPECT_EQ(NearestName({{12, 3}}), "happy") << "a closed smile is one, too";
  EXPECT_EQ(NearestName({{6, 2}, {12, 4}, {25, 3}, {10, 1}}), "happy");
  EXPECT_EQ(NearestName({{1, 3}, {4, 3}, {15, 3}, {17, 2}}), "sad");
  EXPECT_EQ(NearestName({{4, 5}, {7, 4}, {24, 3}}), "angry");
  EXPECT_EQ(NearestName({{1, 4}, {2, 4}, {5, 3}, {25, 3}, {26, 3}}), "surprised");
  EXPECT_EQ(NearestName({{1, 4}, {2, 3}, {4, 3}, {5, 4}, {20, 4}, {25, 3}}), "fearful");
  EXPECT_EQ(NearestName({{9, 4}, {10, 3}, {17, 3}}), "disgusted");
  EXPECT_EQ(NearestName({{12, 0.4F}, {4, 0.3F}}), "neutral") << "traces";
}

// Every rule's own set, clearly shown, leads to that category or to one that shares a part of it.
TEST(NearestEmotion, TheTablesSetsLeadToTheirCategory) {
  std::size_t found = 0;
  for (const EmotionRule& rule : EmotionRules()) {
    std::vector<std::pair<int, float>> shown;
    for (const int au : rule.aus) shown.emplace_back(au, 4.0F);
    const std::string name = NearestName(shown);
    EXPECT_NE(name, "neutral") << rule.name;
    EXPECT_NE(name, "other") << rule.name;
    if (name == rule.name) ++found;
  }
  EXPECT_GE(found, 19U) << "of " << EmotionRules().size();
}

TEST(NearestEmotion, ScoreAndDistanceSaySoWhenItIsDoubtful) {
  const NearestEmotion clear = Nearest({{12, 4}, {6, 3}, {25, 3}}), faint = Nearest({{12, 1.2F}});
  EXPECT_GT(clear.score, 0.6F);
  EXPECT_LT(faint.score, clear.score);
  for (const NearestEmotion& n : {clear, faint}) {
    EXPECT_GE(n.distance, 0);
    EXPECT_GT(n.score, 1.0F / 30);
    EXPECT_LE(n.score, 1);
  }
}

TEST(NearestEmotion, OtherOnlyWhenAllAreFar) {
  EXPECT_EQ(NearestName({{45, 5}}), "neutral") << "closed eyes are no emotion, and speak against none";
  EXPECT_EQ(NearestName({{1, 5}, {9, 5}, {12, 5}, {15, 5}, {20, 5}, {24, 5}, {17, 5}, {26, 5}}), "other");
}

TEST(NearestEmotion, WhatIsHiddenSaysNothing) {
  EXPECT_EQ(NearestName({{6, 4}, {12, 4}, {25, 3}, {1, 5}, {4, 5}}, {1, 4}), "happy");
  const features::AuSchema few({6, 12});
  const std::vector<float> smile{3, 4};
  EXPECT_EQ(EmotionNames()[EmotionNearest(few, smile).category], "happy");
}

TEST(NearestEmotion, EvidenceIsLearntFromLabels) {
  std::vector<float> estimate, label;
  for (int i = 0; i < 40; ++i) {
    const bool is_shown = i % 4 == 0;
    label.push_back(is_shown ? 2.0F : 0);
    estimate.push_back(is_shown == (i % 10 != 0) ? 3.0F : 0);  // wrong now and then
  }
  label.push_back(NAN);
  estimate.push_back(5);
  const AuEvidence learnt = FitEvidence(estimate, label, {12, 0, 0});
  EXPECT_EQ(learnt.au, 12);
  EXPECT_LT(learnt.absent, -0.3F);
  EXPECT_GT(learnt.marked, 0.5F);
  const AuEvidence fallback = FitEvidence(std::vector<float>{1, 2}, std::vector<float>{0, 3}, {4, -1, 2});
  EXPECT_EQ(fallback.absent, -1);
  EXPECT_EQ(fallback.marked, 2);
}

}  // namespace
}  // namespace auforge::annotator
