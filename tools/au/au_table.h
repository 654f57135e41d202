// Per-AU figures as text for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "annotator/training.h"

namespace auforge::tools {

// One line per AU and a line of means over AUs that have both classes, of `means` where it is not empty. "active"
// and "claimed": shares of the faces by the labels and by the model.
std::string AuTable(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means = {});
// Those of these AUs.
std::vector<annotator::AuFigure> FiguresOf(const std::vector<annotator::AuFigure>& figures,
                                           const std::vector<int>& aus);
// Halves: r of the whole face and of either half, and the share of faces whose stronger half was found; "" of none.
std::string SidesTable(const std::vector<annotator::SideFigure>& figures);
// r of each AU by the heads that decide (validation identities), the choice marked with *.
// Whether the quality tells the error, and how well what is hidden was found out; "" where the data does not
// say.
std::string QualityText(const annotator::QualityFigure& figure);
std::string HiddenText(const std::vector<annotator::AuFigure>& figures);
std::string HeadsTable(const std::vector<annotator::HeadFigure>& heads, const annotator::AuModelInfo& info);
// Header au,rows,active,r,icc,mae,auc,f1,claimed,best_f1; with `means` a last line "mean" over those.
std::string AuCsv(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means = {});

// What labelled photographs did to each AU's readout; "" where there were none.
std::string ReadoutTable(const std::vector<annotator::ReadoutFigure>& figures);

}  // namespace auforge::tools
