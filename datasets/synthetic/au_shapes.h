// Action Units as mixtures of the face model's expression shapes, and expressions drawn at random.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/random.h"
#include "features/au_schema.h"

namespace auforge::datasets::synthetic {

// Intensities 0..5 of both halves of the face, in the order of features::CatalogueSchema(). "left" is the subject's.
// AUs whose shapes have no sides have equal halves. AU25, where it is set, parts the lips; its label is measured (LipsPart).
struct Expression {
  std::vector<float> left;
  std::vector<float> right;
  // The label of the whole face: the stronger half.
  std::vector<float> Labels() const;
};

// Weights of the face model's expressions for an Expression. gain: 0.85..1.15 in training, 1 for plain sweeps.
class AuShapes {
 public:
  explicit AuShapes(const FaceModel& model);   // throws std::invalid_argument when a shape is missing

  std::vector<float> Weights(const Expression& expression, float gain) const;
  // Intensity of AU25 from the largest gap between the inner lips, beyond that of the neutral face, in cm.
  float LipsPart(std::span<const Vec3> landmarks, std::span<const Vec3> neutral_landmarks) const;
  // An expression that shows one AU at an intensity on both sides.
  Expression Single(int facs_number, float intensity) const;

 private:
  struct Term {
    std::size_t expression;
    float weight;
    int side;  // 0 both, 1 left, 2 right
  };
  std::vector<std::vector<Term>> terms_;  // per AU of the catalogue
  std::size_t expression_count_;
};

// As often as people are uneven.
inline constexpr float kOneSided = 0.25F;

// 12 % neutral, 50 % emotion prototypes with drop-out and random extras, 38 % independent AUs; exclusions
// respected. A share `one_sided`, 0..1, of the AUs that have sides is weaker on one half, by anything down to absent.
// AU25 comes out of the shapes.
Expression SampleExpression(Random& random, float one_sided = kOneSided);
// Takes what cannot happen together with an AU out of an expression that is to show it: intensities of the catalogue.
void MakeRoomFor(int au, std::vector<float>& intensity);
// The `number`th expression, 0, 1, …, of a scene that is drawn with several, the same on both halves. The first is one of
// the above; of the others half are, too, and half are the first with one to three AUs set anew, so that an AU is also seen
// to come and go alone. AU25 may be set.
Expression SampleSceneExpression(std::uint64_t seed, std::uint64_t scene, int number);

// What faces do without meaning it. All add to the weights of the model's expressions and change no label but that of
// AU25, which is measured afterwards.
//
// A resting face: nobody's is the model's neutral one. Thin or pressed lips, narrow eyes, low brows, folds beside the
// nose, each below what a coder would call a trace. One for each person.
void AddRestingFace(const FaceModel& model, Random& random, std::vector<float>& weights);
// What goes along with an expression: smiles bare the teeth without AU10 and AU16, pull at the nose's wings and dimple;
// lips part; gaze and jaw wander, the gaze `gaze` times as far as usual. One for each picture.
void AddNuisance(const FaceModel& model, const Expression& expression, Random& random, std::vector<float>& weights, float gaze = 1);
// The same for the expressions of a scene: gaze and jaw stay where they are, and the same smile does the same.
void AddSceneNuisance(const FaceModel& model, const Expression& expression, std::uint64_t seed, std::uint64_t scene,
                      std::vector<float>& weights);

}  // namespace auforge::datasets::synthetic
