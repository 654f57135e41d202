#include "datasets/synthetic/occluders.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/held_things.h"
#include "datasets/synthetic/internal/loose_hair.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

Vec3 At(std::span<const Vec3> shape, std::size_t landmark) { return shape[static_cast<std::size_t>(LandmarkVertices()[landmark])]; }

Vec3 RandomColour(Random& random, float low, float high) { return {random.Uniform(low, high), random.Uniform(low, high), random.Uniform(low, high)}; }

void AddVertex(ExtraMesh& mesh, Vec3 position, Vec3 normal, Vec3 colour) {
  mesh.positions.push_back(position);
  mesh.directions.push_back(Normalised(normal));
  mesh.colours.push_back(colour);
}

// Two triangles between four corners in a row-and-column order, seen from either side.
void AddQuad(ExtraMesh& mesh, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
  const auto i = [](std::size_t v) { return static_cast<std::int32_t>(v); };
  mesh.triangles.push_back({i(a), i(b), i(c)});
  mesh.triangles.push_back({i(b), i(d), i(c)});
}

// A flat bar from one point to another.
void AddBar(ExtraMesh& mesh, Vec3 from, Vec3 to, Vec3 across, float width, Vec3 normal, Vec3 colour) {
  const std::size_t base = mesh.positions.size();
  const Vec3 half = Normalised(across) * (width / 2);
  for (const Vec3 p : {from - half, from + half, to - half, to + half}) AddVertex(mesh, p, normal, colour);
  AddQuad(mesh, base, base + 1, base + 2, base + 3);
}

struct Spectacles {
  float half_width, half_height, roundness, rim;
  Vec3 frame, lens;
  bool has_lens, has_rim;
};

void AddEyeGlass(ExtraMesh& mesh, Vec3 centre, const Spectacles& style) {
  constexpr int kSteps = 28;
  const std::size_t base = mesh.positions.size();
  const Vec3 front{0, 0, 1};
  for (int i = 0; i < kSteps; ++i) {
    const float angle = 2 * kPi * static_cast<float>(i) / kSteps, c = std::cos(angle), s = std::sin(angle);
    const auto rounded = [&](float v) { return std::copysign(std::pow(std::abs(v), style.roundness), v); };
    const Vec3 inner{style.half_width * rounded(c), style.half_height * rounded(s), 0};
    const Vec3 outer = inner + Normalised(inner) * style.rim;
    AddVertex(mesh, centre + inner, front, style.frame);
    AddVertex(mesh, centre + outer, Vec3{c * 0.3F, s * 0.3F, 1}, style.frame);
    AddVertex(mesh, centre + inner, front + Vec3{0, 0.15F * s, 0}, style.lens);
  }
  AddVertex(mesh, centre, front, style.lens);
  const std::size_t middle = mesh.positions.size() - 1;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const std::size_t a = base + 3 * i, b = base + 3 * ((i + 1) % kSteps);
    if (style.has_rim) AddQuad(mesh, a, a + 1, b, b + 1);
    if (style.has_lens) mesh.triangles.push_back({static_cast<std::int32_t>(a + 2), static_cast<std::int32_t>(b + 2), static_cast<std::int32_t>(middle)});
  }
}

ExtraMesh MakeGlasses(std::span<const Vec3> shape, bool dark, Random& random) {
  Spectacles style;
  style.half_width = random.Uniform(2.1F, 2.8F);
  style.half_height = dark ? random.Uniform(1.7F, 2.4F) : random.Uniform(1.3F, 2.3F);
  style.roundness = random.Uniform(0.45F, 1);
  style.rim = random.Uniform(0.10F, 0.40F);
  style.frame = random.Chance(0.55F) ? RandomColour(random, 0.005F, 0.03F) : RandomColour(random, 0.03F, 0.45F);
  style.lens = dark ? RandomColour(random, 0.004F, 0.05F) : style.frame;
  style.has_lens = dark;
  style.has_rim = dark || !random.Chance(0.1F);
  ExtraMesh mesh;
  mesh.gloss = dark ? random.Uniform(0.3F, 1.2F) : random.Uniform(0.1F, 0.8F);
  std::array<Vec3, 2> centre;
  const float front = std::max(At(shape, 27).z, std::max(At(shape, 19).z, At(shape, 24).z)) + random.Uniform(0.15F, 0.5F);
  for (std::size_t e = 0; e < 2; ++e) {
    Vec3 sum;
    for (std::size_t i = 0; i < 6; ++i) sum += At(shape, 36 + 6 * e + i);
    centre[e] = sum * (1.0F / 6);
    centre[e].y -= random.Uniform(0.0F, 0.15F);
    centre[e].z = front;
  }
  centre[0].y = centre[1].y = (centre[0].y + centre[1].y) / 2;
  for (const Vec3 c : centre) AddEyeGlass(mesh, c, style);
  const float inner = style.half_width + style.rim / 2;
  AddBar(mesh, centre[0] + Vec3{inner, 0.3F, 0}, centre[1] + Vec3{-inner, 0.3F, 0}, {0, 1, 0}, std::max(0.15F, style.rim), {0, 0, 1}, style.frame);
  const std::array<Vec3, 2> ear{At(shape, 0), At(shape, 16)};
  for (std::size_t e = 0; e < 2; ++e) {
    const float side = e == 0 ? -1.0F : 1.0F;
    const Vec3 hinge = centre[e] + Vec3{side * inner, 0.35F, 0};
    const Vec3 end{ear[e].x + side * 0.5F, hinge.y + 0.1F, ear[e].z - 3};
    AddBar(mesh, hinge, end, {0, 1, 0}, std::max(0.2F, style.rim), {side, 0, 0.2F}, style.frame);
  }
  return mesh;
}

// A cloth over nose, mouth and chin: a lofted surface between landmarks.
ExtraMesh MakeMask(std::span<const Vec3> shape, Random& random) {
  ExtraMesh mesh;
  mesh.gloss = 0.02F;
  const Vec3 colour = random.Chance(0.4F)   ? Vec3{0.62F, 0.48F, 0.28F} * random.Uniform(0.8F, 1.2F)
                      : random.Chance(0.5F) ? Vec3{0.02F, 0.02F, 0.02F}
                                            : RandomColour(random, 0.2F, 0.8F);
  const float lowered = random.Chance(0.15F) ? random.Uniform(1, 2.5F) : random.Uniform(-0.4F, 0.3F);  // below the nose at times
  struct Row {
    Vec3 left, middle, right;
  };
  const float nose = std::max({At(shape, 30).z, At(shape, 51).z, At(shape, 57).z}) + 0.45F;
  const Vec3 down{0, -lowered, 0};
  const std::array<Row, 4> rows{{{At(shape, 2) + down, At(shape, 28) + Vec3{0, -0.3F - lowered, 0.35F}, At(shape, 14) + down},
                                 {At(shape, 3), Vec3{At(shape, 30).x, At(shape, 30).y - lowered * 0.5F, nose}, At(shape, 13)},
                                 {At(shape, 5), Vec3{At(shape, 57).x, At(shape, 57).y, nose - 0.3F}, At(shape, 11)},
                                 {At(shape, 6) + Vec3{0, -0.5F, 0.3F}, At(shape, 8) + Vec3{0, -0.7F, 0.4F}, At(shape, 10) + Vec3{0, -0.5F, 0.3F}}}};
  constexpr std::size_t kAcross = 21, kDown = 13;
  const auto mixed = [&](float t, auto member) {
    const float at = t * 3;
    const auto i = std::min<std::size_t>(2, static_cast<std::size_t>(at));
    return Mix(rows[i].*member, rows[i + 1].*member, at - static_cast<float>(i));
  };
  for (std::size_t r = 0; r < kDown; ++r) {
    const float t = static_cast<float>(r) / (kDown - 1);
    const Vec3 left = mixed(t, &Row::left), middle = mixed(t, &Row::middle), right = mixed(t, &Row::right);
    for (std::size_t c = 0; c < kAcross; ++c) {
      const float u = 2 * static_cast<float>(c) / (kAcross - 1) - 1;
      const Vec3 side = u < 0 ? left : right;
      const float round = std::sqrt(std::max(0.0F, 1 - u * u));
      const Vec3 p{middle.x + (side.x - middle.x) * std::abs(u), middle.y + (side.y - middle.y) * u * u,
                   side.z + (middle.z - side.z) * round};
      const float pleat = 1 + 0.06F * std::sin(t * 40) * (1 - std::abs(u));
      AddVertex(mesh, p, Vec3{1.2F * u, 0.5F - t, 1}, colour * pleat);
    }
  }
  for (std::size_t r = 0; r + 1 < kDown; ++r) {
    for (std::size_t c = 0; c + 1 < kAcross; ++c) AddQuad(mesh, r * kAcross + c, r * kAcross + c + 1, (r + 1) * kAcross + c, (r + 1) * kAcross + c + 1);
  }
  return mesh;
}

}  // namespace

std::string_view OccluderName(Occluder kind) {
  constexpr std::array<std::string_view, kOccluderCount> kNames{"glasses", "sunglasses", "mask", "hand", "object", "hair_strands", "frame_cut"};
  return kNames.at(static_cast<std::size_t>(kind));
}

void OccluderOptions::Validate() const {
  if (!(rate >= 0 && rate <= 1)) throw std::invalid_argument("occluders.rate = " + std::to_string(rate) + "; must be 0..1");
}

std::uint32_t SampleOccluders(const OccluderOptions& options, Random& random) {
  if (!random.Chance(options.rate)) return 0;
  // Glasses are the most common thing in front of a face.
  constexpr std::array<float, kOccluderCount> kShares{0.36F, 0.10F, 0.09F, 0.13F, 0.12F, 0.12F, 0.08F};
  std::uint32_t kinds = 0;
  const int count = random.Chance(0.15F) ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    float at = random.Uniform();
    for (int k = 0; k < kOccluderCount; ++k) {
      at -= kShares[static_cast<std::size_t>(k)];
      if (at < 0) {
        kinds |= 1U << k;
        break;
      }
    }
  }
  if ((kinds & Bit(Occluder::kSunglasses)) != 0) kinds &= ~Bit(Occluder::kGlasses);
  return kinds;
}

std::vector<ExtraMesh> OccluderMeshes(std::span<const Vec3> shape, std::span<const Vec3> still, Vec3 skin, std::uint32_t kinds,
                                      Random& random) {
  std::vector<ExtraMesh> meshes;
  if ((kinds & Bit(Occluder::kGlasses)) != 0) meshes.push_back(MakeGlasses(still, false, random));
  if ((kinds & Bit(Occluder::kSunglasses)) != 0) meshes.push_back(MakeGlasses(still, true, random));
  if ((kinds & Bit(Occluder::kMask)) != 0) meshes.push_back(MakeMask(shape, random));
  if ((kinds & Bit(Occluder::kObject)) != 0) meshes.push_back(internal::MakeObject(still, random));
  if ((kinds & Bit(Occluder::kHand)) != 0) meshes.push_back(internal::MakeHand(still, skin, random));
  if ((kinds & Bit(Occluder::kHairStrands)) != 0) meshes.push_back(internal::MakeLooseHair(still, random));
  return meshes;
}

}  // namespace auforge::datasets::synthetic
