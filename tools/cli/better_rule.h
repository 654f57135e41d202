// When something learnt is better than what was there before it: conditions over figures, as
//   "correlation >= old - 0.01"   "frechet < old * 0.98"   "AU12.f1 > 0.5"
// Plain values; pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auforge::tools {

// Figures by name. "f1" is the mean over AUs, "AU12.f1" that of one.
using Figures = std::map<std::string, double>;

struct Condition {
  enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  std::string text;    // as it was written
  std::string figure;
  Comparison comparison = Comparison::kGreater;
  // figure <comparison> factor * old + shift, where old is the former one's; factor 0: it does not count.
  double factor = 0, shift = 0;
};
// What is wrong with a condition: std::invalid_argument, with an example of how to write one.
[[noreturn]] void RefuseCondition(const std::string& text, const std::string& why, const std::string& example);
// Throws that. Whether there is a figure of that name is for the caller to know.
Condition SplitCondition(const std::string& text, const std::string& example);

struct BetterRule {
  std::vector<Condition> all;  // each must hold
  std::vector<Condition> any;  // and one of these, where there are any
};

struct CheckedCondition {
  std::string text;
  double value = 0, bound = 0;  // NaN: not measured
  bool holds = false;
  bool is_of_any = false;
};
struct Verdict {
  bool is_better = false;
  std::vector<CheckedCondition> conditions;
  std::vector<std::string> reasons;  // a sentence each: what did not hold, or what did
};
// old: empty where there is no former one; conditions that name it hold then.
Verdict Judge(const BetterRule& rule, const Figures& fresh, const Figures& old);

}  // namespace auforge::tools
