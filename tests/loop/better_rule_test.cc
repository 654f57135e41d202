// When a generator counts as better.
#include "tools/loop/better_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;

std::string Fault(const std::string& text) {
  try {
    ParseCondition(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

BetterRule Rule(const std::vector<std::string>& all, const std::vector<std::string>& any = {}) {
  BetterRule rule;
  for (const std::string& text : all) rule.all.push_back(ParseCondition(text));
  for (const std::string& text : any) rule.any.push_back(ParseCondition(text));
  return rule;
}

TEST(BetterRule, ReadsConditions) {
  const Condition c = ParseCondition("frechet <= old * 0.98");
  EXPECT_EQ(c.figure, "frechet");
  EXPECT_EQ(c.comparison, Condition::Comparison::kLessOrEqual);
  EXPECT_EQ(c.factor, 0.98);
  EXPECT_EQ(c.shift, 0);
  EXPECT_EQ(ParseCondition("AU12.correlation > old - 0.01").shift, -0.01);
  EXPECT_EQ(ParseCondition("mae < 0.5").factor, 0);
}

TEST(BetterRule, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(Fault("corelation > old"), HasSubstr("did you mean \"correlation\"?"));
  EXPECT_THAT(Fault("AU12.frechet > 1"), HasSubstr("there is no figure"));
  EXPECT_THAT(Fault("correlation > old +"), HasSubstr("number is missing"));
  EXPECT_THAT(Fault("correlation > old + 1 2"), HasSubstr("a condition is"));
  EXPECT_THAT(Fault("correlation = 1"), HasSubstr("no comparison"));
  EXPECT_THAT(Fault("correlation > 1 + old"), HasSubstr("only \"old\""));
  EXPECT_THAT(Fault("correlation > old * 0"), HasSubstr("nothing is left"));
  EXPECT_THAT(Fault("correlation > oldest"), HasSubstr("is no number"));
  EXPECT_THAT(Fault(""), HasSubstr("a condition is"));
}

TEST(BetterRule, AllMustHoldAndOneOfAny) {
  const BetterRule rule = Rule({"correlation >= old - 0.01"}, {"correlation > old + 0.005", "frechet < old * 0.5"});
  const Figures old{{"correlation", 0.5}, {"frechet", 10}};
  EXPECT_TRUE(Judge(rule, {{"correlation", 0.51}, {"frechet", 10}}, old).is_better);
  EXPECT_TRUE(Judge(rule, {{"correlation", 0.5}, {"frechet", 4}}, old).is_better);
  const Verdict same = Judge(rule, old, old);
  EXPECT_FALSE(same.is_better);
  ASSERT_EQ(same.reasons.size(), 2U);
  EXPECT_THAT(same.reasons[0], HasSubstr("correlation > old + 0.005 does not hold: 0.5 against 0.505"));
  const Verdict worse = Judge(rule, {{"correlation", 0.4}, {"frechet", 4}}, old);
  EXPECT_FALSE(worse.is_better);
  EXPECT_EQ(worse.reasons.size(), 1U) << "the condition of any that did not hold is no reason: the other one did";
}

TEST(BetterRule, WhatWasNotMeasuredDoesNotHold) {
  EXPECT_FALSE(Judge(Rule({"frechet < 5"}), {{"correlation", 1}}, {}).is_better);
  EXPECT_FALSE(Judge(Rule({"frechet < old"}), {{"frechet", 1}}, {{"correlation", 1}}).is_better);
}

TEST(BetterRule, WithoutAFormerGeneratorOnlyFixedBoundsCount) {
  EXPECT_TRUE(Judge(Rule({"correlation > old + 1"}), {{"correlation", 0}}, {}).is_better);
  EXPECT_FALSE(Judge(Rule({"correlation > 0.2"}), {{"correlation", 0}}, {}).is_better);
}

TEST(BetterRule, FiguresAreMeansOverAus) {
  const tests::TempDir dir;
  tests::WriteText(dir / "eval.json", R"({"aus": {"AU1": {"correlation": 0.2, "mae": 1}, "AU12": {"correlation": 0.6, "mae": null}},
                                         "cycle_error_grey": 3, "frechet": {"edited_to_real": 7}})");
  const Figures figures = ReadFigures(dir / "eval.json");
  EXPECT_NEAR(figures.at("correlation"), 0.4, 1e-12);
  EXPECT_EQ(figures.at("mae"), 1);
  EXPECT_EQ(figures.at("AU12.correlation"), 0.6);
  EXPECT_EQ(figures.at("cycle_error_grey"), 3);
  EXPECT_EQ(figures.at("frechet"), 7);
  EXPECT_FALSE(figures.contains("rise"));
  tests::WriteText(dir / "eval.json", "[]");
  EXPECT_THROW(ReadFigures(dir / "eval.json"), datasets::storage::BadContent);
}

}  // namespace
}  // namespace auforge::tools
