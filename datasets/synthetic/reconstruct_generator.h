// Method "reconstruct": real photos, rebuilt in three dimensions, drawn again with another expression,
// direction and light.
#pragma once

#include <memory>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/degrade.h"
#include "datasets/synthetic/expression_mixer.h"
#include "datasets/synthetic/face_generator.h"
#include "datasets/synthetic/face_truth.h"
#include "datasets/synthetic/occluders.h"
#include "datasets/synthetic/photo_source.h"
#include "datasets/synthetic/wrinkles.h"

namespace auforge::datasets::synthetic {

namespace internal {
class FaceOutline;
}

struct ReconstructOptions {
  int size = 256;              // side of the pictures, pixels, 64..1024
  int faces_per_identity = 6;  // scenes with one made-up person, >= 1
  int expressions = 1;         // of each scene, 1..64; everything else is the same in its pictures
  float one_sided = kOneSided;  // 0..1; SampleExpression
  float identity_deviation =
      0.35F;  // added to the photo's identity weights, so that nobody is drawn as he is; 0..2
  float yaw = 15, pitch = 8,
        roll = 9;  // standard deviations, degrees; cut at 2.2 of them and at what a photo bears
  OccluderOptions occluders;
  DegradeOptions degrade;
  void Validate() const;  // throws std::invalid_argument naming field and value
};

// Immutable but for a cache of people; thread-safe. What it refers to must outlive it.
class ReconstructGenerator final : public FaceGenerator {
 public:
  // sources: at least one; throws std::invalid_argument otherwise.
  ReconstructGenerator(const FaceModel& model, const FaceRenderer& renderer, std::vector<PhotoSource> sources,
                       const ReconstructOptions& options);
  ~ReconstructGenerator() override;

  SyntheticFace Generate(std::uint64_t seed, std::uint64_t index) const override;
  // The face of `source` with an expression and pose of one's own, undegraded and bare; for sheets.
  SyntheticFace Draw(std::size_t source, const Expression& expression, features::HeadPose pose) const;
  std::size_t SourceCount() const { return sources_.size(); }
  std::string Method() const override { return "reconstruct"; }
  int Expressions() const override { return options_.expressions; }
  std::string ConfigDigest() const override;

 private:
  struct Plan;
  class People;
  std::shared_ptr<const std::vector<Vec3>> Neutral(const FaceFit& fit, std::span<const float> identity) const;
  SyntheticFace Make(const Plan& plan) const;
  // normals: of the vertices of shape.
  cv::Mat Background(const Plan& plan, std::span<const Vec3> shape, std::span<const Vec3> normals,
                     const Camera& posed) const;

  const FaceModel& model_;
  const FaceRenderer& renderer_;
  std::vector<PhotoSource> sources_;
  ReconstructOptions options_;
  AuShapes au_shapes_;
  ExpressionMixer mixer_;
  WrinkleMaps wrinkles_;
  FaceTruth truth_;
  cv::Mat blend_;                      // CV_32FC1 texture: how much of the drawn face replaces the photo
  std::vector<std::int32_t> anchors_;  // vertices whose movement drags the photo along
  std::unique_ptr<const internal::FaceOutline> outline_;
  std::vector<std::vector<Vec3>> source_shapes_;  // as photographed
  std::vector<std::vector<bool>> anchor_seen_;    // of each source: which anchors its photo shows
  std::vector<std::vector<features::Point2>> source_outlines_;
  std::unique_ptr<People> people_;
};

}  // namespace auforge::datasets::synthetic
