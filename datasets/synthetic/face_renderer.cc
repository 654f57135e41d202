#include "datasets/synthetic/face_renderer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_shader.h"
#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {
namespace {

using internal::EyeGeometry;
using internal::FaceShader;
using internal::FaceTopology;
using internal::MouthGeometry;
using internal::SurfacePoint;

constexpr int kShadowSide = 176;
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

// An orthographic picture from a lamp, of all that casts shadows.
class ShadowMap {
 public:
  ShadowMap(const Lamp& lamp, const Camera& camera, VisibilityBuffer& buffer)
      : buffer_(buffer), camera_(camera), towards_(lamp.direction), radius_(0.12F + 0.75F * lamp.softness) {
    side_ = Normalised(Cross(std::abs(towards_.y) < 0.9F ? Vec3{0, 1, 0} : Vec3{1, 0, 0}, towards_));
    up_ = Cross(towards_, side_);
    centre_ = camera.View({0, 0, 2});
    buffer_.Reset(kShadowSide, kShadowSide);
  }

  ScreenVertex Place(Vec3 view) const {
    constexpr float kScale = kShadowSide / (2 * 17.0F);
    const Vec3 p = view - centre_;
    return {kShadowSide * 0.5F + kScale * Dot(side_, p), kShadowSide * 0.5F - kScale * Dot(up_, p), 100 + Dot(towards_, p)};
  }
  template <typename Keep>
  void Cast(std::span<const Vec3> model_points, std::span<const MeshTriangle> triangles, std::vector<ScreenVertex>& screen,
            const Keep& keep) {
    screen.resize(model_points.size());
    for (std::size_t i = 0; i < model_points.size(); ++i) screen[i] = Place(camera_.View(model_points[i]));
    buffer_.Draw(screen, triangles, Facing::kBoth, 0, keep);
  }
  // 0..1 of the lamp that reaches a point; bias in cm.
  float Lit(Vec3 view, float bias) const {
    const ScreenVertex at = Place(view);
    constexpr float kTexels = kShadowSide / (2 * 17.0F);
    static constexpr std::array<std::array<float, 2>, 9> kDisc{
        {{0, 0}, {0.9F, 0.2F}, {-0.3F, 0.85F}, {-0.85F, -0.3F}, {0.3F, -0.9F}, {0.5F, 0.55F}, {-0.55F, 0.45F}, {-0.45F, -0.6F}, {0.6F, -0.4F}}};
    float lit = 0;
    for (const auto& [dx, dy] : kDisc) {
      const int x = static_cast<int>(at.x + dx * radius_ * kTexels), y = static_cast<int>(at.y + dy * radius_ * kTexels);
      const bool inside = x >= 0 && y >= 0 && x < kShadowSide && y < kShadowSide;
      if (!inside || buffer_.InverseDepth(x, y) <= at.invz + bias) lit += 1;
    }
    return lit / 9;
  }

 private:
  VisibilityBuffer& buffer_;
  const Camera& camera_;
  Vec3 towards_, side_, up_, centre_;
  float radius_;  // cm
};

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
  bool LashCovers(std::int32_t triangle, float b1, float b2) const;
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
    Vec3 low = scene.shape[static_cast<std::size_t>(begin)], high = low, pupil;
    for (std::int32_t v = begin; v < end; ++v) {
      const Vec3 p = scene.shape[static_cast<std::size_t>(v)];
      low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
    }
    for (const std::int32_t v : topology.pupil[e]) pupil += scene.shape[static_cast<std::size_t>(v)];
    EyeGeometry& eye = eyes[e];
    eye.centre = scene.camera.View((low + high) * 0.5F);
    eye.axis = Normalised(scene.camera.View(pupil * (1 / static_cast<float>(topology.pupil[e].size()))) - eye.centre);
    eye.radius = (high.x - low.x + high.y - low.y) / 4;
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

// The roots stand so close that they draw a line along the lid; towards the tips single lashes remain.
bool FaceRenderer::Impl::LashCovers(std::int32_t triangle, float b1, float b2) const {
  const auto at = static_cast<std::size_t>(triangle);
  const MeshTriangle& t = topology.triangles[at];
  const auto reach = [&](std::size_t k) { return topology.lash_reach[static_cast<std::size_t>(t[k])]; };
  const auto& uv = topology.texcoords[at];
  const float b0 = 1 - b1 - b2, length = reach(0) * b0 + reach(1) * b1 + reach(2) * b2;
  const float u = uv[0][0] * b0 + uv[1][0] * b1 + uv[2][0] * b2;
  return internal::Hash01(static_cast<std::uint32_t>(u * 700)) < 0.85F - length * 3.4F;
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
                 [&](std::int32_t triangle, float b1, float b2) { return LashCovers(triangle, b1, b2); });
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
  ShadowMap map(*lamp, scene.camera, scratch.shadow);
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

// Shades the records of one picture.
class Resolver {
 public:
  Resolver(const FaceScene& scene, const FaceTopology& topology, const FaceShader& shader, const VisibilityBuffer& samples,
           std::span<const SurfacePoint> surface)
      : scene_(scene), topology_(topology), shader_(shader), samples_(samples), surface_(surface) {
    auto number = static_cast<std::int32_t>(topology.triangles.size());
    std::size_t vertex = scene.shape.size();
    for (const ExtraMesh& extra : scene.extras) {
      extras_.push_back({&extra, number, vertex});
      number += static_cast<std::int32_t>(extra.triangles.size());
      vertex += extra.positions.size();
    }
  }

  RenderedFace Run() const;

 private:
  using Hit = VisibilityBuffer::Hit;
  struct Extra {
    const ExtraMesh* mesh;
    std::int32_t first_triangle;
    std::size_t first_vertex;
  };

  FacePart PartOf(const Hit& hit) const {
    if (hit.triangle == VisibilityBuffer::kNothing) return FacePart::kNone;
    const auto t = static_cast<std::size_t>(hit.triangle);
    return t < topology_.parts.size() ? topology_.parts[t] : ExtraOf(hit.triangle).mesh->part;
  }
  const Extra& ExtraOf(std::int32_t triangle) const {
    std::size_t i = extras_.size() - 1;
    while (extras_[i].first_triangle > triangle) --i;
    return extras_[i];
  }
  std::array<float, 2> Texcoord(const Hit& hit) const {
    const auto& uv = topology_.texcoords[static_cast<std::size_t>(hit.triangle)];
    const float b0 = 1 - hit.b1 - hit.b2;
    return {uv[0][0] * b0 + uv[1][0] * hit.b1 + uv[2][0] * hit.b2, uv[0][1] * b0 + uv[1][1] * hit.b1 + uv[2][1] * hit.b2};
  }
  void Gather(const Hit& hit, float scale, SurfacePoint& sum) const {
    const MeshTriangle& t = topology_.triangles[static_cast<std::size_t>(hit.triangle)];
    internal::Accumulate(sum, surface_[static_cast<std::size_t>(t[0])], surface_[static_cast<std::size_t>(t[1])],
                         surface_[static_cast<std::size_t>(t[2])], hit.b1, hit.b2, scale);
  }
  Vec3 ShadeExtra(const Hit& hit) const;
  Vec3 Shade(const Hit& hit, FacePart part) const;
  // Four samples of one smooth surface are shaded once.
  Vec3 ShadeSkinPixel(const std::array<Hit, 4>& hits, bool is_face) const;

  const FaceScene& scene_;
  const FaceTopology& topology_;
  const FaceShader& shader_;
  const VisibilityBuffer& samples_;
  std::span<const SurfacePoint> surface_;
  std::vector<Extra> extras_;
};

constexpr SurfacePoint kZeroPoint{{}, 0, {}, 0, {0, 0, 0}, 0, {}, 0};

Vec3 Resolver::ShadeExtra(const Hit& hit) const {
  const Extra& extra = ExtraOf(hit.triangle);
  const ExtraMesh& mesh = *extra.mesh;
  const MeshTriangle& t = mesh.triangles[static_cast<std::size_t>(hit.triangle - extra.first_triangle)];
  const std::array<std::size_t, 3> v{static_cast<std::size_t>(t[0]), static_cast<std::size_t>(t[1]), static_cast<std::size_t>(t[2])};
  SurfacePoint point = kZeroPoint;
  internal::Accumulate(point, surface_[extra.first_vertex + v[0]], surface_[extra.first_vertex + v[1]], surface_[extra.first_vertex + v[2]],
                       hit.b1, hit.b2, 1);
  const float b0 = 1 - hit.b1 - hit.b2;
  const Vec3 colour = mesh.colours[v[0]] * b0 + mesh.colours[v[1]] * hit.b1 + mesh.colours[v[2]] * hit.b2;
  if (mesh.part == FacePart::kHair) {
    const Vec3 tangent = mesh.directions[v[0]] * b0 + mesh.directions[v[1]] * hit.b1 + mesh.directions[v[2]] * hit.b2;
    return shader_.Hair(point, scene_.camera.view_from_model(tangent), colour, mesh.gloss);
  }
  // Cloth is seen from either side.
  if (Dot(point.normal, point.position) > 0) point.normal = point.normal * -1.0F;
  return shader_.Plain(point, colour, mesh.gloss);
}

Vec3 Resolver::Shade(const Hit& hit, FacePart part) const {
  if (static_cast<std::size_t>(hit.triangle) >= topology_.parts.size()) return ShadeExtra(hit);
  SurfacePoint point = kZeroPoint;
  Gather(hit, 1, point);
  switch (part) {
    case FacePart::kSkin:
    case FacePart::kHead: {
      const auto [u, v] = Texcoord(hit);
      return shader_.Skin(point, u, v, part == FacePart::kSkin);
    }
    case FacePart::kLeftEye: return shader_.Eye(point, 0);
    case FacePart::kRightEye: return shader_.Eye(point, 1);
    case FacePart::kLashes: return shader_.Lash(point);
    default: return shader_.Inside(point, part);
  }
}

Vec3 Resolver::ShadeSkinPixel(const std::array<Hit, 4>& hits, bool is_face) const {
  SurfacePoint point = kZeroPoint;
  float u = 0, v = 0;
  for (const Hit& hit : hits) {
    Gather(hit, 0.25F, point);
    const auto uv = Texcoord(hit);
    u += 0.25F * uv[0];
    v += 0.25F * uv[1];
  }
  return shader_.Skin(point, u, v, is_face);
}

RenderedFace Resolver::Run() const {
  RenderedFace face{cv::Mat::zeros(scene_.height, scene_.width, CV_32FC3), cv::Mat::zeros(scene_.height, scene_.width, CV_32FC1),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_8UC1), cv::Mat::zeros(scene_.height, scene_.width, CV_32FC1),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_32FC2)};
  for (int y = 0; y < scene_.height; ++y) {
    for (int x = 0; x < scene_.width; ++x) {
      std::array<Hit, 4> hits;
      std::array<FacePart, 4> parts;
      float nearest = 0, farthest = 1e9F;
      std::size_t front = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        const int sx = 2 * x + static_cast<int>(k & 1), sy = 2 * y + static_cast<int>(k >> 1);
        hits[k] = samples_.At(sx, sy);
        parts[k] = PartOf(hits[k]);
        const float invz = samples_.InverseDepth(sx, sy);
        if (invz > nearest) {
          nearest = invz;
          front = k;
        }
        farthest = std::min(farthest, invz);
      }
      if (nearest == 0) continue;
      const bool is_skin = parts[0] == FacePart::kSkin || parts[0] == FacePart::kHead;
      const bool smooth = is_skin && parts[1] == parts[0] && parts[2] == parts[0] && parts[3] == parts[0] && farthest > 0 &&
                          1 / farthest - 1 / nearest < 0.35F;
      Vec3 sum;
      float covered = 0;
      if (smooth) {
        sum = ShadeSkinPixel(hits, parts[0] == FacePart::kSkin);
        covered = 1;
      } else {
        std::array<Vec3, 4> colours;
        for (std::size_t k = 0; k < 4; ++k) {
          if (parts[k] == FacePart::kNone) continue;
          // Hair and cloth have no texture: one sample stands for all of the pixel's in its triangle.
          std::size_t same = 0;
          const bool is_extra = static_cast<std::size_t>(hits[k].triangle) >= topology_.parts.size();
          while (same < k && !(is_extra && hits[same].triangle == hits[k].triangle)) ++same;
          colours[k] = same < k ? colours[same] : Shade(hits[k], parts[k]);
          sum += colours[k] * 0.25F;
          covered += 0.25F;
        }
      }
      face.linear.ptr<cv::Vec3f>(y)[x] = {sum.x, sum.y, sum.z};
      face.alpha.ptr<float>(y)[x] = covered;
      face.part.ptr<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(parts[front]);
      face.depth.ptr<float>(y)[x] = 1 / nearest;
      if (parts[front] == FacePart::kSkin || parts[front] == FacePart::kHead) {
        const auto [u, v] = Texcoord(hits[front]);
        face.texcoord.ptr<cv::Vec2f>(y)[x] = {u, v};
      }
    }
  }
  return face;
}

}  // namespace

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
  return Resolver(scene, impl_->topology, shader, scratch.samples, surface).Run();
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
