#include "tools/loop/better_rule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "datasets/query/nearest.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "features/au_schema.h"
#include "features/number.h"

namespace auforge::tools {
namespace {

using nlohmann::json;

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

bool IsOneOf(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<double> Number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

double FigureOf(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? kNotMeasured : found->second;
}

[[noreturn]] void Refuse(const std::string& text, const std::string& why) {
  throw std::invalid_argument("\"" + text + "\": " + why + "; write as \"correlation >= old - 0.01\" or \"frechet < 12\"");
}

void RequireFigure(const std::string& text, const std::string& figure) {
  const std::size_t dot = figure.find('.');
  if (dot != std::string::npos && features::ParseAu(figure.substr(0, dot)) && IsOneOf(AuFigureNames(), figure.substr(dot + 1))) return;
  std::vector<std::string> names = AuFigureNames();
  names.insert(names.end(), WholeFigureNames().begin(), WholeFigureNames().end());
  if (IsOneOf(names, figure)) return;
  const std::string nearest = datasets::query::Nearest(dot == std::string::npos ? figure : figure.substr(dot + 1), names);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  Refuse(text, "there is no figure \"" + figure + "\"" + (nearest.empty() ? "" : ", did you mean \"" + nearest + "\"?") +
                   " There are " + known + ", the first ones of a single AU, too (AU12." + AuFigureNames().front() + ")");
}

Condition::Comparison ParseComparison(const std::string& text, const std::string& sign) {
  using enum Condition::Comparison;
  if (sign == "<") return kLess;
  if (sign == "<=") return kLessOrEqual;
  if (sign == ">") return kGreater;
  if (sign == ">=") return kGreaterOrEqual;
  Refuse(text, "\"" + sign + "\" is no comparison");
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

const std::vector<std::string>& AuFigureNames() {
  static const std::vector<std::string> names{"correlation", "mae", "rise", "correlation_whole_expression", "change_inside_region",
                                              "landmarks_moved_outside", "grey_changed_outside"};
  return names;
}

const std::vector<std::string>& WholeFigureNames() {
  static const std::vector<std::string> names{"cycle_error_grey", "frechet"};
  return names;
}

Figures ReadFigures(const std::string& path) {
  const json report = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!report.is_object()) throw datasets::storage::BadContent(path + ": is no report of auforge gan eval; remove it and run again");
  Figures figures;
  const json aus = report.value("aus", json::object());
  for (const std::string& name : AuFigureNames()) {
    double sum = 0;
    int count = 0;
    for (const auto& [au, of_au] : aus.items()) {
      const auto value = Number(of_au, name.c_str());
      if (!value) continue;
      figures[au + "." + name] = *value;
      sum += *value;
      ++count;
    }
    if (count > 0) figures[name] = sum / count;
  }
  if (const auto cycle = Number(report, "cycle_error_grey")) figures["cycle_error_grey"] = *cycle;
  if (report.contains("frechet")) {
    if (const auto frechet = Number(report["frechet"], "edited_to_real")) figures["frechet"] = *frechet;
  }
  return figures;
}

Condition ParseCondition(const std::string& text) {
  std::istringstream words(text);
  Condition condition;
  condition.text = text;
  std::string sign, first, operation, second, more;
  words >> condition.figure >> sign >> first >> operation >> second >> more;
  if (first.empty() || !more.empty()) Refuse(text, "a condition is a figure, a comparison and a number or what to make of the old figure");
  RequireFigure(text, condition.figure);
  condition.comparison = ParseComparison(text, sign);
  const auto number = [&text](const std::string& word) {
    const auto value = features::ParseNumber(word);
    if (!value) Refuse(text, "\"" + word + "\" is no number");
    return *value;
  };
  if (first != "old") {
    condition.shift = number(first);
    if (!operation.empty()) Refuse(text, "only \"old\" can be added to");
    return condition;
  }
  condition.factor = 1;
  if (operation.empty()) return condition;
  if (second.empty()) Refuse(text, "a number is missing behind \"" + operation + "\"");
  if (operation == "+") condition.shift = number(second);
  else if (operation == "-") condition.shift = -number(second);
  else if (operation == "*") condition.factor = number(second);
  else Refuse(text, "\"" + operation + "\" is none of + - *");
  if (condition.factor == 0) Refuse(text, "nothing is left of the old figure; compare with a number");
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
