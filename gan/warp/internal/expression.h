// What the face does: as fitted, as asked for, and where its points go.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/expression_mixer.h"
#include "gan/warp/internal/photo_fit.h"

namespace auforge::warp::internal {

// AUs that differ by less are the same.
inline constexpr float kSameIntensity = 1e-3F;

// Column of the catalogue.
std::size_t ColumnOf(int au);

// Immutable; thread-safe.
class ExpressionShaper {
 public:
  // model, shapes: must outlive the shaper.
  ExpressionShaper(const synthetic::FaceModel& model, const synthetic::AuShapes& shapes);

  // The shape of a fitted face with other intensities (0..5 of the catalogue, of either half; AUs without sides have equal halves).
  // Fitted weights go towards an AU's own shapes when it rises, towards nothing when it falls: what landmarks say of the present
  // face counts, and what was asked for is reached whatever the annotator believed.
  std::vector<synthetic::Vec3> Shape(const FittedPhoto& photo, const synthetic::Expression& own, const synthetic::Expression& wanted) const;
  // How the lower teeth move in the picture, pixels.
  features::Point2 JawMoves(const FittedPhoto& photo, std::span<const synthetic::Vec3> shape) const;
  // The gap between the lips at an intensity of AU25, share of that at 5.
  float GapShare(float intensity) const;

 private:
  std::vector<float> Weights(const std::vector<float>& fitted, const synthetic::Expression& own, const synthetic::Expression& wanted) const;
  void Knit(const std::vector<float>& change, std::vector<synthetic::Vec3>& shape) const;

  const synthetic::FaceModel& model_;
  const synthetic::AuShapes& shapes_;
  synthetic::ExpressionMixer mixer_;
  std::vector<std::int32_t> lower_teeth_, upper_jaw_;  // the latter with its gums
};

}  // namespace auforge::warp::internal
