// When a generator is better than the one before it: conditions over the figures of `gan eval`, as
//   "correlation >= old - 0.01"   "frechet < old * 0.98"   "AU12.correlation > 0.5"
// Plain values; pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auforge::tools {

// Figures by name. "correlation" is the mean over AUs, "AU12.correlation" that of one.
using Figures = std::map<std::string, double>;

// The figures that every AU has, and those of all of them: what may stand in a condition. docs/loop.md says what each is.
const std::vector<std::string>& AuFigureNames();
const std::vector<std::string>& WholeFigureNames();
// What `gan eval --json-file` wrote. Figures that could not be measured are left out. Throws storage::BadContent.
Figures ReadFigures(const std::string& path);

struct Condition {
  enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  std::string text;    // as it was written
  std::string figure;
  Comparison comparison = Comparison::kGreater;
  // figure <comparison> factor * old + shift, where old is the former generator's; factor 0: it does not count.
  double factor = 0, shift = 0;
};
// Throws std::invalid_argument saying what is wrong with it, and the nearest figure where there is none of that name.
Condition ParseCondition(const std::string& text);

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
// old: empty where there is no former generator; conditions that name it hold then.
Verdict Judge(const BetterRule& rule, const Figures& fresh, const Figures& old);

}  // namespace auforge::tools
