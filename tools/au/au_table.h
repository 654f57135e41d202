// Per-AU figures as text for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "annotator/training.h"

namespace auforge::tools {

// One line per AU and a line of means over AUs that have both classes.
std::string AuTable(const std::vector<annotator::AuFigure>& figures);
// Halves: r of the whole face and of either half, and the share of faces whose stronger half was found; "" of none.
std::string SidesTable(const std::vector<annotator::SideFigure>& figures);
// r of each AU by the heads that decide (validation identities), the choice marked with *.
// Whether the quality tells the error, and how well what is hidden was found out; "" where the data does not
// say.
std::string QualityText(const annotator::QualityFigure& figure);
std::string HiddenText(const std::vector<annotator::AuFigure>& figures);
std::string HeadsTable(const std::vector<annotator::HeadFigure>& heads, const annotator::AuModelInfo& info);
// Header au,rows,active,r,icc,mae,auc,f1.
std::string AuCsv(const std::vector<annotator::AuFigure>& figures);

// What labelled photographs did to each AU's readout; "" where there were none.
std::string ReadoutTable(const std::vector<annotator::ReadoutFigure>& figures);

}  // namespace auforge::tools
