#include "annotator/emotions.h"

#include <algorithm>
#include <set>

namespace auforge::annotator {
namespace {

std::vector<EmotionRule> SortedRules() {
  std::vector<EmotionRule> rules{
      {"happy", {12, 25}},
      {"sad", {4, 15}},
      {"fearful", {1, 4, 20, 25}},
      {"angry", {4, 7, 24}},
      {"surprised", {1, 2, 25, 26}},
      {"disgusted", {9, 10, 17}},
      {"happily sad", {4, 6, 12, 25}},
      {"happily surprised", {1, 2, 12, 25}},
      {"happily disgusted", {10, 12, 25}},
      {"happily fearful", {1, 2, 12, 25, 26}},
      {"sadly fearful", {1, 4, 15, 25}},
      {"sadly angry", {4, 7, 15}},
      {"sadly surprised", {1, 4, 25, 26}},
      {"sadly disgusted", {4, 10}},
      {"fearfully angry", {4, 20, 25}},
      {"fearfully surprised", {1, 2, 5, 20, 25}},
      {"fearfully disgusted", {1, 4, 10, 20, 25}},
      {"angrily surprised", {4, 25, 26}},
      {"angrily disgusted", {4, 10, 17}},
      {"disgustedly surprised", {1, 2, 5, 10}},
      {"awed", {1, 2, 5, 25}},
      {"appalled", {4, 9, 10}},
      {"hatred", {4, 7, 10}},
  };
  std::stable_sort(rules.begin(), rules.end(),
                   [](const EmotionRule& a, const EmotionRule& b) { return a.aus.size() > b.aus.size(); });
  return rules;
}

const std::set<int>& MentionedAus() {
  static const std::set<int> mentioned = [] {
    std::set<int> all;
    for (const EmotionRule& rule : EmotionRules()) all.insert(rule.aus.begin(), rule.aus.end());
    return all;
  }();
  return mentioned;
}

}  // namespace

const std::vector<EmotionRule>& EmotionRules() {
  static const std::vector<EmotionRule> rules = SortedRules();
  return rules;
}

std::vector<std::string> EmotionNames() {
  std::vector<std::string> names{"neutral", "other"};
  for (const EmotionRule& rule : EmotionRules()) names.push_back(rule.name);
  return names;
}

EmotionDecision EmotionFromAus(const features::AuSchema& schema, std::span<const std::uint8_t> present) {
  std::set<int> active;
  bool any = false;
  for (std::size_t j = 0; j < present.size(); ++j) {
    if (present[j] == 0) continue;
    any = true;
    if (MentionedAus().contains(schema.numbers()[j])) active.insert(schema.numbers()[j]);
  }
  if (!any) return {};
  const std::vector<EmotionRule>& rules = EmotionRules();
  const auto decide = [&rules](std::size_t i, bool exact) {
    return EmotionDecision{static_cast<std::uint8_t>(i + 2), &rules[i], exact};
  };
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (std::set<int>(rules[i].aus.begin(), rules[i].aus.end()) == active) return decide(i, true);
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& aus = rules[i].aus;
    if (std::all_of(aus.begin(), aus.end(), [&active](int au) { return active.contains(au); })) return decide(i, false);
  }
  return {1, nullptr, false};
}

}  // namespace auforge::annotator
