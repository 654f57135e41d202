// EmotioNet's emotion categories from Action Units (Benitez-Quiroz et al., CVPR 2016, table of AU combinations).
// Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "features/au_schema.h"

namespace auforge::annotator {

struct EmotionRule {
  std::string name;       // "happily surprised"
  std::vector<int> aus;   // FACS numbers that define it
};

// All rules in the order in which they are tried: larger sets first.
const std::vector<EmotionRule>& EmotionRules();

// Index 0 is "neutral" (no AU present), index 1 "other" (AUs present, no rule fits), then the rules' names.
std::vector<std::string> EmotionNames();

struct EmotionDecision {
  std::uint8_t category = 0;            // index into EmotionNames()
  const EmotionRule* rule = nullptr;    // the rule that decided; null for neutral and other
  bool exact = false;                   // the present AUs equal the rule's (of those that rules speak of)
};

// First a rule whose AUs are exactly the present ones (AUs no rule mentions are ignored), else the first rule, in
// order, all of whose AUs are present. Rules with an AU that the schema lacks are never chosen.
// present: one entry per AU of the schema, 0 or 1.
EmotionDecision EmotionFromAus(const features::AuSchema& schema, std::span<const std::uint8_t> present);

}  // namespace auforge::annotator
