// Adds the face model's expression shapes to a face. Each moves but a part of the vertices; the rest is skipped, which is
// several times as fast as going through all of them. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"

namespace auforge::datasets::synthetic {

class ExpressionMixer {
 public:
  // model: must outlive the mixer.
  explicit ExpressionMixer(const FaceModel& model);
  // shape (all vertices) += sum of weights[i] * expressions[i]; weights: one for each expression.
  void Add(std::span<const float> weights, std::span<Vec3> shape) const;

 private:
  struct Range {
    std::uint32_t begin, end;  // vertices that move
  };
  const FaceModel& model_;
  std::vector<std::vector<Range>> ranges_;  // of each expression
};

}  // namespace auforge::datasets::synthetic
