#include "gan/warp/face_warper.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/expression_mixer.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/skin_unwrap.h"
#include "features/au_schema.h"
#include "gan/warp/internal/displacement.h"
#include "gan/warp/internal/eyes.h"
#include "gan/warp/internal/folds.h"
#include "gan/warp/internal/mouth.h"
#include "gan/warp/internal/photo_fit.h"
#include "gan/warp/internal/seams.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp {
namespace {

using datasets::synthetic::AuShapes;
using datasets::synthetic::FaceModel;
using datasets::synthetic::FacePart;
using datasets::synthetic::FaceRenderer;
using datasets::synthetic::MeshTriangle;
using datasets::synthetic::SmoothStep;
using datasets::synthetic::Vec3;
using features::Point2;
using internal::FittedPhoto;
using internal::Opening;
using internal::Seam;

constexpr float kSameIntensity = 1e-3F;
constexpr float kLeastOfTheWay = 0.75F;
constexpr float kMostWidened = 1.55F;  // of an eye's opening

// The picture's part that an edit may touch.
cv::Rect AreaOf(const features::Landmarks68& landmarks, cv::Size size) {
  float x0 = 1e9F, y0 = 1e9F, x1 = -1e9F, y1 = -1e9F;
  for (const Point2& p : landmarks) {
    x0 = std::min(x0, p.x);
    y0 = std::min(y0, p.y);
    x1 = std::max(x1, p.x);
    y1 = std::max(y1, p.y);
  }
  const float w = x1 - x0, h = y1 - y0;
  const cv::Rect box(cvFloor(x0 - 0.5F * w), cvFloor(y0 - 0.8F * h), cvCeil(2 * w), cvCeil(2.4F * h));
  return box & cv::Rect({0, 0}, size);
}

std::vector<MeshTriangle> SkinOf(const FaceRenderer& renderer) {
  std::vector<MeshTriangle> triangles;
  for (std::size_t t = 0; t < renderer.Triangles().size(); ++t) {
    if (renderer.TriangleParts()[t] == FacePart::kSkin) triangles.push_back(renderer.Triangles()[t]);
  }
  return triangles;
}

// Some shapes move photographs farther than the faces that the renderer draws with them; a frown is lost among brows that
// hang low anyway.
float Gain(int au) { return au == 1 || au == 2 ? 0.82F : au == 15 ? 0.8F : au == 4 ? 1.4F : 1.0F; }

std::size_t ColumnOf(int au) { return features::CatalogueSchema().Find(au).value(); }

}  // namespace

struct FaceWarper::Impl {
  explicit Impl(const FaceModel& face_model)
      : model(face_model),
        renderer(face_model),
        shapes(face_model),
        mixer(face_model),
        all_skin(SkinOf(renderer)),
        seams(internal::FindSeams(face_model, all_skin)),
        fitter(face_model, shapes, seams),
        folds(face_model) {
    const std::vector<float> from_edge = datasets::synthetic::DistanceFromFaceEdge(model);
    for (std::size_t i = 0; i < renderer.Triangles().size(); ++i) {
      if (renderer.TriangleParts()[i] != FacePart::kSkin) continue;
      const MeshTriangle& t = renderer.Triangles()[i];
      const bool moves = std::all_of(t.begin(), t.end(), [&](std::int32_t v) {
        return from_edge[static_cast<std::size_t>(v)] > 0 && seams.is_inner[static_cast<std::size_t>(v)] == 0;
      });
      if (!moves) continue;
      skin.push_back(t);
      texcoords.push_back(renderer.TriangleTexcoords()[i]);
    }
    const std::vector<Vec3>& opens = model.expressions[model.Expression("jawOpen")];
    for (std::size_t i = 0; i < renderer.Triangles().size(); ++i) {
      if (renderer.TriangleParts()[i] != FacePart::kTeeth) continue;
      const std::int32_t v = renderer.Triangles()[i][0];
      if (Length(opens[static_cast<std::size_t>(v)]) > 0.3F) lower_teeth.push_back(v);
    }
  }

  std::vector<float> EditedWeights(const std::vector<float>& fitted, std::span<const float> own, std::span<const float> wanted) const;
  std::vector<Vec3> EditedShape(const FittedPhoto& photo, const std::vector<float>& weights) const;
  void Knit(const std::vector<float>& change, std::vector<Vec3>& shape) const;
  void EditArea(cv::Mat& area, const features::Landmarks68& landmarks, std::span<const float> own, std::span<const float> wanted) const;

  Point2 JawMoves(const FittedPhoto& photo, const std::vector<Vec3>& shape) const;

  const FaceModel& model;
  FaceRenderer renderer;
  AuShapes shapes;
  datasets::synthetic::ExpressionMixer mixer;
  std::vector<MeshTriangle> all_skin, skin;  // the latter: what is warped
  std::vector<std::array<std::array<float, 2>, 3>> texcoords;  // of skin
  std::vector<std::int32_t> lower_teeth;
  internal::Seams seams;
  internal::PhotoFitter fitter;
  internal::FoldPainter folds;
};

// From the fitted weights towards an AU's own shapes when it rises, towards nothing when it falls: what landmarks say of
// the present face counts, and what was asked for is reached whatever the annotator believed.
std::vector<float> FaceWarper::Impl::EditedWeights(const std::vector<float>& fitted, std::span<const float> own,
                                                   std::span<const float> wanted) const {
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  std::vector<float> weights = fitted;
  for (std::size_t j = 0; j < aus.size(); ++j) {
    if (std::abs(own[j] - wanted[j]) < kSameIntensity) continue;
    const auto at = [&](float intensity) { return shapes.Weights(shapes.Single(aus[j], intensity), Gain(aus[j])); };
    const std::vector<float> was = at(own[j]), is = at(wanted[j]), most = at(5);
    for (std::size_t e = 0; e < weights.size(); ++e) {
      if (most[e] <= 0) continue;
      float& w = weights[e];
      if (is[e] < was[e]) {
        w *= is[e] / was[e];
      } else if (most[e] > was[e]) {
        // What the landmarks say beyond the annotator may as well be who it is: it takes no more than a part of the way.
        w += std::max(most[e] - w, kLeastOfTheWay * (most[e] - was[e])) * (is[e] - was[e]) / (most[e] - was[e]);
      }
    }
  }
  return weights;
}

std::vector<Vec3> FaceWarper::Impl::EditedShape(const FittedPhoto& photo, const std::vector<float>& weights) const {
  std::vector<float> change = weights;
  for (std::size_t e = 0; e < change.size(); ++e) change[e] -= photo.fit.expression[e];
  std::vector<Vec3> shape = photo.shape;
  mixer.Add(change, shape);
  Knit(change, shape);
  return shape;
}

// How the lower teeth move in the picture, pixels.
Point2 FaceWarper::Impl::JawMoves(const FittedPhoto& photo, const std::vector<Vec3>& shape) const {
  Point2 sum;
  const datasets::synthetic::Camera& camera = photo.fit.camera;
  for (const std::int32_t vertex : lower_teeth) {
    const auto v = static_cast<std::size_t>(vertex);
    const Point2 from = camera.Project(camera.View(photo.shape[v])), to = camera.Project(camera.View(shape[v]));
    sum = {sum.x + to.x - from.x, sum.y + to.y - from.y};
  }
  const auto n = static_cast<float>(std::max<std::size_t>(1, lower_teeth.size()));
  return {sum.x / n, sum.y / n};
}

// The model's frown lowers the brows; the corrugator also draws them together.
void FaceWarper::Impl::Knit(const std::vector<float>& change, std::vector<Vec3>& shape) const {
  constexpr float kReach = 1.2F, kMove = 0.12F;  // cm
  for (const auto& [name, landmark] : {std::pair{"browDown_R", 21U}, {"browDown_L", 22U}}) {
    const float share = change[model.Expression(name)];
    if (share == 0) continue;
    const Vec3 brow = model.neutral[static_cast<std::size_t>(datasets::synthetic::LandmarkVertices()[landmark])];
    for (std::size_t v = 0; v < shape.size(); ++v) {
      const float d = Length(model.neutral[v] - brow) / kReach;
      if (d < 3) shape[v].x -= std::copysign(kMove * share * std::exp(-d * d), brow.x);
    }
  }
}

namespace {

enum class Gap { kExactly, kAtMost };

// Brings two rims to a share of the gap that they had.
void CloseTo(const Seam& seam, const Opening& before, Gap gaps, float share, float upper_moves, float reach_upper, float reach_lower,
             std::vector<Point2>& at) {
  const Opening now{internal::TraceRim(seam.upper, at), internal::TraceRim(seam.lower, at)};
  const Point2 a = now.upper.front(), b = now.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  const auto gap = [&](const Opening& o, std::size_t k) { return (o.lower[k].x - o.upper[k].x) * down.x + (o.lower[k].y - o.upper[k].y) * down.y; };
  for (const Seam::NearVertex& near : seam.near) {
    const float place = near.s * (internal::kRimPoints - 1);
    const auto k = std::min<std::size_t>(static_cast<std::size_t>(place), internal::kRimPoints - 2);
    const auto excess_at = [&](std::size_t i) { return gap(now, i) - share * std::max(0.0F, gap(before, i)); };
    const float excess = excess_at(k) + (place - static_cast<float>(k)) * (excess_at(k + 1) - excess_at(k));
    if (excess == 0 || (gaps == Gap::kAtMost && excess < 0)) continue;
    const float reach = near.is_upper ? reach_upper : reach_lower;
    const float falls = 1 - SmoothStep(0, reach, std::abs(near.u));
    const float move = near.is_upper ? excess * upper_moves * falls : -excess * (1 - upper_moves) * falls;
    Point2& p = at[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * move, p.y + down.y * move};
  }
}

// Light falls into the hollow between lid and brow when the brow rises: its shadow does not grow with the skin.
// picture: the photo, blurred; skin: linear brightness of its cheeks.
void LightenHollow(const Seam& eye, std::size_t brow, const std::vector<Point2>& before, const std::vector<Point2>& after,
                   const cv::Mat& picture, float skin, std::vector<float>& gain) {
  const auto place = static_cast<std::size_t>(datasets::synthetic::LandmarkVertices()[brow]);
  const auto lid = static_cast<std::size_t>(eye.upper[eye.upper.size() / 2].vertex);
  const float was = features::Distance(before[place], before[lid]), is = features::Distance(after[place], after[lid]);
  const float opens = std::clamp(is / std::max(1e-3F, was) - 1, 0.0F, 0.6F);
  if (opens == 0) return;
  for (const Seam::NearVertex& near : eye.near) {
    if (!near.is_upper || near.u <= 0) continue;
    const auto v = static_cast<std::size_t>(near.vertex);
    const float share = SmoothStep(0, 0.4F, near.u) * (1 - SmoothStep(0.9F, 1.7F, near.u));
    const float shadow = std::clamp(skin / std::max(0.004F, internal::BrightnessAt(picture, before[v])), 1.0F, 5.0F);
    gain[v] = std::max(gain[v], 1 - 0.2F * (1 - share)) * std::pow(shadow, 0.2F * opens * share);
  }
}

// Lips that close are taken from a little outside the rim that the photo shows, so that no teeth stay between them.
void TakeFromOutside(const Seam& mouth, const Opening& before, const Opening& after, float px, std::vector<Point2>& from) {
  constexpr float kMargin = 0.11F, kReach = 0.65F;  // cm
  const Point2 a = before.upper.front(), b = before.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  for (const Seam::NearVertex& near : mouth.near) {
    if (near.u < 0 || near.u > kReach) continue;
    const auto k = static_cast<std::size_t>(std::lround(near.s * (internal::kRimPoints - 1)));
    const float was = features::Distance(before.upper[k], before.lower[k]) / px, is = features::Distance(after.upper[k], after.lower[k]) / px;
    const float margin = kMargin * SmoothStep(0.05F, 0.3F, was - is) * (1 - near.u / kReach) * px * (near.is_upper ? -1.0F : 1.0F);
    Point2& p = from[static_cast<std::size_t>(near.vertex)];
    p = {p.x + down.x * margin, p.y + down.y * margin};
  }
}

float GapShareOf(const AuShapes& shapes, float intensity) {
  const std::vector<float> is = shapes.Weights(shapes.Single(25, intensity), 1), most = shapes.Weights(shapes.Single(25, 5), 1);
  const auto largest = std::max_element(most.begin(), most.end());
  return is[static_cast<std::size_t>(largest - most.begin())] / *largest;
}

}  // namespace

void FaceWarper::Impl::EditArea(cv::Mat& area, const features::Landmarks68& landmarks, std::span<const float> own,
                                std::span<const float> wanted) const {
  const FittedPhoto photo = fitter.Fit(landmarks, own);
  const std::vector<float> weights = EditedWeights(photo.fit.expression, own, wanted);
  const std::vector<Vec3> shape = EditedShape(photo, weights);
  const datasets::synthetic::Camera& camera = photo.fit.camera;
  const float px = photo.pixels_per_cm;

  std::vector<Point2> at = internal::ProjectAll(shape, camera);
  const std::size_t lids = ColumnOf(45), parted = ColumnOf(25);
  const float shut = wanted[lids] > own[lids] ? (wanted[lids] - own[lids]) / std::max(0.01F, 5 - own[lids]) : 0;
  const bool closes_lips = wanted[parted] < own[parted] - kSameIntensity;
  const float lip_share = closes_lips ? GapShareOf(shapes, wanted[parted]) / std::max(1e-3F, GapShareOf(shapes, own[parted])) : 1;
  for (std::size_t v = 0; v < at.size(); ++v) {
    at[v].x += photo.apart[v].x;
    at[v].y += photo.apart[v].y;
  }
  std::array<Opening, 3> before, after;
  const std::array<const Seam*, 3> all{&seams.mouth, &seams.eyes[0], &seams.eyes[1]};
  for (std::size_t i = 0; i < 3; ++i) before[i] = internal::Trace(*all[i], photo.at);
  std::vector<Point2> from = photo.at;
  if (closes_lips) CloseTo(seams.mouth, before[0], Gap::kExactly, lip_share, 0.35F, 1.6F, 3.0F, at);
  if (shut > 0) {
    for (std::size_t i = 1; i < 3; ++i) CloseTo(*all[i], before[i], Gap::kExactly, 1 - shut, 0.9F, 0.9F, 0.7F, at);
  } else if (wanted[lids] >= own[lids]) {
    // An eye that was narrow does not show enough of itself to be drawn wide.
    for (std::size_t i = 1; i < 3; ++i) CloseTo(*all[i], before[i], Gap::kAtMost, kMostWidened, 0.8F, 0.9F, 0.7F, at);
  }
  for (std::size_t i = 0; i < 3; ++i) after[i] = internal::Trace(*all[i], at);

  if (closes_lips) TakeFromOutside(seams.mouth, before[0], after[0], px, from);

  std::vector<Vec3> normals_before(shape.size()), normals_after(shape.size());
  VertexNormals(photo.shape, all_skin, normals_before);
  VertexNormals(shape, all_skin, normals_after);
  const internal::PhotoLight light = internal::ReadLight(area, photo, seams, normals_before, landmarks);
  std::vector<float> gain = internal::LightChange(renderer, light, camera, photo.shape, shape, normals_before, normals_after);
  cv::Mat broad;
  cv::GaussianBlur(area, broad, {}, std::max(0.6F, 0.12F * px));
  for (std::size_t e = 0; e < 2; ++e) LightenHollow(seams.eyes[e], e == 0 ? 19 : 24, photo.at, at, broad, light.Skin(), gain);
  std::array<internal::LidSkin, 2> between;
  for (std::size_t e = 0; e < 2; ++e) {
    between[e] = {before[e + 1].upper, after[e + 1].upper, {}, {}, 1 - SmoothStep(0, 0.3F, shut)};
    for (std::size_t i = 0; i < 5; ++i) {
      const auto v = static_cast<std::size_t>(datasets::synthetic::LandmarkVertices()[(e == 0 ? 17U : 22U) + i]);
      between[e].brow_before[i] = photo.at[v];
      between[e].brow_after[i] = at[v];
    }
  }
  std::vector<float> inverse_depth;
  for (const Vec3& p : shape) inverse_depth.push_back(-1 / camera.View(p).z);
  const internal::Displacement moved = internal::Displace({skin, from, at, inverse_depth, gain, between, px}, area.size());

  const internal::Folds furrows = folds.Paint(own, wanted, {skin, texcoords, normals_after}, moved, camera, light, px);

  cv::Mat source, target, map = moved.source - cv::Scalar(0.5, 0.5);
  area.convertTo(source, CV_32FC3, 1 / 255.0);
  cv::remap(source, target, map, {}, cv::INTER_CUBIC, cv::BORDER_REFLECT_101);
  for (int y = 0; y < target.rows; ++y) {
    for (int x = 0; x < target.cols; ++x) target.at<cv::Vec3f>(y, x) *= std::sqrt(moved.gain.at<float>(y, x) * furrows.gain.at<float>(y, x));
  }
  internal::FadeFurrows(furrows.fade, px, target);
  for (std::size_t i = 1; i < 3; ++i) {
    internal::FillEye(before[i], after[i], px, source, target);
    internal::DrawLid(before[i], after[i], px, source, target);
  }
  internal::FillMouth(renderer, light, camera, shape, before[0], after[0], JawMoves(photo, shape), px, source, target);
  if (closes_lips) internal::DrawLipLine(before[0], after[0], px, target);
  target.convertTo(area, CV_8UC3, 255);
}

FaceWarper::FaceWarper(const FaceModel& model) : impl_(std::make_unique<Impl>(model)) {}
FaceWarper::~FaceWarper() = default;
FaceWarper::FaceWarper(FaceWarper&&) noexcept = default;

void FaceWarper::Edit(cv::Mat& photo, const features::Landmarks68& landmarks, std::span<const float> own,
                      std::span<const float> wanted) const {
  const std::size_t aus = features::CatalogueSchema().size();
  if (photo.type() != CV_8UC3 || photo.empty()) throw std::invalid_argument("warp: the photo is not BGR of 8 bits");
  if (own.size() != aus || wanted.size() != aus) {
    throw std::invalid_argument("warp: " + std::to_string(own.size()) + " and " + std::to_string(wanted.size()) +
                                " intensities; must be " + std::to_string(aus));
  }
  bool changes = false;
  for (std::size_t j = 0; j < aus; ++j) {
    if (!std::isfinite(own[j]) || !std::isfinite(wanted[j])) throw std::invalid_argument("warp: an intensity is not finite");
    changes = changes || std::abs(own[j] - wanted[j]) >= kSameIntensity;
  }
  for (const Point2& p : landmarks) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) throw std::invalid_argument("warp: a landmark is not finite");
  }
  const cv::Rect box = AreaOf(landmarks, photo.size());
  if (!changes || box.empty()) return;
  cv::Mat area = photo(box);
  features::Landmarks68 within = landmarks;
  for (Point2& p : within) p = {p.x - static_cast<float>(box.x), p.y - static_cast<float>(box.y)};
  impl_->EditArea(area, within, own, wanted);
}

}  // namespace auforge::warp
