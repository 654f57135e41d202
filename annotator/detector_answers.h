// What the numbers mean that the detector's net gives for a cell: how sure it is of a face there, its box, its points.
// Pure functions.
#pragma once

#include <array>
#include <span>

#include "annotator/face_points.h"
#include "features/types.h"

namespace auforge::annotator {

inline constexpr std::size_t kDetectorAnswers = 14;  // logit, box (3), points (10)
inline constexpr float kDetectorLength = 16;         // pixels that an answer of 1 stands for
inline constexpr float kDetectorSide = 27;           // box of an answer of 0, pixels

// Sizes that a net is trained to answer to: sides of boxes, pixels. Larger faces are found in reduced pictures.
inline constexpr double kLeastDetectorFace = 12, kMostDetectorFace = 60;

// The middle of a cell, pixels.
inline features::Point2 MiddleOf(int column, int row, int cell) {
  return {(static_cast<float>(column) + 0.5F) * static_cast<float>(cell), (static_cast<float>(row) + 0.5F) * static_cast<float>(cell)};
}
// answers: those behind the logit.
features::Box BoxFromAnswers(std::span<const float, kDetectorAnswers - 1> answers, features::Point2 middle);
FivePoints PointsFromAnswers(std::span<const float, kDetectorAnswers - 1> answers, features::Point2 middle);
// The other way round, for a square box.
std::array<float, kDetectorAnswers - 1> AnswersFor(const features::Box& box, const FivePoints& points, features::Point2 middle);

}  // namespace auforge::annotator
