// Method "cg": made-up people drawn by computer graphics alone. No photo is needed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/degrade.h"
#include "datasets/synthetic/expression_mixer.h"
#include "datasets/synthetic/face_generator.h"
#include "datasets/synthetic/face_truth.h"
#include "datasets/synthetic/hair.h"
#include "datasets/synthetic/occluders.h"
#include "datasets/synthetic/person.h"
#include "datasets/synthetic/skin_painter.h"
#include "datasets/synthetic/wardrobe.h"
#include "datasets/synthetic/wrinkles.h"

namespace auforge::datasets::synthetic {

struct CgOptions {
  int size = 256;              // side of the pictures, pixels, 64..1024
  int faces_per_identity = 6;  // scenes with one made-up person, >= 1
  int expressions = 1;         // of each scene, 1..64; everything else is the same in its pictures
  float one_sided = kOneSided;  // 0..1; SampleExpression
  float gaze = 1;               // how far eyes wander, by people's usual; single pictures only, 0..4
  int texture_side = 384;      // texels of the face's texture, 128..2048; cost grows with its square
  // Standard deviations, degrees. A share `turned` of the faces is drawn evenly from the ball that reaches
  // these limits instead.
  float yaw = 15, pitch = 7, roll = 7.5F;
  float turned = 0.15F;                                     // 0..1
  float yaw_limit = 60, pitch_limit = 30, roll_limit = 30;  // nothing beyond these, 0..90
  OccluderOptions occluders;
  DegradeOptions degrade;
  void Validate() const;  // throws std::invalid_argument naming field and value
};

// Immutable but for a cache of people; thread-safe. What it refers to must outlive it.
class CgGenerator final : public FaceGenerator {
 public:
  CgGenerator(const FaceModel& model, const FaceRenderer& renderer, const CgOptions& options);
  ~CgGenerator() override;

  SyntheticFace Generate(std::uint64_t seed, std::uint64_t index) const override;
  // An expression and pose of one's own in plain light, undegraded and bare; for sheets. person: seed of who
  // it is; melanin: < 0 the person's own, else 0.1..2.4.
  SyntheticFace Draw(std::uint64_t person, float melanin, const Expression& expression,
                     features::HeadPose pose) const;
  std::string Method() const override { return "cg"; }
  int Expressions() const override { return options_.expressions; }
  std::string ConfigDigest() const override;

 private:
  struct Character;  // a person, ready to be drawn
  struct Plan;
  class Cast;  // the characters in use

  std::shared_ptr<const Character> MakeCharacter(Person person, const Outfit& outfit) const;
  SyntheticFace Make(const Character& character, const Plan& plan) const;

  const FaceModel& model_;
  const FaceRenderer& renderer_;
  CgOptions options_;
  AuShapes au_shapes_;
  ExpressionMixer mixer_;
  FaceTruth truth_;
  SkinPainter painter_;
  WrinkleMaps wrinkles_;
  HairSalon salon_;
  Wardrobe wardrobe_;
  std::unique_ptr<Cast> cast_;
};

}  // namespace auforge::datasets::synthetic
