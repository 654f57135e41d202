// When a generator is better than the one before it: conditions over the figures of `gan eval`. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/better_rule.h"

namespace auforge::tools {

// The figures that every AU has, and those of all of them: what may stand in a condition. docs/loop.md says what each is.
const std::vector<std::string>& AuFigureNames();
const std::vector<std::string>& WholeFigureNames();
// What `gan eval --json-file` wrote. Figures that could not be measured are left out. Throws storage::BadContent.
Figures ReadFigures(const std::string& path);

// Throws std::invalid_argument saying what is wrong with it, and the nearest figure where there is none of that name.
Condition ParseCondition(const std::string& text);

}  // namespace auforge::tools
