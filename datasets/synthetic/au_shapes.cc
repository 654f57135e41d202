#include "datasets/synthetic/au_shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

namespace auforge::datasets::synthetic {
namespace {

struct ShapeTerm {
  const char* shape;
  float weight;
  bool sided;  // has _L and _R
};
struct AuRecipe {
  int au;
  std::vector<ShapeTerm> terms;
};

// Weights at intensity 5.
const std::vector<AuRecipe>& Recipes() {
  static const std::vector<AuRecipe> recipes{
      {1, {{"browInnerUp", 1, true}}},
      {2, {{"browOuterUp", 1, true}}},
      {4, {{"browDown", 1, true}}},
      {5, {{"eyeWide", 1, true}}},
      {6, {{"cheekSquint", 0.75F, true}, {"cheekRaiser", 0.7F, true}, {"eyeSquint", 0.25F, true}}},
      // The model's squint alone leaves the eyes wide open: at its strongest AU7 narrows them to little more than slits.
      {7, {{"eyeSquint", 1, true}, {"eyeBlink", 0.26F, true}}},
      {9, {{"noseSneer", 1, true}, {"browDown", 0.15F, true}}},
      {10, {{"mouthUpperUp", 0.9F, true}, {"mouthShrugUpper", 0.15F, false}}},
      {12, {{"mouthSmile", 1, true}}},
      {14, {{"mouthDimple", 1, true}}},
      {15, {{"mouthFrown", 1, true}}},
      {16, {{"mouthLowerDown", 1, true}}},
      {17, {{"mouthShrugLower", 0.9F, false}, {"mouthShrugUpper", 0.2F, false}}},
      {18, {{"mouthPucker", 0.9F, false}}},
      // The model's stretch pulls the corners down as much as back.
      {20, {{"mouthStretch", 1, true}, {"mouthSmile", 0.18F, true}}},
      {22, {{"mouthFunnel", 0.9F, false}}},
      // The model has no lip tightener. Thinned lips that stay closed and narrow a little are pressed lips (24)
      // rolled inwards and drawn together.
      {23, {{"mouthRollLower", 0.35F, false}, {"mouthRollUpper", 0.35F, false}, {"mouthPucker", 0.38F, false}}},
      {24, {{"mouthPress", 1, true}, {"mouthRollLower", 0.15F, false}, {"mouthRollUpper", 0.15F, false}}},
      // Lips part without meaning anything else: to the gap that stands for the intensity (GapShare).
      {25, {{"mouthLowerDown", 0.60F, true}, {"mouthUpperUp", 0.30F, true}, {"jawOpen", 0.30F, false}}},
      {26, {{"jawOpen", 0.65F, false}}},
      {28, {{"mouthRollLower", 0.9F, false}, {"mouthRollUpper", 0.9F, false}}},
      {45, {{"eyeBlink", 1, true}}},
  };
  return recipes;
}

// Landmark pairs across the lips, and the intensities that their gap in cm stands for.
constexpr std::array<std::array<std::size_t, 2>, 3> kLipPairs{{{61, 67}, {62, 66}, {63, 65}}};
constexpr std::array<float, 6> kGaps{0.08F, 0.22F, 0.42F, 0.75F, 1.15F, 1.8F};

// How far lips are parted at an intensity, share of intensity 5: the scale of gaps is not even.
float GapShare(float intensity) {
  const float at = std::clamp(intensity, 0.0F, 4.999F);
  const auto i = static_cast<std::size_t>(at);
  const float low = i == 0 ? 0 : kGaps[i];
  return (low + (at - static_cast<float>(i)) * (kGaps[i + 1] - low)) / kGaps.back();
}

float LargestGap(std::span<const Vec3> landmarks) {
  float largest = 0;
  for (const auto& [upper, lower] : kLipPairs) {
    const Vec3& a = landmarks[upper];
    const Vec3& b = landmarks[lower];
    largest = std::max(largest, std::hypot(a.x - b.x, a.y - b.y, a.z - b.z));
  }
  return largest;
}

std::size_t ColumnOf(int au) { return features::CatalogueSchema().Find(au).value(); }

// What cannot happen together; the second one yields.
constexpr std::array<std::array<int, 2>, 8> kExclusions{
    {{24, 26}, {5, 45}, {18, 20}, {22, 28}, {28, 26}, {24, 28}, {23, 22}, {18, 12}}};

// EmotioNet's and the classical prototypes, as sets of AUs that tend to come together.
const std::vector<std::vector<int>>& Prototypes() {
  static const std::vector<std::vector<int>> prototypes{
      {6, 12},       {6, 12, 26},       {1, 4, 15},     {1, 4, 15, 17},    {1, 2, 5, 26},  {1, 2, 4, 5, 20, 26},
      {4, 5, 7, 24}, {4, 7, 23},        {9, 10, 17},    {9, 15, 16},       {4, 9, 10},     {1, 2, 12, 26},
      {10, 12},      {4, 6, 12},        {12, 14},       {1, 2},            {4, 7},         {6, 12, 16},
      {17, 24},      {18, 22},          {1, 4, 20, 26}, {6, 7, 12},        {4, 10, 26},    {28},
      {10, 16, 26},  {12, 45},          {4, 6, 7, 9, 10, 45}, {5, 26},     {15, 17},       {14, 24}};
  return prototypes;
}

float DrawIntensity(Random& random) {
  // Uniform over the range that is marked in practice, with a tail of traces.
  return random.Chance(0.2F) ? random.Uniform(0.2F, 1.2F) : random.Uniform(1, 5);
}

void Exclude(std::vector<float>& intensity) {
  for (const auto& [keeps, yields] : kExclusions) {
    const std::size_t a = ColumnOf(keeps), b = ColumnOf(yields);
    if (intensity[a] > 0 && intensity[b] > 0) (intensity[a] >= intensity[b] ? intensity[b] : intensity[a]) = 0;
  }
}

}  // namespace

std::vector<float> Expression::Labels() const {
  std::vector<float> labels(left.size());
  for (std::size_t j = 0; j < left.size(); ++j) labels[j] = std::max(left[j], right[j]);
  return labels;
}

AuShapes::AuShapes(const FaceModel& model)
    : terms_(features::CatalogueSchema().size()), expression_count_(model.expressions.size()) {
  for (const AuRecipe& recipe : Recipes()) {
    std::vector<Term>& terms = terms_[ColumnOf(recipe.au)];
    for (const ShapeTerm& term : recipe.terms) {
      if (term.sided) {
        terms.push_back({model.Expression(std::string(term.shape) + "_L"), term.weight, 1});
        terms.push_back({model.Expression(std::string(term.shape) + "_R"), term.weight, 2});
      } else {
        terms.push_back({model.Expression(term.shape), term.weight, 0});
      }
    }
  }
}

std::vector<float> AuShapes::Weights(const Expression& expression, float gain) const {
  std::vector<float> weights(expression_count_, 0.0F);
  const std::size_t parted = ColumnOf(25);
  for (std::size_t j = 0; j < terms_.size(); ++j) {
    for (const Term& term : terms_[j]) {
      float intensity = term.side == 1   ? expression.left[j]
                              : term.side == 2 ? expression.right[j]
                                               : (expression.left[j] + expression.right[j]) / 2;
      if (j == parted) intensity = 5 * GapShare(intensity);
      weights[term.expression] += term.weight * gain * intensity / 5;
    }
  }
  return weights;
}

float AuShapes::LipsPart(std::span<const Vec3> landmarks, std::span<const Vec3> neutral_landmarks) const {
  const float gap = LargestGap(landmarks) - LargestGap(neutral_landmarks);
  if (gap <= kGaps.front()) return 0;
  for (std::size_t i = 1; i < kGaps.size(); ++i) {
    if (gap < kGaps[i]) return static_cast<float>(i - 1) + (gap - kGaps[i - 1]) / (kGaps[i] - kGaps[i - 1]);
  }
  return 5;
}

Expression AuShapes::Single(int facs_number, float intensity) const {
  const std::size_t n = terms_.size();
  Expression expression{std::vector<float>(n, 0.0F), std::vector<float>(n, 0.0F)};
  const std::size_t column = ColumnOf(facs_number);
  expression.left[column] = expression.right[column] = intensity;
  return expression;
}

void MakeRoomFor(int au, std::vector<float>& intensity) {
  const auto part = [&](int a, int b) {
    if (a == au || b == au) intensity[ColumnOf(a == au ? b : a)] = 0;
  };
  for (const auto& [a, b] : kExclusions) part(a, b);
  for (const int shut : {24, 28}) part(shut, 25);  // lips held shut; SampleExpression measures AU25
}

Expression SampleExpression(Random& random, float one_sided) {
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  std::vector<float> intensity(aus.size(), 0.0F);
  const float kind = random.Uniform();
  if (kind >= 0.12F && kind < 0.62F) {
    const auto& prototypes = Prototypes();
    const float strength = random.Uniform(0.4F, 1.15F);
    for (const int au : prototypes[static_cast<std::size_t>(random.Index(static_cast<int>(prototypes.size())))]) {
      if (random.Chance(0.12F)) continue;
      intensity[ColumnOf(au)] = std::clamp(strength * random.Uniform(1.2F, 5), 0.0F, 5.0F);
    }
    for (std::size_t j = 0; j < aus.size(); ++j) {
      if (intensity[j] == 0 && random.Chance(0.05F)) intensity[j] = DrawIntensity(random);
    }
  } else if (kind >= 0.62F) {
    for (std::size_t j = 0; j < aus.size(); ++j) {
      // Upper-face AUs move freely; mouth AUs crowd each other and are drawn less often.
      const int au = aus[j];
      const float rate = au == 45 ? 0.12F : au <= 9 ? 0.2F : au == 26 || au == 12 ? 0.22F : 0.1F;
      if (random.Chance(rate)) intensity[j] = DrawIntensity(random);
    }
  }
  Exclude(intensity);
  intensity[ColumnOf(25)] = 0;
  Expression expression{intensity, intensity};
  for (std::size_t j = 0; j < aus.size(); ++j) {
    if (intensity[j] == 0 || !random.Chance(one_sided)) continue;
    const float weaker = intensity[j] * random.Uniform(0, 0.9F);
    if (features::AuHasSides(aus[j])) (random.Chance(0.5F) ? expression.left[j] : expression.right[j]) = weaker;
  }
  return expression;
}

namespace {

// Purposes of random streams of scenes.
enum : std::uint64_t { kSceneCompany = 91, kSceneWander = 92, kSceneExpressions = 1000 };

// One to three AUs gone, come, or of another strength.
void ChangeSome(std::vector<float>& intensity, Random& random) {
  for (int left = 1 + random.Index(3); left > 0; --left) {
    float& au = intensity[static_cast<std::size_t>(random.Index(static_cast<int>(intensity.size())))];
    au = au > 0 && random.Chance(0.6F) ? 0 : DrawIntensity(random);
  }
  Exclude(intensity);
  if (intensity[ColumnOf(24)] > 0 || intensity[ColumnOf(28)] > 0) intensity[ColumnOf(25)] = 0;  // lips held shut
}

}  // namespace

Expression SampleSceneExpression(std::uint64_t seed, std::uint64_t scene, int number) {
  const auto drawn = [&](int at) { return Random(seed, scene, kSceneExpressions + static_cast<std::uint64_t>(at)); };
  Random first = drawn(0), own = drawn(number);
  const bool is_change = number > 0 && own.Chance(0.5F);
  std::vector<float> intensity = SampleExpression(is_change ? first : own).Labels();
  if (is_change) ChangeSome(intensity, own);
  return {intensity, intensity};
}

namespace {

// Adds to a shape of both halves, a little unevenly.
void AddBoth(const FaceModel& model, const std::string& shape, float amount, Random& random, std::vector<float>& weights) {
  const float lean = random.Uniform(-0.15F, 0.15F);
  for (const auto& [side, share] : {std::pair{"_L", 1 + lean}, {"_R", 1 - lean}}) {
    float& w = weights[model.Expression(shape + side)];
    w = std::min(1.2F, w + amount * share);
  }
}
void AddOne(const FaceModel& model, const std::string& shape, float amount, std::vector<float>& weights) {
  float& w = weights[model.Expression(shape)];
  w = std::min(1.2F, w + amount);
}

// Lips that come apart by themselves: a little of each lip, a little of the jaw.
void PartLips(const FaceModel& model, float amount, Random& random, std::vector<float>& weights) {
  AddBoth(model, "mouthUpperUp", amount * random.Uniform(0.2F, 1), random, weights);
  AddBoth(model, "mouthLowerDown", amount * random.Uniform(0.2F, 1), random, weights);
  AddOne(model, "jawOpen", 0.35F * amount * random.Uniform(0, 1), weights);
}

}  // namespace

void AddRestingFace(const FaceModel& model, Random& random, std::vector<float>& weights) {
  const auto some = [&random](float most) { return random.Chance(0.4F) ? random.Uniform(0, most) : 0.0F; };
  for (const char* shape : {"eyeSquint", "browDown", "noseSneer", "mouthPress", "mouthFrown", "cheekSquint", "mouthDimple", "mouthStretch"}) {
    AddBoth(model, shape, some(0.22F), random, weights);
  }
  AddBoth(model, "mouthSmile", some(0.12F), random, weights);
  AddBoth(model, "eyeWide", some(0.12F), random, weights);
  AddBoth(model, "browOuterUp", some(0.15F), random, weights);
  AddOne(model, "mouthRollLower", some(0.30F), weights);
  AddOne(model, "mouthRollUpper", some(0.30F), weights);
  AddOne(model, "mouthShrugLower", some(0.18F), weights);
  AddOne(model, "mouthPucker", some(0.12F), weights);
  const float lids = some(0.18F);
  AddBoth(model, "eyeBlink", lids, random, weights);
}

namespace {

// What goes along with the expression.
void AddCompany(const FaceModel& model, const Expression& expression, Random& random, std::vector<float>& weights) {
  const std::vector<float> labels = expression.Labels();
  const auto strength = [&labels](int au) { return labels[ColumnOf(au)] / 5; };
  const float smile = strength(12);
  const bool lips_are_busy = strength(24) > 0 || strength(28) > 0 || strength(18) > 0 || strength(22) > 0;
  if (smile > 0.15F && !lips_are_busy && random.Chance(0.65F)) PartLips(model, smile * random.Uniform(0.15F, 0.75F), random, weights);
  if (smile > 0.15F) {
    AddBoth(model, "noseSneer", smile * random.Uniform(0, 0.35F), random, weights);
    AddBoth(model, "mouthDimple", smile * random.Uniform(0, 0.35F), random, weights);
    AddBoth(model, "mouthStretch", smile * random.Uniform(0, 0.3F), random, weights);
    AddBoth(model, "eyeSquint", smile * random.Uniform(0, 0.3F), random, weights);
  }
  if (smile <= 0.15F && !lips_are_busy && random.Chance(0.15F)) PartLips(model, random.Uniform(0.05F, 0.3F), random, weights);
}

// What has nothing to do with it.
void AddWander(const FaceModel& model, Random& random, std::vector<float>& weights, float gaze = 1) {
  const float gaze_x = gaze * random.Normal(0, 0.25F), gaze_y = gaze * random.Normal(0, 0.2F);
  for (std::size_t e = 0; e < weights.size(); ++e) {
    const std::string& name = model.expression_names[e];
    float amount = 0;
    if (name.starts_with("eyeLook")) {
      const bool is_left = name.ends_with("_L");
      if (name.starts_with("eyeLookUp")) amount = std::max(0.0F, gaze_y);
      if (name.starts_with("eyeLookDown")) amount = std::max(0.0F, -gaze_y);
      if (name.starts_with("eyeLookOut")) amount = std::max(0.0F, is_left ? gaze_x : -gaze_x);
      if (name.starts_with("eyeLookIn")) amount = std::max(0.0F, is_left ? -gaze_x : gaze_x);
    } else if (name.starts_with("PupilDilate")) {
      amount = random.Uniform(0, 0.5F);
    } else if (name == "jawLeft" || name == "jawRight" || name == "jawForward" || name == "mouthLeft" || name == "mouthRight") {
      amount = random.Chance(0.1F) ? random.Uniform(0, 0.35F) : 0;
    } else if (name.starts_with("cheekPuff")) {
      amount = random.Chance(0.04F) ? random.Uniform(0, 0.5F) : 0;
    } else {
      amount = random.Uniform(0, 0.04F);
    }
    weights[e] = std::min(1.2F, weights[e] + amount);
  }
}

}  // namespace

void AddNuisance(const FaceModel& model, const Expression& expression, Random& random, std::vector<float>& weights, float gaze) {
  AddCompany(model, expression, random, weights);
  AddWander(model, random, weights, gaze);
}

void AddSceneNuisance(const FaceModel& model, const Expression& expression, std::uint64_t seed, std::uint64_t scene,
                      std::vector<float>& weights) {
  Random company(seed, scene, kSceneCompany), wander(seed, scene, kSceneWander);
  AddCompany(model, expression, company, weights);
  AddWander(model, wander, weights);
}

}  // namespace auforge::datasets::synthetic
