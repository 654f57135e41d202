#pragma once

#include <string>
#include <vector>

namespace auforge::tools {

struct PlanOption {
  enum class Kind { kNumber, kText, kTexts, kFlag, kPath, kPaths };
  const char* name;  // without dashes
  Kind kind;
};

// section: "annotate", "train", "judge", "annotator.train".
const std::vector<PlanOption>& OptionsOfSection(const std::string& section);
// As command lines have it: "2000", "0.25".
std::string NumberText(double value);

}  // namespace auforge::tools
