#include "datasets/synthetic/internal/loose_hair.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic::internal {
namespace {

constexpr int kSteps = 14;  // pieces of a ribbon

// How far forward the skin reaches, over the face seen from the front.
class Front {
 public:
  explicit Front(std::span<const Vec3> shape) {
    z_.fill(kNowhere);
    for (std::size_t v = 0; v < static_cast<std::size_t>(kFaceEnd); ++v) {
      const int cell = Cell(shape[v].x, shape[v].y);
      if (cell < 0) continue;
      float& z = z_[static_cast<std::size_t>(cell)];
      z = std::max(z, shape[v].z);
    }
  }
  // Beyond the face: what it is at its edge.
  float At(float x, float y, float before) const {
    float nearest = kNowhere;
    for (const float dx : {-kCell, 0.0F, kCell}) {
      for (const float dy : {-kCell, 0.0F, kCell}) {
        const int cell = Cell(x + dx, y + dy);
        if (cell >= 0) nearest = std::max(nearest, z_[static_cast<std::size_t>(cell)]);
      }
    }
    return nearest > kNowhere ? nearest : before;
  }

 private:
  static constexpr int kSide = 64;
  static constexpr float kCell = 0.5F;  // cm
  static constexpr float kNowhere = -1e3F;
  // -1 outside.
  static int Cell(float x, float y) {
    const int cx = static_cast<int>(std::floor(x / kCell)) + kSide / 2, cy = static_cast<int>(std::floor(y / kCell)) + kSide / 2;
    return cx < 0 || cy < 0 || cx >= kSide || cy >= kSide ? -1 : cy * kSide + cx;
  }
  std::array<float, kSide * kSide> z_{};
};

}  // namespace

ExtraMesh MakeLooseHair(std::span<const Vec3> shape, Random& random) {
  const Front front(shape);
  const auto mark = [&](std::size_t i) { return shape[static_cast<std::size_t>(LandmarkVertices()[i])]; };
  const bool right = random.Chance(0.5F);  // of the subject
  const float inwards = right ? 1.0F : -1.0F;
  ExtraMesh mesh;
  mesh.part = FacePart::kHair;
  mesh.density = random.Uniform(0.55F, 1);
  mesh.gloss = random.Uniform(0.5F, 1.3F);
  // From black to blond.
  const float light = std::pow(random.Uniform(), 2.0F);
  const Vec3 colour = Mix(Vec3{0.010F, 0.012F, 0.016F}, Vec3{0.13F, 0.24F, 0.38F}, light) * random.Uniform(0.8F, 1.2F);
  const Vec3 root = mark(right ? 18 : 25) + Vec3{random.Normal(0, 1.8F), random.Uniform(3.4F, 5.2F), 0};
  const Vec3 end = mark(right ? 2 : 14) + Vec3{inwards * random.Uniform(-0.6F, 5.0F), random.Normal(0, 2.0F), 0};
  const float sway = -inwards * random.Uniform(-1.5F, 3.0F);
  const int ribbons = 8 + random.Index(26);
  for (int i = 0; i < ribbons; ++i) {
    const Vec3 from = root + Vec3{random.Normal(0, 1.1F), random.Uniform(-0.4F, 0.6F), 0};
    const Vec3 to = end + Vec3{random.Normal(0, 0.9F), random.Normal(0, 1.5F), 0};
    const float bend = sway + random.Normal(0, 0.6F), lift = random.Uniform(0.45F, 0.95F), width = random.Uniform(0.25F, 0.55F);
    const Vec3 tint = colour * std::exp(random.Normal(0, 0.18F));
    std::array<Vec3, kSteps + 1> line;
    float before = root.z;
    for (int k = 0; k <= kSteps; ++k) {
      const float t = static_cast<float>(k) / kSteps;
      Vec3 p = Mix(from, to, t);
      p.x += bend * 4 * t * (1 - t);
      before = front.At(p.x, p.y, before);
      p.z = before + lift;
      line[static_cast<std::size_t>(k)] = p;
    }
    // Hair bridges hollows and is bent over what stands out.
    for (int pass = 0; pass < 4; ++pass) {
      for (std::size_t k = 1; k < kSteps; ++k) line[k].z = std::max(line[k].z, 0.5F * (line[k - 1].z + line[k + 1].z));
    }
    const auto base = static_cast<std::int32_t>(mesh.positions.size());
    for (std::size_t k = 0; k <= kSteps; ++k) {
      const Vec3 along = Normalised(line[std::min<std::size_t>(k + 1, kSteps)] - line[k > 0 ? k - 1 : 0]);
      const Vec3 across = Normalised(Cross(along, Vec3{0.25F * line[k].x / 7, 0, 1}));
      for (const float s : {-0.5F, 0.5F}) {
        mesh.positions.push_back(line[k] + across * (s * width));
        mesh.directions.push_back(along);
        mesh.colours.push_back(tint);
        mesh.texcoords.push_back({static_cast<float>(i) + (s < 0 ? 0.001F : 0.999F), static_cast<float>(k) / kSteps});
      }
    }
    for (std::int32_t k = 0; k < kSteps; ++k) {
      const std::int32_t a = base + 2 * k;
      mesh.triangles.push_back({a, a + 1, a + 2});
      mesh.triangles.push_back({a + 1, a + 3, a + 2});
    }
  }
  return mesh;
}

}  // namespace auforge::datasets::synthetic::internal
