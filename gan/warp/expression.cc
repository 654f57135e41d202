#include "gan/warp/internal/expression.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "features/au_schema.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::Vec3;

// What the landmarks say beyond the annotator may as well be who it is: it takes no more than the rest of an AU's way.
constexpr float kLeastOfTheWay = 0.75F;
constexpr float kJawTooth = 0.3F;   // cm that a lower tooth moves when the jaw opens, at least
constexpr float kTeethRise = 0.25F;  // cm: the model's upper teeth begin below its lips, so that a lip that rises bares gums alone

// The renderer's brows, lids and jaws move at 5 as far as people's do in photographs that readers call slight to marked; a
// frown is lost among brows that hang low anyway.
float Gain(int au) {
  switch (au) {
    case 1: return 1.5F;
    case 2: return 1.3F;
    case 4: return 1.8F;
    case 5: return 2.0F;
    case 6: return 1.5F;
    case 9: return 1.3F;
    case 12: return 1.2F;
    case 15: return 1.5F;
    case 17: return 1.5F;
    case 26: return 1.3F;
    default: return 1;
  }
}

}  // namespace

std::size_t ColumnOf(int au) { return features::CatalogueSchema().Find(au).value(); }

ExpressionShaper::ExpressionShaper(const synthetic::FaceModel& model, const synthetic::AuShapes& shapes)
    : model_(model), shapes_(shapes), mixer_(model) {
  const std::vector<Vec3>& opens = model.expressions[model.Expression("jawOpen")];
  std::vector<std::uint8_t> is_upper(model.neutral.size());
  for (const synthetic::FaceTriangle& t : model.triangles) {
    const std::string& material = model.materials[static_cast<std::size_t>(t.material)];
    const auto moves = [&](std::int32_t v) { return Length(opens[static_cast<std::size_t>(v)]); };
    if (material == "M_Teeth" && moves(t.vertex[0]) > kJawTooth) lower_teeth_.push_back(t.vertex[0]);
    if (material != "M_Teeth" && material != "M_GumsTongue") continue;
    for (const std::int32_t v : t.vertex) is_upper[static_cast<std::size_t>(v)] = moves(v) == 0 ? 1 : 0;
  }
  for (std::size_t v = 0; v < is_upper.size(); ++v) {
    if (is_upper[v] != 0) upper_jaw_.push_back(static_cast<std::int32_t>(v));
  }
}

std::vector<float> ExpressionShaper::Weights(const std::vector<float>& fitted, const synthetic::Expression& own,
                                             const synthetic::Expression& wanted) const {
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  std::vector<float> weights = fitted;
  // The frontalis is one muscle: halves of brows that rise together rise less each.
  const auto mean = [&wanted](int au) { return (wanted.left[ColumnOf(au)] + wanted.right[ColumnOf(au)]) / 2; };
  const float together = 1 - 0.3F * std::min(mean(1), mean(2)) / 5;
  for (std::size_t j = 0; j < aus.size(); ++j) {
    const auto same = [j](const std::vector<float>& a, const std::vector<float>& b) { return std::abs(a[j] - b[j]) < kSameIntensity; };
    if (same(own.left, wanted.left) && same(own.right, wanted.right)) continue;
    const float gain = Gain(aus[j]) * (aus[j] <= 2 ? together : 1);
    const auto at = [&](float left, float right) {
      synthetic::Expression expression = shapes_.Single(aus[j], left);
      expression.right[j] = right;
      return shapes_.Weights(expression, gain);
    };
    const std::vector<float> was = at(own.left[j], own.right[j]), is = at(wanted.left[j], wanted.right[j]), most = at(5, 5);
    for (std::size_t e = 0; e < weights.size(); ++e) {
      if (most[e] <= 0) continue;
      float& w = weights[e];
      if (is[e] < was[e]) {
        w *= is[e] / was[e];
      } else if (most[e] > was[e]) {
        w += std::max(most[e] - w, kLeastOfTheWay * (most[e] - was[e])) * (is[e] - was[e]) / (most[e] - was[e]);
      }
    }
  }
  return weights;
}

std::vector<Vec3> ExpressionShaper::Shape(const FittedPhoto& photo, const synthetic::Expression& own,
                                          const synthetic::Expression& wanted) const {
  std::vector<float> change = Weights(photo.fit.expression, own, wanted);
  for (std::size_t e = 0; e < change.size(); ++e) change[e] -= photo.fit.expression[e];
  std::vector<Vec3> shape = photo.shape;
  mixer_.Add(change, shape);
  Knit(change, shape);
  for (const std::int32_t v : upper_jaw_) shape[static_cast<std::size_t>(v)].y += kTeethRise;
  return shape;
}

// The model's frown lowers the brows; the corrugator also draws them together.
void ExpressionShaper::Knit(const std::vector<float>& change, std::vector<Vec3>& shape) const {
  constexpr float kReach = 1.2F, kMove = 0.12F;  // cm
  for (const auto& [name, landmark] : {std::pair{"browDown_R", 21U}, {"browDown_L", 22U}}) {
    const float share = change[model_.Expression(name)];
    if (share == 0) continue;
    const Vec3 brow = model_.neutral[static_cast<std::size_t>(synthetic::LandmarkVertices()[landmark])];
    for (std::size_t v = 0; v < shape.size(); ++v) {
      const float d = Length(model_.neutral[v] - brow) / kReach;
      if (d < 3) shape[v].x -= std::copysign(kMove * share * std::exp(-d * d), brow.x);
    }
  }
}

Point2 ExpressionShaper::JawMoves(const FittedPhoto& photo, std::span<const Vec3> shape) const {
  Point2 sum;
  const synthetic::Camera& camera = photo.fit.camera;
  for (const std::int32_t vertex : lower_teeth_) {
    const auto v = static_cast<std::size_t>(vertex);
    const Point2 from = camera.Project(camera.View(photo.shape[v])), to = camera.Project(camera.View(shape[v]));
    sum = {sum.x + to.x - from.x, sum.y + to.y - from.y};
  }
  const auto n = static_cast<float>(std::max<std::size_t>(1, lower_teeth_.size()));
  return {sum.x / n, sum.y / n};
}

float ExpressionShaper::GapShare(float intensity) const {
  const std::vector<float> is = shapes_.Weights(shapes_.Single(25, intensity), 1), most = shapes_.Weights(shapes_.Single(25, 5), 1);
  const auto largest = std::max_element(most.begin(), most.end());
  return is[static_cast<std::size_t>(largest - most.begin())] / *largest;
}

}  // namespace auforge::warp::internal
