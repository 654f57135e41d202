#include "annotator/detector_answers.h"

#include <algorithm>
#include <cmath>

namespace auforge::annotator {
namespace {

constexpr float kMostLogarithm = 4;  // of a side: keeps what a foreign net says finite

}  // namespace

features::Box BoxFromAnswers(std::span<const float, kDetectorAnswers - 1> answers, features::Point2 middle) {
  const float side = kDetectorSide * std::exp(std::clamp(answers[2], -kMostLogarithm, kMostLogarithm));
  const float x = middle.x + kDetectorLength * answers[0], y = middle.y + kDetectorLength * answers[1];
  return {x - side / 2, y - side / 2, side, side};
}

FivePoints PointsFromAnswers(std::span<const float, kDetectorAnswers - 1> answers, features::Point2 middle) {
  FivePoints points;
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = {middle.x + kDetectorLength * answers[3 + 2 * i], middle.y + kDetectorLength * answers[4 + 2 * i]};
  return points;
}

std::array<float, kDetectorAnswers - 1> AnswersFor(const features::Box& box, const FivePoints& points, features::Point2 middle) {
  std::array<float, kDetectorAnswers - 1> answers{};
  answers[0] = (box.x + box.width / 2 - middle.x) / kDetectorLength;
  answers[1] = (box.y + box.height / 2 - middle.y) / kDetectorLength;
  answers[2] = std::log(box.width / kDetectorSide);
  for (std::size_t i = 0; i < points.size(); ++i) {
    answers[3 + 2 * i] = (points[i].x - middle.x) / kDetectorLength;
    answers[4 + 2 * i] = (points[i].y - middle.y) / kDetectorLength;
  }
  return answers;
}

}  // namespace auforge::annotator
