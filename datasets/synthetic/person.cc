#include "datasets/synthetic/person.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/synthetic/skin_painter.h"

namespace auforge::datasets::synthetic {
namespace {

struct HairColour {
  Vec3 bgr;
  float light_skin, dark_skin;  // how often
};
constexpr std::array<HairColour, 7> kHairColours{{{{0.010F, 0.011F, 0.013F}, 0.18F, 0.80F},
                                                  {{0.016F, 0.022F, 0.036F}, 0.26F, 0.16F},
                                                  {{0.027F, 0.046F, 0.085F}, 0.24F, 0.03F},
                                                  {{0.055F, 0.10F, 0.17F}, 0.14F, 0.005F},
                                                  {{0.12F, 0.23F, 0.36F}, 0.09F, 0.003F},
                                                  {{0.20F, 0.34F, 0.47F}, 0.05F, 0.002F},
                                                  {{0.022F, 0.058F, 0.19F}, 0.04F, 0}}};
constexpr Vec3 kGrey{0.40F, 0.42F, 0.43F};

struct EyeColour {
  Vec3 middle, rim;
  float light_skin;
};
constexpr std::array<EyeColour, 6> kEyeColours{{{{0.016F, 0.028F, 0.055F}, {0.008F, 0.012F, 0.024F}, 0.22F},
                                                {{0.028F, 0.052F, 0.10F}, {0.012F, 0.022F, 0.045F}, 0.22F},
                                                {{0.045F, 0.095F, 0.14F}, {0.03F, 0.05F, 0.06F}, 0.14F},
                                                {{0.09F, 0.15F, 0.13F}, {0.06F, 0.07F, 0.06F}, 0.12F},
                                                {{0.27F, 0.21F, 0.14F}, {0.13F, 0.09F, 0.05F}, 0.20F},
                                                {{0.24F, 0.23F, 0.20F}, {0.11F, 0.10F, 0.08F}, 0.10F}}};

template <std::size_t N, typename T, typename Weight>
const T& Pick(const std::array<T, N>& list, Random& random, const Weight& weight) {
  float total = 0;
  for (const T& t : list) total += weight(t);
  float at = random.Uniform() * total;
  for (const T& t : list) {
    at -= weight(t);
    if (at < 0) return t;
  }
  return list.front();
}

float Clamped(Random& random, float mean, float deviation, float low, float high) {
  return std::clamp(random.Normal(mean, deviation), low, high);
}

void SampleSkin(Random& random, Person& p) {
  // Even over the whole human range rather than over any population.
  const float tone = random.Uniform();
  p.melanin = 0.10F + 2.2F * std::pow(tone, 1.45F);
  p.haemoglobin = Clamped(random, 0.20F, 0.06F, 0.08F, 0.4F);
  p.blotches = random.Uniform(0.15F, 0.9F);
  p.freckles = tone < 0.35F && random.Chance(0.25F) ? random.Uniform(0.3F, 1) : random.Uniform(0, 0.15F);
  p.spots = std::clamp(random.Uniform(0, 0.5F) + 0.5F * (p.age - 0.4F), 0.0F, 1.0F);
  p.gloss = Clamped(random, 0.45F, 0.2F, 0.05F, 1);
  p.wrinkle_depth = std::clamp(p.age * 1.05F + random.Normal(-0.05F, 0.12F), 0.0F, 1.0F);
}

void SampleHair(Random& random, Person& p) {
  const float dark = SmoothStep(0.4F, 1.2F, p.melanin);
  const HairColour& colour = Pick(kHairColours, random, [dark](const HairColour& c) { return c.light_skin * (1 - dark) + c.dark_skin * dark; });
  p.grey = std::clamp((p.age - 0.42F) * 2.2F + random.Normal(0, 0.22F), 0.0F, 1.0F);
  if (p.femininity > 0.5F && random.Chance(0.5F)) p.grey *= 0.3F;  // dyed
  const float brighter = random.Uniform(0.75F, 1.35F);
  p.hair_colour = Mix(colour.bgr * brighter, kGrey * random.Uniform(0.6F, 1.15F), p.grey * p.grey);
  if (random.Chance(0.02F)) p.hair_colour = {random.Uniform(0.03F, 0.4F), random.Uniform(0.03F, 0.3F), random.Uniform(0.03F, 0.4F)};
  p.brow_colour = Mix(colour.bgr * random.Uniform(0.7F, 1.1F), kGrey, 0.45F * p.grey * p.grey);
  // Brows grey later than hair, and sparse: what shows is darker than the skin.
  const float most = 0.55F * SkinReflectance(p.melanin, p.haemoglobin).y;
  p.brow_colour = p.brow_colour * std::min(1.0F, most / p.brow_colour.y);
  p.hair_length = random.Uniform();
  p.hair_volume = random.Uniform();
  p.hair_curl = random.Uniform() * random.Uniform();
  p.hairline = random.Normal(0, 0.35F);

  const float u = random.Uniform();
  if (p.femininity > 0.5F) {
    constexpr std::array<HairStyle, 12> kStyles{HairStyle::kLong,  HairStyle::kLong,     HairStyle::kMedium, HairStyle::kMedium,
                                                HairStyle::kBob,   HairStyle::kTiedBack, HairStyle::kTiedBack, HairStyle::kFringe,
                                                HairStyle::kShort, HairStyle::kCurly,    HairStyle::kSidePart, HairStyle::kBob};
    p.hair = kStyles[static_cast<std::size_t>(u * 12)];
  } else {
    constexpr std::array<HairStyle, 12> kStyles{HairStyle::kShort, HairStyle::kShort, HairStyle::kSidePart, HairStyle::kSidePart,
                                                HairStyle::kBuzz,  HairStyle::kBuzz,  HairStyle::kShaved,   HairStyle::kBald,
                                                HairStyle::kShort, HairStyle::kCurly, HairStyle::kMedium,   HairStyle::kFringe};
    p.hair = kStyles[static_cast<std::size_t>(u * 12)];
    p.hairline += std::max(0.0F, random.Normal(p.age * 2.2F - 0.6F, 0.9F));
    if (p.age > 0.45F && random.Chance(0.2F)) p.hair = HairStyle::kBald;
  }
  if (dark > 0.6F && random.Chance(0.6F)) {
    p.hair_curl = random.Uniform(0.7F, 1);
    if (p.hair == HairStyle::kSidePart || p.hair == HairStyle::kShort || p.hair == HairStyle::kFringe) p.hair = random.Chance(0.5F) ? HairStyle::kBuzz : HairStyle::kAfro;
    if (p.hair == HairStyle::kMedium || p.hair == HairStyle::kBob) p.hair = random.Chance(0.5F) ? HairStyle::kCurly : HairStyle::kAfro;
  }
  p.hairline = std::clamp(p.hairline, -0.7F, 4.0F);
}

void SampleBeard(Random& random, Person& p) {
  if (p.femininity > 0.5F) return;
  const float u = random.Uniform();
  p.beard = u < 0.28F   ? BeardStyle::kNone
            : u < 0.50F ? BeardStyle::kShadow
            : u < 0.68F ? BeardStyle::kStubble
            : u < 0.76F ? BeardStyle::kMoustache
            : u < 0.85F ? BeardStyle::kGoatee
                        : BeardStyle::kFull;
  p.beard_density = random.Uniform(0.35F, 1);
}

void SampleMakeUp(Random& random, Person& p) {
  p.lip_colour = random.Uniform(0.25F, 0.75F);
  if (p.femininity <= 0.5F) return;
  if (random.Chance(0.5F)) {
    p.lip_colour = random.Uniform(0.8F, 1);
    p.lipstick = {random.Uniform(0.2F, 1.3F), random.Uniform(0.5F, 1.6F), random.Uniform(0, 0.45F)};
  }
  if (random.Chance(0.4F)) p.eye_shadow = random.Uniform(0.2F, 1);
  if (random.Chance(0.55F)) p.liner = random.Uniform(0.3F, 1);
  if (random.Chance(0.4F)) p.blush = random.Uniform(0.2F, 1);
}

}  // namespace

Person SamplePerson(const FaceModel& model, Random& random) {
  Person p;
  p.seed = static_cast<std::uint32_t>(random.Bits() >> 32);
  p.identity.resize(model.identities.size());
  for (float& w : p.identity) w = std::clamp(random.Normal(0, 0.85F), -2.2F, 2.2F);
  p.age = std::pow(random.Uniform(), 1.25F);
  p.femininity = random.Chance(0.5F) ? random.Uniform(0.55F, 1) : random.Uniform(0, 0.45F);
  SampleSkin(random, p);
  SampleHair(random, p);
  SampleBeard(random, p);
  SampleMakeUp(random, p);
  const float bushy = p.femininity > 0.5F ? 0.35F : 0.6F;
  p.brow_thickness = Clamped(random, bushy, 0.18F, 0.08F, 1);
  p.brow_density = Clamped(random, 0.72F - 0.15F * p.age, 0.15F, 0.25F, 1);
  p.brow_arch = random.Uniform();
  p.brow_offset = random.Normal(0, 0.08F);
  const float dark = SmoothStep(0.5F, 1.1F, p.melanin);
  const EyeColour& eye = Pick(kEyeColours, random, [&](const EyeColour& c) { return c.light_skin * (1 - dark) + (&c == &kEyeColours[0] ? dark : 0); });
  const float shade = random.Uniform(0.7F, 1.35F);
  p.eyes.iris = eye.middle * shade;
  p.eyes.iris_rim = eye.rim * shade;
  p.eyes.iris_angle = Clamped(random, 24.5F, 0.9F, 22, 27);
  p.eyes.redness = random.Uniform(0, 0.6F);
  p.eyes.white = 1 - 0.2F * SmoothStep(0.4F, 1.6F, p.melanin);
  p.eyes.seed = p.seed ^ 0x51ED270BU;
  p.eyes.lashes = static_cast<float>(p.eyes.seed >> 16U) / 65535;
  const float yellow = random.Uniform(0, 0.30F), bright = random.Uniform(0.75F, 1.1F);
  p.mouth.teeth = Vec3{0.62F - 0.6F * yellow, 0.66F - 0.25F * yellow, 0.69F} * bright;
  const float gum = 1 - 0.25F * dark;
  p.mouth.gums = Vec3{0.17F, 0.16F, 0.42F} * gum;
  p.mouth.tongue = Vec3{0.18F, 0.17F, 0.44F} * gum;
  p.wrinkle_variant = random.Index(1 << 16);
  return p;
}

}  // namespace auforge::datasets::synthetic
