#include "tools/cli/better_rule.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "features/number.h"

namespace auforge::tools {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

double FigureOf(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? kNotMeasured : found->second;
}

Condition::Comparison ParseComparison(const std::string& text, const std::string& sign, const std::string& example) {
  using enum Condition::Comparison;
  if (sign == "<") return kLess;
  if (sign == "<=") return kLessOrEqual;
  if (sign == ">") return kGreater;
  if (sign == ">=") return kGreaterOrEqual;
  RefuseCondition(text, "\"" + sign + "\" is no comparison", example);
}

bool Compare(double value, Condition::Comparison comparison, double bound) {
  switch (comparison) {  // false where either is not a number
    case Condition::Comparison::kLess:
      return value < bound;
    case Condition::Comparison::kLessOrEqual:
      return value <= bound;
    case Condition::Comparison::kGreater:
      return value > bound;
    case Condition::Comparison::kGreaterOrEqual:
      return value >= bound;
  }
  return false;
}

std::string Shown(double value) {
  if (std::isnan(value)) return "not measured";
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

CheckedCondition Check(const Condition& condition, const Figures& fresh, const Figures& old, bool is_of_any) {
  CheckedCondition checked{condition.text, FigureOf(fresh, condition.figure), condition.shift, false, is_of_any};
  if (condition.factor != 0) {
    if (old.empty()) {
      checked.bound = kNotMeasured;
      checked.holds = true;
      return checked;
    }
    checked.bound += condition.factor * FigureOf(old, condition.figure);
  }
  checked.holds = Compare(checked.value, condition.comparison, checked.bound);
  return checked;
}

std::string Sentence(const CheckedCondition& c) {
  return c.text + (c.holds ? " holds: " : " does not hold: ") + Shown(c.value) + " against " + Shown(c.bound);
}

}  // namespace

void RefuseCondition(const std::string& text, const std::string& why, const std::string& example) {
  throw std::invalid_argument("\"" + text + "\": " + why + "; write as " + example);
}

Condition SplitCondition(const std::string& text, const std::string& example) {
  const auto refuse = [&](const std::string& why) { RefuseCondition(text, why, example); };
  std::istringstream words(text);
  Condition condition;
  condition.text = text;
  std::string sign, first, operation, second, more;
  words >> condition.figure >> sign >> first >> operation >> second >> more;
  if (first.empty() || !more.empty()) refuse("a condition is a figure, a comparison and a number or what to make of the old figure");
  condition.comparison = ParseComparison(text, sign, example);
  const auto number = [&refuse](const std::string& word) {
    const auto value = features::ParseNumber(word);
    if (!value) refuse("\"" + word + "\" is no number");
    return *value;
  };
  if (first != "old") {
    condition.shift = number(first);
    if (!operation.empty()) refuse("only \"old\" can be added to");
    return condition;
  }
  condition.factor = 1;
  if (operation.empty()) return condition;
  if (second.empty()) refuse("a number is missing behind \"" + operation + "\"");
  if (operation == "+") condition.shift = number(second);
  else if (operation == "-") condition.shift = -number(second);
  else if (operation == "*") condition.factor = number(second);
  else refuse("\"" + operation + "\" is none of + - *");
  if (condition.factor == 0) refuse("nothing is left of the old figure; compare with a number");
  return condition;
}

Verdict Judge(const BetterRule& rule, const Figures& fresh, const Figures& old) {
  Verdict verdict;
  bool all = true, any = rule.any.empty();
  for (const Condition& condition : rule.all) {
    verdict.conditions.push_back(Check(condition, fresh, old, false));
    all = all && verdict.conditions.back().holds;
  }
  for (const Condition& condition : rule.any) {
    verdict.conditions.push_back(Check(condition, fresh, old, true));
    any = any || verdict.conditions.back().holds;
  }
  verdict.is_better = all && any;
  for (const CheckedCondition& c : verdict.conditions) {
    const bool decided = verdict.is_better ? c.holds : !c.holds && (!c.is_of_any || !any);
    if (decided) verdict.reasons.push_back(Sentence(c));
  }
  return verdict;
}

}  // namespace auforge::tools
