#include "datasets/synthetic/face_renderer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_resolver.h"
#include "datasets/synthetic/internal/face_shader.h"
#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/internal/shadow_map.h"

namespace auforge::datasets::synthetic {
namespace {

using internal::EyeGeometry;
using internal::FaceShader;
using internal::FaceTopology;
using internal::MouthGeometry;
using internal::SurfacePoint;

constexpr int kSkyDirections = 128;
constexpr Vec3 kHeadCentre{0, 3.5F, -0.5F};  // of the skull, model space, cm

void Check(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument("face scene: " + text);
}

bool IsTexture(const cv::Mat& texture, int type) {
  return texture.type() == type && texture.rows == texture.cols && texture.cols >= 2 && texture.isContinuous();
}

void CheckScene(const FaceScene& scene, std::size_t vertices) {
  Check(scene.shape.size() == vertices, "shape has " + std::to_string(scene.shape.size()) + " vertices");
  Check(scene.skin != nullptr && IsTexture(scene.skin->face, CV_8UC4), "skin.face must be a square CV_8UC4");
  Check(scene.skin->head.empty() || IsTexture(scene.skin->head, CV_8UC4), "skin.head must be a square CV_8UC4");
  Check(scene.skin->face_relief.empty() || IsTexture(scene.skin->face_relief, CV_8SC4), "skin.face_relief must be a square CV_8SC4");
  Check(scene.vertex_light.empty() || scene.vertex_light.size() == vertices, "vertex_light needs an entry for each vertex");
  for (const ExtraMesh& extra : scene.extras) {
    const std::size_t n = extra.positions.size();
    Check(extra.directions.size() == n && extra.colours.size() == n && (extra.part != FacePart::kHair || extra.texcoords.size() == n),
          "an extra mesh's arrays differ in length");
    for (const MeshTriangle& t : extra.triangles) {
      for (const std::int32_t v : t) Check(v >= 0 && static_cast<std::size_t>(v) < n, "an extra mesh's triangle refers beyond its vertices");
    }
  }
}

}  // namespace

struct FaceRenderer::Impl {
  explicit Impl(const FaceModel& m)
      : topology(internal::MakeTopology(m)), sky(internal::BakeSky(topology, m.neutral, kSkyDirections)) {
    neutral_normals.resize(m.VertexCount());
    VertexNormals(m.neutral, topology.Surface(), neutral_normals);
    for (std::size_t v = 0; v < neutral_normals.size(); ++v) bent.push_back((sky.bent[v] - neutral_normals[v]) * 0.7F);
  }

  std::vector<float> MeanCurvature(std::span<const Vec3> shape) const;
  std::array<EyeGeometry, 2> Eyes(const FaceScene& scene) const;
  MouthGeometry Mouth(const FaceScene& scene) const;
  bool Drawn(const FaceScene& scene, FacePart part, const MouthGeometry& mouth) const;
  bool LashCovers(std::int32_t triangle, float b1, float b2, float strength) const;
  void DrawAll(const FaceScene& scene, const MouthGeometry& mouth, RenderScratch& scratch) const;
  // Surface points of the model's vertices, then of each extra's.
  void MakeSurface(const FaceScene& scene, RenderScratch& scratch, std::vector<SurfacePoint>& surface) const;
  void CastShadows(const FaceScene& scene, RenderScratch& scratch, std::vector<SurfacePoint>& surface) const;

  FaceTopology topology;
  internal::SkyView sky;
  std::vector<Vec3> neutral_normals, bent;
};

FaceRenderer::FaceRenderer(const FaceModel& model) : impl_(std::make_unique<Impl>(model)) {}
FaceRenderer::~FaceRenderer() = default;
FaceRenderer::FaceRenderer(FaceRenderer&&) noexcept = default;

std::span<const MeshTriangle> FaceRenderer::Triangles() const { return impl_->topology.triangles; }
std::span<const FacePart> FaceRenderer::TriangleParts() const { return impl_->topology.parts; }
std::span<const std::array<std::array<float, 2>, 3>> FaceRenderer::TriangleTexcoords() const { return impl_->topology.texcoords; }

std::vector<float> FaceRenderer::Impl::MeanCurvature(std::span<const Vec3> shape) const {
  std::vector<Vec3> normals(shape.size());
  VertexNormals(shape, topology.Surface(), normals);
  const auto outer = static_cast<std::size_t>(internal::kFaceEnd);
  std::vector<float> curvature(shape.size(), 0.0F);
  for (std::size_t v = 0; v < outer; ++v) {
    const auto begin = topology.neighbour_begin[v], end = topology.neighbour_begin[v + 1];
    if (begin == end) continue;
    Vec3 mean;
    float square = 0;
    for (auto k = begin; k < end; ++k) {
      const Vec3 d = shape[static_cast<std::size_t>(topology.neighbours[static_cast<std::size_t>(k)])] - shape[v];
      mean += d;
      square += Dot(d, d);
    }
    curvature[v] = 4 * Dot(mean, normals[v]) / std::max(square, 1e-6F);
  }
  return curvature;
}

std::vector<Vec3> FaceRenderer::FoldLight(std::span<const Vec3> neutral, std::span<const Vec3> shape, float strength) const {
  Check(neutral.size() == shape.size() && shape.size() == impl_->sky.open.size(), "FoldLight needs two whole shapes");
  std::vector<float> change = impl_->MeanCurvature(shape);
  const std::vector<float> before = impl_->MeanCurvature(neutral);
  for (std::size_t v = 0; v < change.size(); ++v) change[v] = std::clamp(change[v] - before[v], -3.0F, 3.0F);
  const FaceTopology& topology = impl_->topology;
  std::vector<float> smooth(change.size(), 0.0F);
  for (int pass = 0; pass < 3; ++pass) {
    for (std::size_t v = 0; v < static_cast<std::size_t>(internal::kFaceEnd); ++v) {
      const auto begin = topology.neighbour_begin[v], end = topology.neighbour_begin[v + 1];
      float sum = change[v];
      for (auto k = begin; k < end; ++k) sum += change[static_cast<std::size_t>(topology.neighbours[static_cast<std::size_t>(k)])];
      smooth[v] = sum / static_cast<float>(end - begin + 1);
    }
    change.swap(smooth);
  }
  std::vector<Vec3> light(change.size(), Vec3{1, 1, 1});
  for (std::size_t v = 0; v < static_cast<std::size_t>(internal::kFaceEnd); ++v) {
    const float factor = std::clamp(std::exp(-strength * change[v]), 0.4F, 1.4F);
    light[v] = {factor, factor, factor};
  }
  return light;
}

std::array<EyeGeometry, 2> FaceRenderer::Impl::Eyes(const FaceScene& scene) const {
  const auto landmark = [&](std::size_t i) { return scene.camera.View(scene.shape[static_cast<std::size_t>(LandmarkVertices()[i])]); };
  std::array<EyeGeometry, 2> eyes;
  for (std::size_t e = 0; e < 2; ++e) {
    const std::int32_t begin = e == 0 ? internal::kLeftIrisBegin : internal::kRightIrisBegin;
    const std::int32_t end = e == 0 ? internal::kLeftIrisEnd : internal::kRightIrisEnd;
    const internal::EyeBall ball = internal::MeasureEyeBall(scene.shape, begin, end, topology.pupil[e]);
    EyeGeometry& eye = eyes[e];
    eye.centre = scene.camera.View(ball.centre);
    eye.axis = Normalised(scene.camera.View(ball.pupil) - eye.centre);
    eye.radius = ball.radius;
    const std::array<std::size_t, 6> ids = e == 0 ? std::array<std::size_t, 6>{43, 44, 46, 47, 42, 45}
                                                  : std::array<std::size_t, 6>{37, 38, 40, 41, 39, 36};
    eye.lower = (landmark(ids[2]) + landmark(ids[3])) * 0.5F;
    eye.upper_from_lower = (landmark(ids[0]) + landmark(ids[1])) * 0.5F - eye.lower;
    eye.across = (landmark(ids[5]) - landmark(ids[4])) * 0.5F;
  }
  return eyes;
}

MouthGeometry FaceRenderer::Impl::Mouth(const FaceScene& scene) const {
  const auto landmark = [&](std::size_t i) { return scene.shape[static_cast<std::size_t>(LandmarkVertices()[i])]; };
  MouthGeometry mouth;
  Vec3 sum;
  for (const std::size_t i : {61U, 62U, 63U, 65U, 66U, 67U}) sum += landmark(i);
  mouth.front = scene.camera.View(sum * (1.0F / 6));
  mouth.inwards = scene.camera.view_from_model({0, 0, -1});
  const Vec3 half = (landmark(64) - landmark(60)) * 0.5F;
  mouth.across = scene.camera.view_from_model(half) * (1 / std::max(0.01F, Dot(half, half)));
  for (const auto& [upper, lower] : {std::array<std::size_t, 2>{61, 67}, {62, 66}, {63, 65}}) {
    mouth.gap = std::max(mouth.gap, Length(landmark(upper) - landmark(lower)));
  }
  return mouth;
}

bool FaceRenderer::Impl::Drawn(const FaceScene& scene, FacePart part, const MouthGeometry& mouth) const {
  if ((scene.parts & Bit(part)) == 0) return false;
  if (part == FacePart::kHead) return !scene.skin->head.empty();
  const bool inside = part == FacePart::kMouth || part == FacePart::kGums || part == FacePart::kTeeth || part == FacePart::kInnerLip;
  return !inside || mouth.gap > 0.02F;  // half of all triangles, and closed lips hide them
}

// The roots stand so close that they draw a line along the lid, all that is seen of closed eyes from afar; towards the tips
// single lashes remain. strength: EyeLook's.
bool FaceRenderer::Impl::LashCovers(std::int32_t triangle, float b1, float b2, float strength) const {
  const auto at = static_cast<std::size_t>(triangle);
  const MeshTriangle& t = topology.triangles[at];
  const auto reach = [&](std::size_t k) { return topology.lash_reach[static_cast<std::size_t>(t[k])]; };
  const auto& uv = topology.texcoords[at];
  const float b0 = 1 - b1 - b2, length = reach(0) * b0 + reach(1) * b1 + reach(2) * b2;
  const float u = uv[0][0] * b0 + uv[1][0] * b1 + uv[2][0] * b2;
  const float longest = 0.22F + 0.55F * strength;  // cm
  return internal::Hash01(static_cast<std::uint32_t>(u * 700)) < 1.2F * (1 - length / longest);
}

// Hair on the far side of the skull is hidden by the skull and by the hair in front of it; a third of all hair is, and
// rasterising it would cost as much as if it were seen. Below the ears the far side shows beside the neck.
void LeaveOutBehindTheHead(std::span<const Vec3> points, const Camera& camera, std::span<ScreenVertex> screen) {
  constexpr float kFarSide = -0.4F;  // cosine towards the camera
  const Vec3 towards = Normalised(camera.Eye() - kHeadCentre);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vec3 out = points[i] - kHeadCentre;
    if (points[i].y > 0 && Dot(out, towards) < kFarSide * Length(out)) screen[i].invz = 0;
  }
}

void FaceRenderer::Impl::DrawAll(const FaceScene& scene, const MouthGeometry& mouth, RenderScratch& scratch) const {
  VisibilityBuffer& samples = scratch.samples;
  samples.Reset(scene.width * kSamples, scene.height * kSamples);
  scratch.screen.resize(scene.shape.size());
  ProjectVertices(scene.shape, scene.camera, kSamples, scratch.screen);
  for (int p = 1; p < static_cast<int>(FacePart::kLashes); ++p) {
    const auto part = static_cast<FacePart>(p);
    if (!Drawn(scene, part, mouth)) continue;
    const bool closed = part == FacePart::kSkin || part == FacePart::kLeftEye || part == FacePart::kRightEye || part == FacePart::kTeeth;
    samples.Draw(scratch.screen, topology.Of(part), closed ? Facing::kFront : Facing::kBoth,
                 static_cast<std::int32_t>(topology.first[static_cast<std::size_t>(p)]));
  }
  if ((scene.parts & Bit(FacePart::kLashes)) != 0) {
    const auto first = static_cast<std::int32_t>(topology.first[static_cast<std::size_t>(FacePart::kLashes)]);
    samples.Draw(scratch.screen, topology.Of(FacePart::kLashes), Facing::kBoth, first,
                 [&](std::int32_t triangle, float b1, float b2) { return LashCovers(triangle, b1, b2, scene.eyes.lashes); });
  }
  if (Drawn(scene, FacePart::kInnerLip, mouth)) {
    samples.Draw(scratch.screen, topology.Of(FacePart::kInnerLip), Facing::kFront,
                 static_cast<std::int32_t>(topology.first[static_cast<std::size_t>(FacePart::kInnerLip)]));
  }
  auto number = static_cast<std::int32_t>(topology.triangles.size());
  for (const ExtraMesh& extra : scene.extras) {
    if ((scene.parts & Bit(extra.part)) != 0) {
      scratch.screen.resize(extra.positions.size());
      ProjectVertices(extra.positions, scene.camera, kSamples, scratch.screen);
      if (extra.part == FacePart::kHair) {
        LeaveOutBehindTheHead(extra.positions, scene.camera, scratch.screen);
        samples.Draw(scratch.screen, extra.triangles, Facing::kBoth, number, [&](std::int32_t triangle, float b1, float b2) {
          const MeshTriangle& t = extra.triangles[static_cast<std::size_t>(triangle - number)];
          const auto& a = extra.texcoords[static_cast<std::size_t>(t[0])];
          const auto& b = extra.texcoords[static_cast<std::size_t>(t[1])];
          const auto& c = extra.texcoords[static_cast<std::size_t>(t[2])];
          const float b0 = 1 - b1 - b2;
          // The ribbon's number is the same at all corners; keep it out of the rounding.
          const float ribbon = std::floor(std::min({a[0], b[0], c[0]}));
          const float across = (a[0] - ribbon) * b0 + (b[0] - ribbon) * b1 + (c[0] - ribbon) * b2;
          return internal::StrandCovers(ribbon + std::clamp(across, 0.0F, 0.999F), a[1] * b0 + b[1] * b1 + c[1] * b2, extra.density);
        });
      } else {
        samples.Draw(scratch.screen, extra.triangles, Facing::kBoth, number);
      }
    }
    number += static_cast<std::int32_t>(extra.triangles.size());
  }
}

void FaceRenderer::Impl::MakeSurface(const FaceScene& scene, RenderScratch& scratch, std::vector<SurfacePoint>& surface) const {
  scratch.normals.resize(scene.shape.size());
  VertexNormals(scene.shape, topology.Surface(), scratch.normals);
  const Camera& camera = scene.camera;
  std::size_t extra_vertices = 0;
  for (const ExtraMesh& extra : scene.extras) extra_vertices += extra.positions.size();
  surface.resize(scene.shape.size() + extra_vertices);
  for (std::size_t v = 0; v < scene.shape.size(); ++v) {
    SurfacePoint& s = surface[v];
    s = {};
    s.normal = camera.view_from_model(scratch.normals[v]);
    s.position = camera.View(scene.shape[v]);
    s.open = sky.open[v];
    if (v < static_cast<std::size_t>(internal::kHeadEnd)) s.bent = camera.view_from_model(bent[v]);
    if (!scene.vertex_light.empty()) s.light = scene.vertex_light[v];
  }
  std::size_t at = scene.shape.size();
  for (const ExtraMesh& extra : scene.extras) {
    for (std::size_t v = 0; v < extra.positions.size(); ++v) {
      SurfacePoint& s = surface[at++];
      s = {};
      // A strand's normal is the way out of the head; its direction is looked up when it is shaded.
      const Vec3 normal = extra.part == FacePart::kHair ? Normalised(extra.positions[v] - kHeadCentre) : extra.directions[v];
      s.normal = camera.view_from_model(normal);
      s.position = camera.View(extra.positions[v]);
    }
  }
}

void FaceRenderer::Impl::CastShadows(const FaceScene& scene, RenderScratch& scratch, std::vector<SurfacePoint>& surface) const {
  const auto lamp = std::find_if(scene.light.lamps.begin(), scene.light.lamps.end(), [](const Lamp& l) { return l.casts_shadow; });
  if (lamp == scene.light.lamps.end()) return;
  internal::ShadowMap map(*lamp, scene.camera, scratch.shadow);
  const internal::FaceTopology& t = topology;
  const auto all = [](std::int32_t, float, float) { return true; };
  for (const FacePart part : {FacePart::kSkin, FacePart::kHead}) {
    if ((scene.parts & Bit(part)) != 0) map.Cast(scene.shape, t.Of(part), scratch.screen, all);
  }
  for (const ExtraMesh& extra : scene.extras) {
    if (extra.part == FacePart::kHair) {
      // Ribbons are half air.
      map.Cast(extra.positions, extra.triangles, scratch.screen,
               [](std::int32_t triangle, float, float) { return internal::Hash01(static_cast<std::uint32_t>(triangle) / 2) < 0.7F; });
    } else {
      map.Cast(extra.positions, extra.triangles, scratch.screen, all);
    }
  }
  const auto bias = [&](const SurfacePoint& s, float base) { return base + 0.5F * (1 - std::max(0.0F, Dot(s.normal, lamp->direction))) * (0.3F + lamp->softness); };
  for (std::size_t v = 0; v < scene.shape.size(); ++v) {
    const bool outer = v < static_cast<std::size_t>(internal::kHeadEnd);
    if (outer && Dot(surface[v].normal, lamp->direction) < -0.3F) {
      surface[v].lit = 1;  // turned away: no light to take away
      continue;
    }
    surface[v].lit = map.Lit(surface[v].position, outer ? bias(surface[v], 0.18F) : 0.5F);
  }
  std::size_t at = scene.shape.size();
  for (const ExtraMesh& extra : scene.extras) {
    for (std::size_t v = 0; v < extra.positions.size(); ++v, ++at) surface[at].lit = map.Lit(surface[at].position, extra.part == FacePart::kHair ? 0.7F : 0.4F);
  }
}

namespace {

// The model's rows of teeth are so wide that they come out beside the corners of an open mouth: narrower, and farther
// back at the sides.
void DrawTeethIn(std::vector<Vec3>& shape) {
  constexpr float kNarrower = 0.86F, kBack = 0.22F, kSidesBack = 0.10F;  // share; cm; cm for each cm² of x
  for (std::size_t v = static_cast<std::size_t>(internal::kEyeSocketEnd); v < static_cast<std::size_t>(internal::kTeethEnd); ++v) {
    Vec3& p = shape[v];
    p.z -= kBack + kSidesBack * std::min(p.x * p.x, 4.0F);
    p.x *= kNarrower;
  }
}

}  // namespace

RenderedFace FaceRenderer::Render(const FaceScene& model_scene, RenderScratch& scratch) const {
  CheckScene(model_scene, impl_->sky.open.size());
  FaceScene scene = model_scene;
  scratch.shape.assign(model_scene.shape.begin(), model_scene.shape.end());
  DrawTeethIn(scratch.shape);
  scene.shape = scratch.shape;
  const std::array<EyeGeometry, 2> eyes = impl_->Eyes(scene);
  const MouthGeometry mouth = impl_->Mouth(scene);
  std::vector<SurfacePoint> surface;
  impl_->MakeSurface(scene, scratch, surface);
  impl_->CastShadows(scene, scratch, surface);
  impl_->DrawAll(scene, mouth, scratch);
  const FaceShader shader(scene, eyes, mouth);
  return internal::Resolve(scene, impl_->topology, shader, scratch.samples, surface);
}

cv::Mat ToDisplay(const cv::Mat& linear, float exposure) {
  // 0..0.6 as it is, then a shoulder that approaches 1.
  constexpr int kSteps = 4096;
  constexpr float kTop = 4;
  static const std::vector<std::uint8_t> table = [] {
    std::vector<std::uint8_t> t(kSteps + 1);
    for (int i = 0; i <= kSteps; ++i) {
      const float root = std::sqrt(kTop) * static_cast<float>(i) / kSteps, x = root * root;
      const float y = x < 0.6F ? x : 0.6F + 0.4F * (1 - std::exp(-(x - 0.6F) / 0.4F));
      t[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::lround(255 * std::sqrt(std::min(1.0F, y))));
    }
    return t;
  }();
  if (linear.type() != CV_32FC3) throw std::invalid_argument("ToDisplay: needs CV_32FC3");
  cv::Mat display(linear.rows, linear.cols, CV_8UC3);
  const float scale = kSteps / std::sqrt(kTop);
  for (int y = 0; y < linear.rows; ++y) {
    const auto* in = linear.ptr<float>(y);
    auto* out = display.ptr<std::uint8_t>(y);
    for (int i = 0; i < 3 * linear.cols; ++i) {
      const float step = std::sqrt(std::max(0.0F, in[i] * exposure)) * scale;
      out[i] = table[static_cast<std::size_t>(std::min(step + 0.5F, static_cast<float>(kSteps)))];
    }
  }
  return display;
}

}  // namespace auforge::datasets::synthetic
