#include "datasets/synthetic/expression_mixer.h"

#include <stdexcept>

namespace auforge::datasets::synthetic {

ExpressionMixer::ExpressionMixer(const FaceModel& model) : model_(model) {
  constexpr std::uint32_t kGap = 12;  // vertices; shorter pauses are not worth a new range
  for (const std::vector<Vec3>& delta : model.expressions) {
    std::vector<Range>& ranges = ranges_.emplace_back();
    for (std::uint32_t v = 0; v < delta.size(); ++v) {
      if (delta[v] == Vec3{}) continue;
      if (ranges.empty() || v > ranges.back().end + kGap) ranges.push_back({v, v});
      ranges.back().end = v + 1;
    }
  }
}

void ExpressionMixer::Add(std::span<const float> weights, std::span<Vec3> shape) const {
  if (weights.size() != ranges_.size() || shape.size() != model_.VertexCount()) {
    throw std::invalid_argument("ExpressionMixer: needs a weight for each expression and a whole shape");
  }
  for (std::size_t e = 0; e < ranges_.size(); ++e) {
    const float w = weights[e];
    if (w == 0) continue;
    const Vec3* delta = model_.expressions[e].data();
    for (const Range& range : ranges_[e]) {
      for (std::size_t v = range.begin; v < range.end; ++v) shape[v] += delta[v] * w;
    }
  }
}

}  // namespace auforge::datasets::synthetic
