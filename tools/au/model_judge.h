// Whether an AU model is better than another on labelled faces that neither has learnt from.
#pragma once

#include <string>
#include <vector>

#include "annotator/training.h"
#include "tools/au/au_data.h"
#include "tools/cli/better_rule.h"

namespace auforge::tools {

// "auc", "f1", "best_f1", "r", "icc", "mae": means over `means`, where that is not empty, else over the AUs that have both
// classes; "AU12.auc": of one. What could not be measured is not there.
Figures FiguresByName(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means);

// A condition over those. Throws UsageError saying what is wrong with it.
Condition ParseAuCondition(const std::string& text);

// Who learns from a picture must not be judged by it: throws BadInputError naming the first one that `judged` and
// `learnt` (SPECs, as LoadTrainingData takes them) have both, byte for byte, and how many there are. Exact landmarks
// without pictures are not looked at.
void RequireApart(const std::vector<std::string>& judged, const std::vector<std::string>& learnt, int jobs);

}  // namespace auforge::tools
