// EmotioNet's emotion categories from Action Units (Benitez-Quiroz et al., CVPR 2016, table of AU combinations): the
// nearest category of every face, with a score, and the published rule, which wants exact sets. Pure functions.
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

// Index 0 is "neutral", index 1 "other", then the rules' names. Rule: neutral = no AU present, other = AUs present, no
// rule fits. Nearest: other = all categories are far.
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

// What an estimated intensity says of an AU: log(P(estimate | shown) / P(estimate | not shown)), linear in the intensity
// from 0 to kMarkedIntensity and constant above. The distance between `absent` and `marked` is the AU's weight.
inline constexpr float kMarkedIntensity = 3;
struct AuEvidence {
  int au = 0;
  float absent = 0;  // where the estimate is 0; negative
  float marked = 0;  // where it is kMarkedIntensity and more
};
// Of the catalogue's AUs, learnt by FitEvidence from labelled faces (docs/annotator.md, "Emotions").
const std::vector<AuEvidence>& LearntEvidence();
// Logistic regression of "labelled at 1 and more" on the estimate, both classes weighing the same. intensity, label: n
// each, 0..5; NaN labels are left out. With fewer than 8 faces in a class: `fallback`.
AuEvidence FitEvidence(std::span<const float> intensity, std::span<const float> label, const AuEvidence& fallback);

struct NearestEmotion {
  std::uint8_t category = 0;  // index into EmotionNames()
  float score = 0;            // 0..1, the category's posterior probability among all, under the model below
  float distance = 0;         // of that category, >= 0; of "other": the distance from which on it is chosen
};

// The distance of a category is how much less likely its AUs make the estimates than the best set of AUs would:
//   d = sum over AUs of max(0, l) - log(p e^l + 1 - p),   l = the AU's evidence, p = share of people who show the AU in
// that category (a table from the published AU sets). The nearest is the one with the least d - log(prior); "other"
// stands at a fixed distance. intensity: one entry per AU of the schema, 0..5. visible: as many, 0 where nothing is
// known of the AU; may be empty. AUs that the schema lacks count as not known.
NearestEmotion EmotionNearest(const features::AuSchema& schema, std::span<const float> intensity,
                              std::span<const std::uint8_t> visible = {});

}  // namespace auforge::annotator
