#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic::internal {
namespace {

FacePart PartOf(const FaceModel& model, const FaceTriangle& triangle) {
  const std::string& material = model.materials[static_cast<std::size_t>(triangle.material)];
  const std::int32_t v = std::max({triangle.vertex[0], triangle.vertex[1], triangle.vertex[2]});
  if (material == "M_Face") return FacePart::kSkin;
  if (material == "M_BackHead") {
    return v < kHeadEnd ? FacePart::kHead : v < kMouthSocketEnd ? FacePart::kMouth : FacePart::kEyeSocket;
  }
  if (material == "M_GumsTongue") return FacePart::kGums;
  if (material == "M_Teeth") return FacePart::kTeeth;
  if (material == "M_IrisLeft") return FacePart::kLeftEye;
  if (material == "M_IrisRight") return FacePart::kRightEye;
  if (material == "M_EyeLashes") return FacePart::kLashes;
  return FacePart::kNone;  // clear shells and fluids
}

bool IsNearMouth(const FaceModel& model, const FaceTriangle& t) {
  if (PartOf(model, t) != FacePart::kSkin) return false;
  Vec3 mouth;
  for (const std::size_t i : {60U, 62U, 64U, 66U}) mouth += model.neutral[static_cast<std::size_t>(LandmarkVertices()[i])] * 0.25F;
  return Length(model.neutral[static_cast<std::size_t>(t.vertex[0])] - mouth) < 4.5F;
}

void FindLashes(const FaceModel& model, FaceTopology& topology) {
  topology.lash_reach.assign(model.VertexCount(), 0.0F);
  std::vector<Vec3> skin;  // round the eyes
  const Vec3 eye = model.neutral[static_cast<std::size_t>(LandmarkVertices()[37])];
  for (std::size_t v = 0; v < static_cast<std::size_t>(kNarrowFaceEnd); ++v) {
    if (std::abs(model.neutral[v].y - eye.y) < 2.5F) skin.push_back(model.neutral[v]);
  }
  for (const MeshTriangle& t : topology.Of(FacePart::kLashes)) {
    for (const std::int32_t v : t) {
      float& reach = topology.lash_reach[static_cast<std::size_t>(v)];
      if (reach > 0) continue;
      reach = 9;
      for (const Vec3 p : skin) reach = std::min(reach, Length(p - model.neutral[static_cast<std::size_t>(v)]));
      // Those of the lower lid are thin and few: count them as farther out.
      if (model.neutral[static_cast<std::size_t>(v)].y < eye.y - 0.5F) reach = 2.6F * reach + 0.08F;
    }
  }
}

void FindNeighbours(const FaceModel& model, FaceTopology& topology) {
  std::vector<std::vector<std::int32_t>> sets(model.VertexCount());
  for (const FacePart part : {FacePart::kSkin, FacePart::kHead}) {
    for (const MeshTriangle& t : topology.Of(part)) {
      for (std::size_t k = 0; k < 3; ++k) {
        sets[static_cast<std::size_t>(t[k])].push_back(t[(k + 1) % 3]);
        sets[static_cast<std::size_t>(t[k])].push_back(t[(k + 2) % 3]);
      }
    }
  }
  topology.neighbour_begin.push_back(0);
  for (auto& set : sets) {
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    topology.neighbours.insert(topology.neighbours.end(), set.begin(), set.end());
    topology.neighbour_begin.push_back(static_cast<std::int32_t>(topology.neighbours.size()));
  }
}

// Even directions over the sphere (Fibonacci lattice).
Vec3 SphereDirection(int i, int count) {
  const float y = 1 - (2 * static_cast<float>(i) + 1) / static_cast<float>(count);
  const float r = std::sqrt(1 - y * y), a = std::numbers::pi_v<float> * (3 - std::sqrt(5.0F)) * static_cast<float>(i);
  return {r * std::cos(a), y, r * std::sin(a)};
}

}  // namespace

// In the iris meshes' texture a ring about (0.5, 0.5) bounds the pupil.
std::array<std::vector<std::int32_t>, 2> PupilRings(const FaceModel& model) {
  std::array<std::vector<std::int32_t>, 2> rings;
  for (const FaceTriangle& t : model.triangles) {
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int32_t v = t.vertex[k];
      const bool left = v >= kLeftIrisBegin && v < kLeftIrisEnd, right = v >= kRightIrisBegin && v < kRightIrisEnd;
      if (!left && !right) continue;
      const auto& uv = model.texcoords[static_cast<std::size_t>(t.texcoord[k])];
      if (std::hypot(uv[0] - 0.5F, uv[1] - 0.5F) < 0.13F) rings[left ? 0 : 1].push_back(v);
    }
  }
  for (auto& ring : rings) {
    std::sort(ring.begin(), ring.end());
    ring.erase(std::unique(ring.begin(), ring.end()), ring.end());
    if (ring.empty()) throw std::invalid_argument("the face model's eyes have no pupil where ICT-FaceKit's have one");
  }
  return rings;
}

EyeBall MeasureEyeBall(std::span<const Vec3> shape, std::int32_t begin, std::int32_t end, std::span<const std::int32_t> ring) {
  Vec3 low = shape[static_cast<std::size_t>(begin)], high = low, pupil;
  for (std::int32_t v = begin; v < end; ++v) {
    const Vec3 p = shape[static_cast<std::size_t>(v)];
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  for (const std::int32_t v : ring) pupil += shape[static_cast<std::size_t>(v)];
  return {(low + high) * 0.5F, pupil * (1 / static_cast<float>(ring.size())), (high.x - low.x + high.y - low.y) / 4};
}

std::span<const MeshTriangle> FaceTopology::Of(FacePart part) const {
  const auto p = static_cast<std::size_t>(part);
  return std::span(triangles).subspan(first[p], first[p + 1] - first[p]);
}

std::span<const MeshTriangle> FaceTopology::Surface() const {
  return std::span(triangles).first(first[static_cast<std::size_t>(FacePart::kInnerLip)]);
}

FaceTopology MakeTopology(const FaceModel& model) {
  if (model.VertexCount() != static_cast<std::size_t>(kVertexCount)) {
    throw std::invalid_argument("the face model has " + std::to_string(model.VertexCount()) +
                                " vertices; rendering needs ICT-FaceKit light with 26719");
  }
  FaceTopology topology;
  constexpr std::size_t kParts = 16;
  for (std::size_t part = 1; part + 1 < kParts; ++part) {
    topology.first[part] = topology.triangles.size();
    for (const FaceTriangle& t : model.triangles) {
      const bool inner_lip = static_cast<FacePart>(part) == FacePart::kInnerLip && IsNearMouth(model, t);
      if (PartOf(model, t) != static_cast<FacePart>(part) && !inner_lip) continue;
      topology.triangles.push_back(inner_lip ? MeshTriangle{t.vertex[0], t.vertex[2], t.vertex[1]} : t.vertex);
      topology.parts.push_back(static_cast<FacePart>(part));
      auto& corners = topology.texcoords.emplace_back();
      for (std::size_t k = 0; k < 3; ++k) {
        corners[k] = model.texcoords[static_cast<std::size_t>(t.texcoord[k])];
        if (static_cast<FacePart>(part) == FacePart::kHead) corners[k][0] -= 1;
      }
    }
    topology.first[part + 1] = topology.triangles.size();
  }
  FindNeighbours(model, topology);
  topology.pupil = PupilRings(model);
  FindLashes(model, topology);
  return topology;
}

SkyView BakeSky(const FaceTopology& topology, std::span<const Vec3> shape, int directions) {
  constexpr int kSide = 192;
  constexpr float kBias = 0.25F;  // cm; less shadows itself at this resolution
  std::vector<MeshTriangle> casters;
  for (const FacePart part : {FacePart::kSkin, FacePart::kHead}) {
    const auto of = topology.Of(part);
    casters.insert(casters.end(), of.begin(), of.end());
  }
  std::vector<Vec3> normals(shape.size());
  VertexNormals(shape, casters, normals);
  const Vec3 centre{0, 0, 2};
  constexpr float kRadius = 21;  // cm, of head and shoulders

  std::vector<float> seen(shape.size(), 0.0F), total(shape.size(), 0.0F);
  std::vector<Vec3> sum(shape.size());
  std::vector<ScreenVertex> screen(shape.size());
  VisibilityBuffer buffer;
  for (int i = 0; i < directions; ++i) {
    const Vec3 to_sky = SphereDirection(i, directions);
    const Vec3 side = Normalised(Cross(std::abs(to_sky.y) < 0.9F ? Vec3{0, 1, 0} : Vec3{1, 0, 0}, to_sky));
    const Vec3 up = Cross(to_sky, side);
    constexpr float kScale = kSide / (2 * kRadius);
    for (std::size_t v = 0; v < shape.size(); ++v) {
      const Vec3 p = shape[v] - centre;
      // Orthographic: any increasing function of nearness serves as the depth.
      screen[v] = {kSide * 0.5F + kScale * Dot(side, p), kSide * 0.5F - kScale * Dot(up, p), 100 + Dot(to_sky, p)};
    }
    buffer.Reset(kSide, kSide);
    buffer.Draw(screen, casters, Facing::kBoth, 0);
    for (std::size_t v = 0; v < static_cast<std::size_t>(kHeadEnd); ++v) {
      const float cosine = Dot(normals[v], to_sky);
      if (cosine <= 0) continue;
      total[v] += cosine;
      const int x = std::clamp(static_cast<int>(screen[v].x), 0, kSide - 1), y = std::clamp(static_cast<int>(screen[v].y), 0, kSide - 1);
      const float bias = kBias + 0.2F * (1 - cosine);
      if (buffer.InverseDepth(x, y) > screen[v].invz + bias) continue;
      seen[v] += cosine;
      sum[v] += to_sky * cosine;
    }
  }
  SkyView view{std::vector<float>(shape.size(), 1.0F), normals};
  for (std::size_t v = 0; v < static_cast<std::size_t>(kHeadEnd); ++v) {
    view.open[v] = total[v] > 0 ? seen[v] / total[v] : 1;
    view.bent[v] = Normalised(sum[v] + normals[v] * (0.05F * std::max(1.0F, total[v])));
  }
  // The depth pictures are coarse: smooth over neighbours.
  for (int pass = 0; pass < 2; ++pass) {
    const std::vector<float> before = view.open;
    for (std::size_t v = 0; v < static_cast<std::size_t>(kHeadEnd); ++v) {
      const auto begin = topology.neighbour_begin[v], end = topology.neighbour_begin[v + 1];
      if (begin == end) continue;
      float mean = 0;
      for (auto k = begin; k < end; ++k) mean += before[static_cast<std::size_t>(topology.neighbours[static_cast<std::size_t>(k)])];
      view.open[v] = 0.5F * before[v] + 0.5F * mean / static_cast<float>(end - begin);
    }
  }
  return view;
}

}  // namespace auforge::datasets::synthetic::internal
