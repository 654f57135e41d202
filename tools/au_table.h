// Per-AU figures as text for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "annotator/training.h"

namespace auforge::tools {

// One line per AU and a line of means over AUs that have both classes.
std::string AuTable(const std::vector<annotator::AuFigure>& figures);
// Header au,rows,active,r,icc,mae,auc,f1.
std::string AuCsv(const std::vector<annotator::AuFigure>& figures);

}  // namespace auforge::tools
