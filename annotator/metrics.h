// The figures by which the field compares AU estimates with labels. Pure functions; all skip pairs whose
// label is NaN.
#pragma once

#include <span>

namespace auforge::annotator {

// Pearson's correlation; 0 where one side does not vary.
double PearsonR(std::span<const float> predicted, std::span<const float> label);
// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank.
double SpearmanR(std::span<const float> predicted, std::span<const float> label);
// ICC(3,1), Shrout & Fleiss 1979: two raters (prediction, label), consistency.
double Icc31(std::span<const float> predicted, std::span<const float> label);
double MeanAbsoluteError(std::span<const float> predicted, std::span<const float> label);
// Area under the ROC curve of `score` for label >= 1 (Mann-Whitney, ties count half); NaN with one class
// only.
double AreaUnderCurve(std::span<const float> score, std::span<const float> label);
// F1 of predicted >= 1 against label >= 1; 0 when there is no true positive.
double F1(std::span<const float> predicted, std::span<const float> label);
// The score threshold with the highest F1 against label >= 1, in the middle between two scores; NaN with one
// class.
double BestF1Threshold(std::span<const float> score, std::span<const float> label);
// The highest F1 of any threshold, one below all scores included: what their order allows, wherever a model
// sets its own. NaN with one class.
double BestF1(std::span<const float> score, std::span<const float> label);

}  // namespace auforge::annotator
