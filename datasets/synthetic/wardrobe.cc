#include "datasets/synthetic/wardrobe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/internal/noise.h"
#include "datasets/synthetic/internal/skull_map.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;
constexpr Vec3 kNeck{0, -11, -1.5F};  // its middle, where collars begin

float Round(Vec3 p) {
  return std::atan2(p.x - kNeck.x, p.z - kNeck.z);
}  // 0 in front, rising to the subject's left

// Height of the neckline at an angle round the neck, cm.
float Neckline(Garment garment, float angle) {
  const float front = 0.5F + 0.5F * std::cos(angle);  // 1 in front, 0 behind
  const float forward = std::pow(front, 3.0F);
  switch (garment) {
    case Garment::kTshirt:
      return -11.6F - 3.4F * forward;
    case Garment::kShirt:
      return -10.2F - 3.0F * std::pow(front, 8.0F);
    case Garment::kJacket:
      return -10.4F - 1.5F * std::pow(front, 8.0F);
    case Garment::kRollneck:
      return -9.2F - 0.5F * forward;
    case Garment::kDeepNeck:
      return -11.8F - 7.5F * std::pow(front, 2.0F);
  }
  return -11;
}

// What a place of the clothes shows.
Vec3 ClothAt(const Outfit& o, Vec3 p) {
  const float x = std::abs(p.x);
  Vec3 colour = o.cloth;
  if (o.garment == Garment::kJacket && p.z > 0) {
    // The jacket opens as a V that closes below the picture.
    const float opening = 6.8F - 0.30F * std::max(0.0F, -11 - p.y);
    const float lapel = opening + 2.6F - 0.05F * std::max(0.0F, -11 - p.y);
    if (x < opening) {
      colour = o.shirt;
      const float width = 0.9F + 0.09F * std::max(0.0F, -12 - p.y);
      if (o.has_tie && p.y < -11.0F && x < width) {
        colour = o.tie;
        if (o.pattern != 0 && std::sin(2.2F * (p.x + p.y)) > 0.5F)
          colour = Mix(o.tie, Vec3{0.6F, 0.6F, 0.6F}, 0.6F);
      }
      return colour;
    }
    if (x < lapel) return o.cloth * (x > lapel - 0.35F ? 0.45F : 1.12F);
  }
  if (o.garment == Garment::kShirt && p.z > 0 && x < 0.9F) colour = o.cloth * (x > 0.7F ? 0.6F : 1.04F);
  const float fold = 1 + 0.22F * internal::Noise(Vec3{p.x, p.y * 0.7F, p.z} * 0.30F, 12);
  if (o.pattern == 1 && std::sin(p.y * 2.6F) > 0) colour = Mix(colour, o.shirt, 0.7F);
  if (o.pattern == 2)
    colour =
        colour * ((std::sin(p.y * 1.6F) > 0.6F ? 0.7F : 1.0F) * (std::sin(p.x * 1.6F) > 0.6F ? 0.7F : 1.0F));
  return colour * fold;
}

Vec3 AnyColour(Random& random) {
  const float value = std::exp(random.Uniform(-3.6F, -0.25F)), strong = random.Uniform() * random.Uniform(),
              hue = random.Uniform(0, 2 * kPi);
  return Vec3{1 + strong * std::cos(hue), 1 + strong * std::cos(hue - 2.1F),
              1 + strong * std::cos(hue + 2.1F)} *
         (0.7F * value);
}

}  // namespace

Outfit SampleOutfit(const Person& person, Random& random) {
  Outfit o;
  const float u = random.Uniform();
  o.garment = u < 0.35F   ? Garment::kTshirt
              : u < 0.55F ? Garment::kShirt
              : u < 0.78F ? Garment::kJacket
              : u < 0.88F ? Garment::kRollneck
                          : Garment::kDeepNeck;
  if (o.garment == Garment::kDeepNeck && person.femininity < 0.5F) o.garment = Garment::kTshirt;
  o.cloth = AnyColour(random);
  o.shirt = random.Chance(0.6F) ? Vec3{0.72F, 0.68F, 0.66F} : AnyColour(random);
  o.tie = AnyColour(random) * 0.6F;
  o.has_tie = o.garment == Garment::kJacket && person.femininity < 0.5F && random.Chance(0.7F);
  if (o.garment == Garment::kJacket) o.cloth = o.cloth * 0.35F;
  o.pattern = random.Chance(0.7F) ? 0 : 1 + random.Index(2);
  const float hat = random.Uniform();
  if (hat < 0.06F) o.hat = Outfit::Hat::kBeanie;
  if (hat > 0.95F && person.femininity > 0.5F) o.hat = Outfit::Hat::kScarf;
  o.hat_colour = AnyColour(random);
  return o;
}

Wardrobe::Wardrobe(const FaceModel& model) {
  const internal::FaceTopology topology = internal::MakeTopology(model);
  std::map<std::pair<std::int32_t, std::int32_t>, int> sides;
  for (const FacePart part : {FacePart::kSkin, FacePart::kHead}) {
    for (const MeshTriangle& t : topology.Of(part)) {
      for (std::size_t k = 0; k < 3; ++k) ++sides[std::minmax(t[k], t[(k + 1) % 3])];
    }
  }
  for (const auto& [edge, count] : sides) {
    if (count != 1) continue;
    for (const std::int32_t v : {edge.first, edge.second}) {
      if (model.neutral[static_cast<std::size_t>(v)].y < -13) rim_.push_back(v);
    }
  }
  std::sort(rim_.begin(), rim_.end());
  rim_.erase(std::unique(rim_.begin(), rim_.end()), rim_.end());
  std::sort(rim_.begin(), rim_.end(), [&](std::int32_t a, std::int32_t b) {
    return Round(model.neutral[static_cast<std::size_t>(a)]) <
           Round(model.neutral[static_cast<std::size_t>(b)]);
  });
}

void Wardrobe::PaintBody(const Outfit& outfit, const AtlasPage& page, cv::Mat& texture) const {
  auto* out = texture.ptr<cv::Vec4b>();
  for (std::size_t i = 0; i < page.position.size(); ++i) {
    const Vec3 p = page.position[i];
    // Not the underside of the chin, which reaches as far down as a high collar does in front.
    if (p.y > -8.5F || (p.z > 5.0F && p.y > -11.5F)) continue;
    const float below = Neckline(outfit.garment, Round(p)) - p.y;
    if (below < 0) continue;
    const Vec3 c = ClothAt(outfit, p) * (below < 0.55F ? 0.72F : 1.0F);
    const auto byte = [](float v) {
      return static_cast<std::uint8_t>(std::clamp(255 * std::sqrt(std::max(0.0F, v)), 0.0F, 255.0F));
    };
    out[i] = {byte(c.x), byte(c.y), byte(c.z), 0};
  }
}

namespace {

void AddPoint(AttachedMesh& to, Vec3 p, Vec3 normal, Vec3 colour, std::int32_t anchor) {
  to.mesh.positions.push_back(p);
  to.mesh.directions.push_back(Normalised(normal));
  to.mesh.colours.push_back(colour);
  to.anchor.push_back(anchor);
}

// Joins rings of n points each, closed all round.
void JoinRings(AttachedMesh& to, std::int32_t first, std::int32_t n, std::int32_t rings) {
  for (std::int32_t r = 0; r + 1 < rings; ++r) {
    for (std::int32_t i = 0; i < n; ++i) {
      const std::int32_t a = first + r * n + i, b = first + r * n + (i + 1) % n, c = a + n, d = b + n;
      to.mesh.triangles.push_back({a, c, b});
      to.mesh.triangles.push_back({b, c, d});
    }
  }
}

// From the body's edge over the shoulders and down.
AttachedMesh Skirt(const Outfit& outfit, std::span<const Vec3> neutral,
                   const std::vector<std::int32_t>& rim) {
  AttachedMesh skirt;
  skirt.mesh.part = FacePart::kCloth;
  skirt.mesh.gloss = 0.03F;
  constexpr int kRings = 14;
  for (int ring = 0; ring < kRings; ++ring) {
    const float t = static_cast<float>(ring) / (kRings - 1),
                round = std::sin(std::min(1.0F, 1.6F * t) * kPi / 2);
    for (const std::int32_t v : rim) {
      const Vec3 base = neutral[static_cast<std::size_t>(v)];
      const float aside = SmoothStep(2, 12, std::abs(base.x));
      const float ahead = base.z > -1 ? 1.0F : -1.0F;
      const Vec3 moved{std::copysign(aside * 7.5F * round, base.x) + base.x * 0.10F * t,
                       -(4.0F * t + 22 * t * t) - (1 - aside) * 4 * t, ahead * (1 - aside) * (2.2F * round)};
      const Vec3 p = base + moved;
      const Vec3 normal{std::copysign(aside * (0.35F + 0.8F * t), base.x), aside * (1 - t),
                        ahead * (1.0F - 0.6F * aside)};
      AddPoint(skirt, p, normal, ClothAt(outfit, p), rim.front());
    }
  }
  JoinRings(skirt, 0, static_cast<std::int32_t>(rim.size()), kRings);
  return skirt;
}

// A band that stands round the neck.
AttachedMesh Collar(const Outfit& outfit, std::int32_t anchor) {
  AttachedMesh collar;
  collar.mesh.part = FacePart::kCloth;
  collar.mesh.gloss = 0.03F;
  const bool folded = outfit.garment == Garment::kShirt || outfit.garment == Garment::kJacket;
  const Vec3 colour = outfit.garment == Garment::kJacket ? outfit.shirt : outfit.cloth;
  constexpr std::int32_t kAround = 40;
  const std::int32_t rings = folded ? 4 : 3;
  for (std::int32_t ring = 0; ring < rings; ++ring) {
    for (std::int32_t i = 0; i < kAround; ++i) {
      const float angle = -kPi + 2 * kPi * (static_cast<float>(i) + 0.5F) / kAround;
      const float line = Neckline(outfit.garment, angle), front = 0.5F + 0.5F * std::cos(angle);
      float radius, height;
      if (folded) {
        // Up inside, over, and down outside; the points hang lower in front.
        constexpr std::array<float, 4> kOut{-0.2F, 0.15F, 0.55F, 1.1F}, kUp{-0.6F, 1.3F, 1.0F, -0.9F};
        radius = kOut[static_cast<std::size_t>(ring)];
        height = line + kUp[static_cast<std::size_t>(ring)] - (ring == 3 ? 1.6F * std::pow(front, 6.0F) : 0);
      } else {
        const float high = outfit.garment == Garment::kRollneck ? 1.6F : 0.25F;
        radius = 0.05F + 0.25F * static_cast<float>(ring == 1);
        height = line + high * (1 - static_cast<float>(ring));
      }
      const float forward =
          std::max(0.0F, -11 - height) * 0.42F * front;  // the chest comes forward as it goes down
      const float wide = std::max(0.0F, -11 - height) * 0.9F * (1 - front);
      const Vec3 p{(6.0F + wide + radius) * std::sin(angle), height,
                   kNeck.z + (5.6F + forward + radius) * std::cos(angle)};
      AddPoint(collar, p, {std::sin(angle), 0.25F, std::cos(angle)}, colour * (ring == 0 ? 0.6F : 1.0F),
               anchor);
    }
  }
  for (std::int32_t r = 0; r + 1 < rings; ++r) {
    for (std::int32_t i = 0; i < kAround; ++i) {
      if (folded && (i == kAround / 2 - 1)) continue;  // open in front
      const std::int32_t a = r * kAround + i, b = r * kAround + (i + 1) % kAround, c = a + kAround,
                         d = b + kAround;
      collar.mesh.triangles.push_back({a, c, b});
      collar.mesh.triangles.push_back({b, c, d});
    }
  }
  return collar;
}

// A shell round the skull from the crown to an edge.
AttachedMesh Hat(const Outfit& outfit, std::span<const Vec3> neutral) {
  AttachedMesh hat;
  hat.mesh.part = FacePart::kCloth;
  hat.mesh.gloss = 0.02F;
  const bool scarf = outfit.hat == Outfit::Hat::kScarf;
  constexpr std::int32_t kAround = 44;
  constexpr int kRings = 12;
  const Vec3 centre = internal::kSkullCentre;
  const internal::SkullMap skull(neutral);
  for (int ring = 0; ring < kRings; ++ring) {
    for (std::int32_t i = 0; i < kAround; ++i) {
      const float angle = -kPi + 2 * kPi * static_cast<float>(i) / kAround;
      const float t = static_cast<float>(ring) / (kRings - 1);
      // Down to above the brows in front; a beanie covers the ears' tops, a scarf everything round the face.
      const float aside = std::abs(angle);
      const float edge = scarf ? 0.98F + 1.20F * SmoothStep(0.85F, 1.45F, aside)
                               : 1.05F + 0.55F * SmoothStep(0.3F, 1.8F, aside);
      const float tilt = 0.05F + t * edge;  // angle from the crown
      const Vec3 direction{std::sin(tilt) * std::sin(angle), std::cos(tilt),
                           std::sin(tilt) * std::cos(angle)};
      float radius = 0;
      for (const Vec3 around :
           {Vec3{}, Vec3{0.12F, 0, 0}, Vec3{-0.12F, 0, 0}, Vec3{0, 0.12F, 0}, Vec3{0, 0, 0.12F}}) {
        radius = std::max(radius, skull.Radius(Normalised(direction + around)));
      }
      const Vec3 p =
          centre + direction * (radius + (scarf ? 0.30F : 0.55F) + 0.12F * internal::Noise(direction * 4, 9));
      const float knit = scarf ? 1 : 1 + 0.18F * std::sin(angle * 40);
      const Vec3 colour = outfit.hat_colour * (knit * (!scarf && t > 0.82F ? 0.8F : 1.0F));
      AddPoint(hat, p, p - centre, colour, 0);
    }
  }
  JoinRings(hat, 0, kAround, kRings);
  if (!scarf) return hat;
  const auto last = static_cast<std::int32_t>(hat.mesh.positions.size()) - kAround;
  // The scarf falls from its edge over neck and shoulders.
  for (int ring = 1; ring <= 5; ++ring) {
    for (std::int32_t i = 0; i < kAround; ++i) {
      const float angle = -kPi + 2 * kPi * static_cast<float>(i) / kAround, t = static_cast<float>(ring) / 5,
                  ahead = 0.5F + 0.5F * std::cos(angle);
      if (ahead > 0.73F) {
        AddPoint(hat, hat.mesh.positions[static_cast<std::size_t>(last + i)], {0, 0, 1}, outfit.hat_colour,
                 0);
        continue;
      }
      const Vec3 from = hat.mesh.positions[static_cast<std::size_t>(last + i)];
      const Vec3 to{10.5F * std::sin(angle), -15, -1 + 8.5F * std::cos(angle)};
      const Vec3 p =
          Mix(from, to, t) + Vec3{0.8F * std::sin(angle), 0, 0.8F * std::cos(angle)} * std::sin(t * kPi);
      AddPoint(hat, p, {std::sin(angle), 0.1F, std::cos(angle)},
               outfit.hat_colour * (1 + 0.2F * internal::Noise(p * 0.6F, 3)), 0);
    }
  }
  JoinRings(hat, last, kAround, 6);
  return hat;
}

}  // namespace

std::vector<AttachedMesh> Wardrobe::Dress(const Outfit& outfit, std::span<const Vec3> neutral) const {
  std::vector<AttachedMesh> clothes;
  clothes.push_back(Skirt(outfit, neutral, rim_));
  // T-shirts and low necklines end in the hem that is painted on the skin.
  const bool stands = outfit.garment != Garment::kTshirt && outfit.garment != Garment::kDeepNeck;
  if (stands) clothes.push_back(Collar(outfit, rim_.front()));
  if (outfit.hat != Outfit::Hat::kNone) clothes.push_back(Hat(outfit, neutral));
  return clothes;
}

}  // namespace auforge::datasets::synthetic
