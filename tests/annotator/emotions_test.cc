#include "annotator/emotions.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace auforge::annotator
