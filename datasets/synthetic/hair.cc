#include "datasets/synthetic/hair.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/synthetic/internal/face_regions.h"
#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/internal/hair_cut.h"
#include "datasets/synthetic/internal/skull_map.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

using internal::Cut;
using internal::CutOf;
using internal::SkullMap;
constexpr Vec3 kCentre = internal::kSkullCentre;

// Where a cut wants the hair at p to go, along the head's surface.
Vec3 Combed(const Cut& cut, Vec3 p, Vec3 root, Vec3 outwards) {
  const float top = SmoothStep(7.5F, 11, root.y) * (1 - SmoothStep(2, 8, -root.z));
  Vec3 wish{0, -1, 0};  // sides and back hang down
  if (cut.back) {
    wish = Vec3{0, 8, -10} - p;
  } else if (cut.parted) {
    const float side = root.x > cut.part ? 1.0F : -1.0F;
    const Vec3 across =
        Vec3{side, 0.05F, -0.35F} + (cut.top_direction.z < 0 ? cut.top_direction * (0.4F * top) : Vec3{});
    // Over the top away from the parting, then down.
    const float over = SmoothStep(6.2F, 8.6F, std::abs(p.x)) + SmoothStep(0, 6, 9 - p.y);
    wish = Mix(across, Vec3{0.15F * side, -1, -0.12F}, std::min(1.0F, over));
  } else {
    wish = Mix(Vec3{0, -1, -0.15F}, cut.top_direction, top);
  }
  wish = wish - outwards * Dot(wish, outwards);
  return Normalised(wish);
}

// Keeps hair out of the face and off the shoulders.
Vec3 KeepOff(Vec3 p, const SkullMap& skull, float layer) {
  const Vec3 d = p - kCentre;
  const float r = Length(d);
  if (p.y > -7) {
    const Vec3 n = d * (1 / std::max(0.1F, r));
    const float least = skull.Radius(n) + layer;
    if (r < least) p = kCentre + n * least;
    if (p.z > 1.5F && p.y < 8.2F && std::abs(p.x) < 7.4F) p.x = std::copysign(7.4F, p.x);
  } else {
    const float across = std::hypot(p.x, p.z + 1.5F), least = 6.4F + layer;
    if (across < least) {
      const float k = least / std::max(0.1F, across);
      p = {p.x * k, p.y, (p.z + 1.5F) * k - 1.5F};
    }
    const float shoulder = -12.2F - 0.42F * std::max(0.0F, std::abs(p.x) - 6);
    if (p.y < shoulder) p.z += (p.z > -1.5F ? 1.0F : -1.0F) * 0.35F * std::min(1.0F, shoulder - p.y);
  }
  return p;
}

struct Ribbon {
  std::vector<Vec3> line;
  float width;
};

void AppendRibbon(AttachedMesh& to, const Ribbon& ribbon, Vec3 colour, float brighter_tips,
                  std::int32_t anchor, int number) {
  if (ribbon.line.size() < 2) return;
  const auto base = static_cast<std::int32_t>(to.mesh.positions.size());
  const auto n = ribbon.line.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Vec3 p = ribbon.line[i];
    const Vec3 along = Normalised(ribbon.line[std::min(i + 1, n - 1)] - ribbon.line[i > 0 ? i - 1 : 0]);
    const Vec3 out = Normalised(p - kCentre);
    const Vec3 across = Normalised(Cross(along, out));
    const float t = static_cast<float>(i) / static_cast<float>(n - 1);
    // Roots lie in the shade of what grows above them.
    const Vec3 shade = colour * (0.62F + 0.38F * std::min(1.0F, 2.2F * t) + brighter_tips * t);
    for (const float s : {-0.5F, 0.5F}) {
      to.mesh.positions.push_back(p + across * (s * ribbon.width));
      to.mesh.directions.push_back(along);
      to.mesh.colours.push_back(shade);
      to.mesh.texcoords.push_back({static_cast<float>(number) + (s < 0 ? 0.001F : 0.999F), t});
      to.anchor.push_back(anchor);
    }
  }
  for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(n); ++i) {
    const std::int32_t a = base + 2 * i;
    to.mesh.triangles.push_back({a, a + 1, a + 2});
    to.mesh.triangles.push_back({a + 1, a + 3, a + 2});
  }
}

Vec3 OutOf(std::span<const Vec3> shape, const MeshTriangle& t) {
  const auto at = [&](std::size_t k) { return shape[static_cast<std::size_t>(t[k])]; };
  return Normalised(Cross(at(1) - at(0), at(2) - at(0)));
}

Vec3 PlaceIn(std::span<const Vec3> shape, const MeshTriangle& t, Random& random) {
  float a = random.Uniform(), b = random.Uniform();
  if (a + b > 1) {
    a = 1 - a;
    b = 1 - b;
  }
  const auto at = [&](std::size_t k) { return shape[static_cast<std::size_t>(t[k])]; };
  return at(0) + (at(1) - at(0)) * a + (at(2) - at(0)) * b;
}

class Grower {
 public:
  Grower(const Person& person, std::span<const Vec3> shape, Random& random)
      : person_(person), shape_(shape), random_(random), skull_(shape), cut_(CutOf(person, random)) {}

  const Cut& cut() const { return cut_; }
  Ribbon Hair(Vec3 root, Vec3 outwards) {
    const float top = SmoothStep(6, 10.5F, root.y);
    float length = (cut_.sides + (cut_.top - cut_.sides) * top) * random_.Uniform(0.75F, 1.1F);
    // Shorter towards the neck and the ears.
    if (cut_.sides < 5) length *= 0.45F + 0.55F * SmoothStep(-5, 5, root.y);
    const float layer = cut_.layer * random_.Uniform(0.15F, 1);
    const int steps = std::clamp(static_cast<int>(length / (cut_.curl > 0.25F ? 0.8F : 1.1F)), 3, 16);
    const float step = length / static_cast<float>(steps), phase = random_.Uniform(0, 2 * kPi);
    Ribbon ribbon{{}, cut_.width * random_.Uniform(0.7F, 1.3F)};
    const Vec3 comb = Combed(cut_, root, root, outwards);
    const Vec3 stray{random_.Normal(), random_.Normal(), random_.Normal()};
    Vec3 direction =
        Normalised(outwards * (0.15F + cut_.lift) + comb * (1.1F - 0.6F * cut_.lift) + stray * 0.16F);
    Vec3 p = root - outwards * 0.1F;
    ribbon.line.push_back(p);
    for (int k = 1; k <= steps; ++k) {
      const Vec3 out = Normalised(p - kCentre);
      const Vec3 wish = Combed(cut_, p, root, out);
      const float turn = cut_.lift > 0.95F ? 0.05F : 0.35F;
      direction = Normalised(Mix(direction, wish, turn) + Vec3{0, -0.35F * cut_.weight, 0});
      p = p + direction * step;
      p = KeepOff(p, skull_, layer * std::min(1.0F, 0.4F + 0.3F * static_cast<float>(k)));
      if (p.y < cut_.floor) break;
      Vec3 shown = p;
      if (cut_.curl > 0) {
        const float angle = phase + 2 * kPi * static_cast<float>(k) * step / cut_.wave,
                    grown = cut_.curl * std::min(1.0F, 0.35F * static_cast<float>(k));
        const Vec3 side = Normalised(Cross(direction, out));
        shown += side * (grown * std::cos(angle)) + out * (0.7F * grown * std::sin(angle));
      }
      ribbon.line.push_back(shown);
    }
    return ribbon;
  }
  Ribbon Whisker(Vec3 root, Vec3 outwards, float length, bool moustache) {
    Ribbon ribbon{{}, 0.38F * random_.Uniform(0.7F, 1.2F)};
    const float side = root.x > 0 ? 1.0F : -1.0F;
    const Vec3 comb =
        moustache ? Normalised(Vec3{side * 0.9F, -0.75F, 0.1F}) : Normalised(Vec3{0.1F * side, -1, 0.25F});
    const Vec3 stray{random_.Normal(), random_.Normal(), random_.Normal()};
    const Vec3 direction = Normalised(comb + outwards * 0.45F + stray * 0.18F);
    for (int k = 0; k <= 3; ++k)
      ribbon.line.push_back(root + direction * (length * static_cast<float>(k) / 3) +
                            Vec3{0, -0.05F * static_cast<float>(k), 0} - outwards * 0.03F);
    return ribbon;
  }
  Vec3 Tint() {
    // Streaks: neighbouring strands differ.
    const float shade = std::exp(random_.Normal(0, 0.16F));
    return person_.hair_colour * shade;
  }

 private:
  const Person& person_;
  std::span<const Vec3> shape_;
  Random& random_;
  SkullMap skull_;
  Cut cut_;
};

// A knot of hair behind the head.
void AddBun(AttachedMesh& to, const Person& person, Random& random) {
  const Vec3 centre{0, random.Uniform(5, 13), -10.5F};
  const float radius = random.Uniform(1.8F, 3);
  for (int i = 0; i < 90; ++i) {
    const Vec3 n = Normalised(Vec3{random.Normal(), random.Normal(), random.Normal()});
    const Vec3 u = Normalised(Cross(n, Vec3{0.3F, 1, 0.2F}));
    Ribbon ribbon{{}, 0.8F};
    for (int k = 0; k <= 5; ++k) {
      const float a = 0.35F * static_cast<float>(k);
      ribbon.line.push_back(centre + (n * std::cos(a) + u * std::sin(a)) * radius);
    }
    AppendRibbon(to, ribbon, person.hair_colour * std::exp(random.Normal(0, 0.15F)), 0, 0, i);
  }
}

}  // namespace

HairSalon::HairSalon(const FaceModel& model) {
  const internal::FaceTopology topology = internal::MakeTopology(model);
  for (const FacePart part : {FacePart::kSkin, FacePart::kHead}) {
    for (const MeshTriangle& t : topology.Of(part)) {
      const auto at = [&](std::size_t k) { return model.neutral[static_cast<std::size_t>(t[k])]; };
      const Vec3 middle = (at(0) + at(1) + at(2)) * (1.0F / 3);
      const float area = 0.5F * Length(Cross(at(1) - at(0), at(2) - at(0)));
      const internal::BeardZones zones = internal::BeardAt(middle);
      Patch patch{t,
                  internal::ScalpDistance(middle),
                  internal::Recedes(middle),
                  std::max(zones.cheeks, 0.6F * zones.neck),
                  zones.moustache,
                  zones.chin,
                  area,
                  middle};
      if (patch.scalp > -0.8F && internal::OnEar(middle) < 0.3F) scalp_.push_back(patch);
      if (zones.Any() > 0.2F) beard_.push_back(patch);
    }
  }
}

std::vector<AttachedMesh> HairSalon::Dress(const Person& person, std::span<const Vec3> neutral) const {
  Random random(person.seed, 0, 32);
  Grower grower(person, neutral, random);
  const Cut& cut = grower.cut();
  std::vector<AttachedMesh> result;
  const auto start = [&](float density) {
    AttachedMesh hair;
    hair.mesh.part = FacePart::kHair;
    hair.mesh.density = density;
    hair.mesh.gloss = 0.5F + 0.9F * (1 - person.hair_curl) * (1 - 0.6F * person.grey);
    return hair;
  };
  if (cut.ribbons > 0) {
    AttachedMesh hair = start(cut.density);
    float total = 0;
    for (const Patch& patch : scalp_) total += patch.area;
    const float rate = static_cast<float>(cut.ribbons) / total;
    int number = 0;
    for (const Patch& patch : scalp_) {
      const float inside = patch.scalp - person.hairline * patch.recedes;
      // The front edge is where one looks: more and finer hair there.
      const float edge = inside < 1.2F && patch.at.z > 1 ? 1.7F : 1.0F;
      float due = rate * edge * patch.area * SmoothStep(-0.35F, 0.5F, inside);
      if (random.Chance(due - std::floor(due))) due += 1;
      for (int i = 0; i < static_cast<int>(due); ++i) {
        const Vec3 root = PlaceIn(neutral, patch.triangle, random), out = OutOf(neutral, patch.triangle);
        Ribbon ribbon = grower.Hair(root, out);
        if (edge > 1) ribbon.width *= 0.7F;
        AppendRibbon(hair, ribbon, grower.Tint(), 0.12F, patch.triangle[0], number++);
      }
    }
    if (cut.back) AddBun(hair, person, random);
    result.push_back(std::move(hair));
  }
  const bool whole = person.beard == BeardStyle::kFull, goatee = person.beard == BeardStyle::kGoatee,
             lip = person.beard == BeardStyle::kMoustache;
  if (whole || goatee || lip) {
    AttachedMesh beard = start(0.55F);
    beard.mesh.gloss *= 0.5F;
    const float length = random.Uniform(0.35F, whole ? 2.2F : 1.1F);
    int number = 0;
    for (const Patch& patch : beard_) {
      const float hairs =
          std::max({patch.moustache, goatee || whole ? patch.chin : 0.0F, whole ? patch.beard : 0.0F});
      float due = 7 * (0.5F + 0.5F * person.beard_density) * patch.area * (hairs > 0.35F ? hairs : 0);
      if (random.Chance(due - std::floor(due))) due += 1;
      for (int i = 0; i < static_cast<int>(due); ++i) {
        const Vec3 root = PlaceIn(neutral, patch.triangle, random), out = OutOf(neutral, patch.triangle);
        const bool moustache = patch.moustache > std::max(patch.chin, patch.beard);
        const float cheek = patch.beard > patch.chin && !moustache ? 0.55F : 1.0F;
        AppendRibbon(
            beard,
            grower.Whisker(root, out,
                           std::min(length, moustache ? 0.9F : 3.0F) * cheek * random.Uniform(0.7F, 1.2F),
                           moustache),
            grower.Tint() * 0.9F, 0.1F, patch.triangle[0], number++);
      }
    }
    result.push_back(std::move(beard));
  }
  return result;
}

}  // namespace auforge::datasets::synthetic
