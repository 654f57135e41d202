// How far a face's AUs can be trusted, learnt from the errors that a model makes on people it was not trained
// on.
//
// What is predicted is the relative error: the mean absolute error of the face's AUs by what is usual for
// faces as expressive as this one (by their labels), so that a smile is not called worse than a resting face
// for being a smile. It is a linear function of the first head's kernel (which faces are hard) and of a dozen
// cues (how sure the detector was, resolution, blur, pose, plausibility of the landmarks, how unlike the
// training faces it is, how far the heads disagree, how many AUs are on the brink of being present, how much
// is hidden) and their squares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/face_quality.h"

namespace auforge::annotator {

struct Answers;

inline constexpr std::size_t kQualityCues = 13;
// A face whose relative error is above this is a poor one.
inline constexpr float kPoorError = 1.5F;

struct QualityHead {
  std::vector<float> coefficients;  // C of the first head, then 2 x kQualityCues: cues and their squares
  float bias = 0;
  std::vector<float> centre, spread;  // kQualityCues: cues are standardised by these, then clamped to -3..3
  // P(not poor) = 1 / (1 + exp(slope * (expected relative error - middle))), slope > 0.
  float middle = kPoorError, slope = 1;
  bool empty() const { return coefficients.empty(); }
};

// Errors of n faces: intensity and label n x A (NaN = not labelled).
struct FaceErrors {
  std::vector<float> absolute;    // n: mean over the labelled AUs; NaN where there is none
  std::vector<float> expression;  // n: mean label
  std::vector<float> relative;    // n: absolute by what is usual at that expression
};
FaceErrors ErrorsOfFaces(std::span<const float> intensity, std::span<const float> label, std::size_t n);

// n x kQualityCues from answers with details and the intensities (n x A) that they mean.
std::vector<float> QualityCues(const AuModel::Weights& weights, const Answers& answers,
                               std::span<const float> intensity, std::span<const QualityEvidence> evidence);

// kernel n x C and cues n x kQualityCues of faces that the model was not trained on, their relative errors,
// and whose faces they are: the map to a probability is fitted on predictions for people left out in turn.
QualityHead LearnQualityHead(const std::vector<float>& kernel, const std::vector<float>& cues,
                             const std::vector<float>& relative, const std::vector<std::int64_t>& identity);

// Expected relative errors, n.
std::vector<float> ExpectedErrors(const QualityHead& head, const std::vector<float>& kernel,
                                  const std::vector<float>& cues, std::size_t n);
// 0..1: how likely the face is not a poor one.
float QualityOf(const QualityHead& head, float expected_error);

}  // namespace auforge::annotator
