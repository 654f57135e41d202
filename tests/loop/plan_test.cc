// Plans as people write them, and what is said of those that cannot be meant.
#include "tools/loop/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "datasets/storage/bad_content.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Fault(const std::string& more) {
  try {
    ParsePlan("{\"work\": \"w\", \"inputs\": [\"in\"], \"held_out\": \"h\"" + more + "}", "/plans/p.json");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Plan, TheExampleIsAPlanWithTheDefaults) {
  const LoopPlan plan = ParsePlan(ExamplePlan(), "/plans/p.json");
  const LoopPlan least = ParsePlan(R"({"work": "loop", "inputs": ["x"], "held_out": "held-out"})", "/plans/p.json");
  EXPECT_EQ(plan.work, "/plans/loop");
  EXPECT_EQ(plan.settle_seconds, least.settle_seconds);
  EXPECT_EQ(plan.drop_overlap, least.drop_overlap);
  EXPECT_EQ(plan.generator, least.generator);
  EXPECT_EQ(plan.fresh_weight, least.fresh_weight);
  EXPECT_EQ(plan.earlier_rounds, least.earlier_rounds);
  EXPECT_EQ(plan.drift.max_broken, least.drift.max_broken);
  EXPECT_EQ(plan.drift.max_lost, least.drift.max_lost);
  EXPECT_EQ(plan.drift.max_contradictions, least.drift.max_contradictions);
  EXPECT_EQ(plan.drift.max_quality_psi, least.drift.max_quality_psi);
  EXPECT_EQ(plan.drift.max_au_psi, least.drift.max_au_psi);
  EXPECT_EQ(plan.engine.kind, least.engine.kind);
  ASSERT_EQ(plan.better.all.size(), least.better.all.size());
  for (std::size_t i = 0; i < plan.better.all.size(); ++i) EXPECT_EQ(plan.better.all[i].text, least.better.all[i].text);
  ASSERT_EQ(plan.better.any.size(), least.better.any.size());
}

TEST(Plan, PathsBeginAtThePlansFolder) {
  const LoopPlan plan = ParsePlan(R"({"work": "../w", "inputs": ["in/{00..09}.tar", "/abs/b", "@list"], "held_out": "h",
    "annotate": {"model": "m.h5", "min-face": 60, "skip-duplicates": true}, "train": {"rate": 2e-4, "pairs": ["a", "b"]}})",
                                  "/plans/x/p.json");
  EXPECT_EQ(plan.work, "/plans/w");
  EXPECT_THAT(plan.inputs, ElementsAre("/plans/x/in/{00..09}.tar", "/abs/b", "@/plans/x/list"));
  EXPECT_THAT(plan.annotate, ElementsAre("--model", "/plans/x/m.h5", "--min-face", "60", "--skip-duplicates"));
  EXPECT_THAT(plan.train, ElementsAre("--pairs", "/plans/x/a", "--pairs", "/plans/x/b", "--rate", "0.00020000000000000001"));
}

TEST(Plan, UnknownKeysAreNamedWithTheNearestKnownOne) {
  EXPECT_THAT(Fault(R"(, "inpust": [])"), HasSubstr("/plans/p.json: \"inpust\" is no key of a plan; did you mean \"inputs\"?"));
  EXPECT_THAT(Fault(R"(, "train": {"batchs": 8})"), HasSubstr("\"train.batchs\" is no key of a plan; did you mean \"batch\"?"));
  EXPECT_THAT(Fault(R"(, "annotate": {"index": 8})"), HasSubstr("\"annotate.index\""));
  EXPECT_THAT(Fault(R"(, "drift": {"max_brokn": 1})"), HasSubstr("did you mean \"max_broken\"?"));
  EXPECT_THAT(Fault(R"(, "engine": {"kind": "locl"})"), HasSubstr("did you mean \"local\"?"));
  EXPECT_THAT(Fault(R"(, "engine": {"kind": "kubernetes", "image": "i"})"), HasSubstr("\"engine.volume\" is missing"));
  EXPECT_THAT(Fault(R"(, "engine": {"tasks": 4})"), HasSubstr("\"engine.tasks\" is of clusters"));
  EXPECT_THAT(Fault(R"(, "work": "twice")"), HasSubstr("\"work\" stands twice"));
}

TEST(Plan, ValuesAreOfTheirTypeAndRange) {
  EXPECT_THAT(Fault(R"(, "fresh_weight": 0)"), HasSubstr("\"fresh_weight\" = 0: must be within 1..100"));
  EXPECT_THAT(Fault(R"(, "fresh_weight": 1.5)"), HasSubstr("whole number"));
  EXPECT_THAT(Fault(R"(, "train": {"batch": "8"})"), HasSubstr("\"train.batch\" must be a number"));
  EXPECT_THAT(Fault(R"(, "annotate": {"full-size": 1})"), HasSubstr("true or false"));
  EXPECT_THAT(Fault(R"(, "train": 8)"), HasSubstr("\"train\" must be an object"));
  EXPECT_THAT(Fault(R"(, "drift": {"max_lost": 2})"), HasSubstr("0..1"));
  EXPECT_THAT(Fault(R"(, "filter": "AU12>= & x")"), HasSubstr("\n       ^"));
  EXPECT_THAT(Fault(R"(, "better": {"all": ["corelation > old"]})"), HasSubstr("did you mean \"correlation\"?"));
  EXPECT_THAT(Fault(R"(, "better": {})"), HasSubstr("no condition"));
  EXPECT_EQ(Fault(R"(, "drift": {"max_lost": null})"), "");
  EXPECT_THROW(ParsePlan("{\"work\": ", "p"), datasets::storage::BadContent);
  EXPECT_THROW(ParsePlan("[]", "p"), UsageError);
  EXPECT_THROW(ParsePlan(R"({"inputs": ["x"], "held_out": "h"})", "p"), UsageError);
}

// The options that a plan may set are options of the commands.
TEST(Plan, OptionsExist) {
  const auto options = [](const std::string& program, const std::string& command) {
    const auto all = nlohmann::json::parse(tests::RunCommand(program + " --describe-commands 2>/dev/null").text);
    std::set<std::string> names;
    for (const auto& one : all.at("commands")) {
      if (one.at("name") != command) continue;
      for (const auto& option : one.at("options")) {
        for (const auto& name : option.at("names")) names.insert(name.get<std::string>());
      }
    }
    return names;
  };
  const auto annotate = options(AUFORGE_PROGRAM, "annotate");
  for (const std::string& name : PlanOptions("annotate")) EXPECT_TRUE(annotate.contains("--" + name)) << name;
#ifdef AUFORGE_GAN_PROGRAM
  const auto train = options(AUFORGE_GAN_PROGRAM, "train"), eval = options(AUFORGE_GAN_PROGRAM, "eval");
  for (const std::string& name : PlanOptions("train")) EXPECT_TRUE(train.contains("--" + name)) << name;
  for (const std::string& name : PlanOptions("judge")) EXPECT_TRUE(eval.contains("--" + name)) << name;
#endif
}

class LoopCommand : public testing::Test {
 protected:
  tests::ProgramOutcome Loop(const std::string& arguments) const {
    return tests::RunCommand("cd " + dir_.path().string() + " && " AUFORGE_PROGRAM " loop " + arguments);
  }
  void ExpectFault(const std::string& plan, int code, const std::string& text) const {
    tests::WriteText(dir_ / "p.json", plan);
    const tests::ProgramOutcome outcome = Loop("p.json");
    EXPECT_EQ(outcome.code, code) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(text));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "w")) << "nothing is written before the plan is sound";
  }
  const tests::TempDir dir_;
};

TEST_F(LoopCommand, WritesAnExampleOnce) {
  EXPECT_EQ(Loop("--new plan.json").code, 0);
  EXPECT_EQ(tests::ReadText(dir_ / "plan.json"), ExamplePlan());
  const tests::ProgramOutcome again = Loop("--new plan.json");
  EXPECT_EQ(again.code, 2) << again.text;
  EXPECT_EQ(Loop("--new missing/plan.json").code, 2);
}

TEST_F(LoopCommand, PathsAreCheckedBeforeTheWork) {
  EXPECT_EQ(Loop("absent.json").code, 1);
  ExpectFault("{", 3, "is no plan");
  ExpectFault(R"({"work": "w", "inputs": ["i"], "held_out": "absent"})", 1, "\"held_out\": " + (dir_ / "absent") + ": no such file");
  ExpectFault(R"({"work": "w", "inputs": ["i"], "held_out": ".", "annotate": {"model": "no.h5"}})", 1, "\"annotate.model\": " + (dir_ / "no.h5"));
  ExpectFault(R"({"work": "w", "inputs": ["i"], "held_out": ".", "generator": "no.h5"})", 1, "\"generator\": ");
  ExpectFault(R"({"work": "w", "inputs": ["i"], "held_out": "."})", 1, "no finished shard");
}

}  // namespace
}  // namespace auforge::tools
