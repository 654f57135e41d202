#include "gan/warp/face_warper.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/skin_unwrap.h"
#include "features/au_schema.h"
#include "gan/warp/internal/displacement.h"
#include "gan/warp/internal/expression.h"
#include "gan/warp/internal/eyes.h"
#include "gan/warp/internal/folds.h"
#include "gan/warp/internal/inside_mouth.h"
#include "gan/warp/internal/mouth.h"
#include "gan/warp/internal/photo_fit.h"
#include "gan/warp/internal/rims.h"
#include "gan/warp/internal/seams.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp {
namespace {

using datasets::synthetic::Expression;
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

// What the landmarks add to the projection of an opening's corners, pixels.
Point2 RimsMoved(const Seam& seam, const FittedPhoto& photo) {
  const auto of = [&](const Seam::RimVertex& rim) { return photo.residual[static_cast<std::size_t>(rim.vertex)]; };
  return features::Midpoint(of(seam.upper.front()), of(seam.upper.back()));
}

// Of AllSeams' eyes the first is on the picture's left: the subject's right.
const std::vector<float>& EyesHalf(const Expression& expression, std::size_t eye) { return eye == 0 ? expression.right : expression.left; }

// AUs without sides have equal halves.
Expression WithoutSides(Expression expression) {
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  for (std::size_t j = 0; j < aus.size(); ++j) {
    if (!features::AuHasSides(aus[j])) expression.left[j] = expression.right[j] = (expression.left[j] + expression.right[j]) / 2;
  }
  return expression;
}

// An edit on its way. The first opening is the mouth's, the others the eyes', as in AllSeams.
struct FaceEdit {
  FittedPhoto photo;
  std::vector<Vec3> shape;       // all vertices after the edit
  std::vector<Point2> from, to;  // of each vertex: where the photo shows it, where it goes
  std::array<Opening, 3> before, after;
  std::array<float, 2> shut{};   // 0..1, of either eye: how far it goes from as it is to closed
  bool closes_lips = false;
  internal::PhotoLight light;
  std::vector<Vec3> normals_before, normals_after;
};

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

}  // namespace

struct FaceWarper::Impl {
  explicit Impl(const FaceModel& face_model);

  std::array<const Seam*, 3> AllSeams() const { return {&seams.mouth, &seams.eyes[0], &seams.eyes[1]}; }
  FaceEdit Plan(const features::Landmarks68& landmarks, const Expression& own, const Expression& wanted) const;
  void MoveRims(const Expression& own, const Expression& wanted, FaceEdit& edit) const;
  std::vector<float> Gain(const cv::Mat& area, const FaceEdit& edit) const;
  internal::Displacement Move(const cv::Mat& area, const FaceEdit& edit) const;
  void EditArea(cv::Mat& area, const features::Landmarks68& landmarks, const Expression& own, const Expression& wanted) const;

  FaceRenderer renderer;
  datasets::synthetic::AuShapes shapes;
  std::vector<MeshTriangle> all_skin, skin;                    // the latter: what is warped
  std::vector<std::array<std::array<float, 2>, 3>> texcoords;  // of skin
  internal::Seams seams;
  internal::PhotoFitter fitter;
  internal::ExpressionShaper expression;
  internal::FoldPainter folds;
};

FaceWarper::Impl::Impl(const FaceModel& model)
    : renderer(model),
      shapes(model),
      all_skin(SkinOf(renderer)),
      seams(internal::FindSeams(model, all_skin)),
      fitter(model, shapes, seams),
      expression(model, shapes),
      folds(model) {
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
}

FaceEdit FaceWarper::Impl::Plan(const features::Landmarks68& landmarks, const Expression& own, const Expression& wanted) const {
  FaceEdit edit;
  edit.photo = fitter.Fit(landmarks, own);
  edit.shape = expression.Shape(edit.photo, own, wanted);
  edit.from = edit.photo.at;
  edit.to = internal::ProjectAll(edit.shape, edit.photo.fit.camera);
  for (std::size_t v = 0; v < edit.to.size(); ++v) {
    edit.to[v] = {edit.to[v].x + edit.photo.residual[v].x, edit.to[v].y + edit.photo.residual[v].y};
  }
  MoveRims(own, wanted, edit);
  edit.normals_before.resize(edit.shape.size());
  edit.normals_after.resize(edit.shape.size());
  VertexNormals(edit.photo.shape, all_skin, edit.normals_before);
  VertexNormals(edit.shape, all_skin, edit.normals_after);
  return edit;
}

// Lips and lids meet where they are to meet, whatever the fit left over.
void FaceWarper::Impl::MoveRims(const Expression& own, const Expression& wanted, FaceEdit& edit) const {
  using internal::Gap;
  constexpr float kMostWidened = 1.55F;  // of an eye's opening: one that was narrow does not show enough of itself
  constexpr float kWidest = 0.52F;       // gap by width
  constexpr float kMostRise = 0.45F;     // cm, of an upper lip above teeth in sight
  constexpr float kOpen = 0.30F;  // gap of an open eye's lids, by its width
  const std::size_t lids = internal::ColumnOf(45);
  const auto all = AllSeams();
  for (std::size_t i = 0; i < all.size(); ++i) edit.before[i] = internal::Trace(*all[i], edit.photo.at);
  internal::HoldBackUpperLip(seams.mouth, edit.before[0], kMostRise, edit.photo.pixels_per_cm, edit.to);
  const float were_parted = own.left[internal::ColumnOf(25)], parted = wanted.left[internal::ColumnOf(25)];
  edit.closes_lips = parted < were_parted - internal::kSameIntensity;
  if (edit.closes_lips) {
    const float share = expression.GapShare(parted) / std::max(1e-3F, expression.GapShare(were_parted));
    internal::Close(seams.mouth, edit.before[0], {Gap::kExactly, share, 0.35F, 1.6F, 3.0F}, edit.to);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    const float was = EyesHalf(own, i - 1)[lids], is = EyesHalf(wanted, i - 1)[lids];
    const float shut = edit.shut[i - 1] = is > was ? (is - was) / std::max(0.01F, 5 - was) : 0;
    if (shut > 0) {
      internal::Close(*all[i], edit.before[i], {Gap::kExactly, 1 - shut, 0.9F, 0.9F, 0.7F}, edit.to);
    } else if (is < was - internal::kSameIntensity) {
      internal::Part(*all[i], kOpen * (was - is) / was, edit.to);
    } else {
      const float widened = std::clamp(kWidest / std::max(1e-3F, internal::GapByWidth(edit.before[i])), 1.0F, kMostWidened);
      internal::Close(*all[i], edit.before[i], {Gap::kAtMost, widened, 0.8F, 0.9F, 0.7F}, edit.to);
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) edit.after[i] = internal::Trace(*all[i], edit.to);
}

// Brightness after / before of each vertex, linear light.
std::vector<float> FaceWarper::Impl::Gain(const cv::Mat& area, const FaceEdit& edit) const {
  std::vector<float> gain = internal::LightChange(renderer, edit.light, edit.photo.fit.camera, edit.photo.shape, edit.shape,
                                                  edit.normals_before, edit.normals_after);
  cv::Mat broad;
  cv::GaussianBlur(area, broad, {}, std::max(0.6F, 0.12F * edit.photo.pixels_per_cm));
  for (std::size_t e = 0; e < 2; ++e) {
    LightenHollow(seams.eyes[e], e == 0 ? 19 : 24, edit.photo.at, edit.to, broad, edit.light.Skin(), gain);
  }
  return gain;
}

internal::Displacement FaceWarper::Impl::Move(const cv::Mat& area, const FaceEdit& edit) const {
  std::array<internal::LidSkin, 2> lids;
  for (std::size_t e = 0; e < 2; ++e) {
    lids[e] = {edit.before[e + 1].upper, edit.after[e + 1].upper, {}, {}, 1 - SmoothStep(0, 0.3F, edit.shut[e])};
    for (std::size_t i = 0; i < lids[e].brow_before.size(); ++i) {
      const auto v = static_cast<std::size_t>(datasets::synthetic::LandmarkVertices()[(e == 0 ? 17U : 22U) + i]);
      lids[e].brow_before[i] = edit.photo.at[v];
      lids[e].brow_after[i] = edit.to[v];
    }
  }
  const std::vector<float> gain = Gain(area, edit);
  std::vector<float> inverse_depth;
  for (const Vec3& p : edit.shape) inverse_depth.push_back(-1 / edit.photo.fit.camera.View(p).z);
  return internal::Displace({skin, edit.from, edit.to, inverse_depth, gain, lids, edit.photo.pixels_per_cm}, area.size());
}

void FaceWarper::Impl::EditArea(cv::Mat& area, const features::Landmarks68& landmarks, const Expression& own, const Expression& wanted) const {
  FaceEdit edit = Plan(landmarks, own, wanted);
  const datasets::synthetic::Camera& camera = edit.photo.fit.camera;
  const float px = edit.photo.pixels_per_cm;
  edit.light = internal::ReadLight(area, edit.photo, seams, edit.normals_before, landmarks);
  cv::Mat source, target;
  area.convertTo(source, CV_32FC3, 1 / 255.0);
  internal::TakeFromOutside(seams.mouth, edit.before[0], edit.after[0], internal::FindLipEdges(edit.before[0], px, source), px, edit.from);
  const internal::Displacement moved = Move(area, edit);
  const internal::Folds furrows = folds.Paint(own, wanted, {skin, texcoords, edit.normals_after}, moved, camera, edit.light, px);

  const cv::Mat map = moved.source - cv::Scalar(0.5, 0.5);
  cv::remap(source, target, map, {}, cv::INTER_CUBIC, cv::BORDER_REFLECT_101);
  // Light that comes out of a furrow has gone through skin, which keeps red longest.
  const cv::Vec3f warm = edit.light.is_grey ? cv::Vec3f(1, 1, 1) : cv::Vec3f(1.15F, 1.05F, 0.7F);
  target.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const float shade = std::sqrt(furrows.gain.at<float>(at[0], at[1])), lit = std::sqrt(moved.gain.at<float>(at[0], at[1]));
    c *= lit;
    c = {c[0] * std::pow(shade, warm[0]), c[1] * std::pow(shade, warm[1]), c[2] * std::pow(shade, warm[2])};
  });
  internal::FadeFurrows(furrows.fade, px, target);
  const cv::Vec3f skin_colour(std::sqrt(edit.light.skin.x), std::sqrt(edit.light.skin.y), std::sqrt(edit.light.skin.z));
  for (std::size_t i = 1; i < edit.after.size(); ++i) {
    internal::FillEye(edit.before[i], edit.after[i], px, source, target);
    const float never_seen = internal::NeverSeen(edit.before[i], edit.after[i], EyesHalf(own, i - 1)[internal::ColumnOf(45)], px);
    internal::DrawEyeball(renderer, edit.light, camera, edit.shape, RimsMoved(*AllSeams()[i], edit.photo), edit.after[i], never_seen, px, target);
    internal::DrawLid(edit.before[i], edit.after[i], std::span(landmarks).subspan(i == 1 ? 17 : 22, 5), skin_colour, px, source, target);
  }
  internal::FillMouth(renderer, edit.light, camera, edit.shape, edit.before[0], edit.after[0],
                      expression.JawMoves(edit.photo, edit.shape), px, source, target);
  if (edit.closes_lips) internal::DrawLipLine(edit.before[0], edit.after[0], px, target);
  target.convertTo(area, CV_8UC3, 255);
}

FaceWarper::FaceWarper(const FaceModel& model) : impl_(std::make_unique<Impl>(model)) {}
FaceWarper::~FaceWarper() = default;
FaceWarper::FaceWarper(FaceWarper&&) noexcept = default;

void FaceWarper::Edit(cv::Mat& photo, const features::Landmarks68& landmarks, std::span<const float> own,
                      std::span<const float> wanted) const {
  const std::vector<float> from(own.begin(), own.end()), to(wanted.begin(), wanted.end());
  Edit(photo, landmarks, {from, from}, {to, to});
}

void FaceWarper::Edit(cv::Mat& photo, const features::Landmarks68& landmarks, const Expression& own, const Expression& wanted) const {
  const std::size_t aus = features::CatalogueSchema().size();
  if (photo.type() != CV_8UC3 || photo.empty()) throw std::invalid_argument("warp: the photo is not BGR of 8 bits");
  bool changes = false;
  for (const auto half : {&Expression::left, &Expression::right}) {
    const std::vector<float>&from = own.*half, &to = wanted.*half;
    if (from.size() != aus || to.size() != aus) {
      throw std::invalid_argument("warp: " + std::to_string(from.size()) + " and " + std::to_string(to.size()) +
                                  " intensities; must be " + std::to_string(aus));
    }
    for (std::size_t j = 0; j < aus; ++j) {
      if (!std::isfinite(from[j]) || !std::isfinite(to[j])) throw std::invalid_argument("warp: an intensity is not finite");
      changes = changes || std::abs(from[j] - to[j]) >= internal::kSameIntensity;
    }
  }
  for (const Point2& p : landmarks) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) throw std::invalid_argument("warp: a landmark is not finite");
  }
  const cv::Rect box = AreaOf(landmarks, photo.size());
  if (!changes || box.empty()) return;
  cv::Mat area = photo(box);
  features::Landmarks68 within = landmarks;
  for (Point2& p : within) p = {p.x - static_cast<float>(box.x), p.y - static_cast<float>(box.y)};
  impl_->EditArea(area, within, WithoutSides(own), WithoutSides(wanted));
}

}  // namespace auforge::warp
