#include "datasets/synthetic/internal/hair_cut.h"

namespace auforge::datasets::synthetic::internal {

Cut CutOf(const Person& p, Random& random) {
  Cut c;
  const float length = p.hair_length, volume = p.hair_volume;
  c.curl = 0.55F * p.hair_curl;
  c.wave = random.Uniform(1.6F, 4);
  const float side = random.Chance(0.5F) ? 1.0F : -1.0F;
  switch (p.hair) {
    case HairStyle::kBald:
      c.ribbons = 0;
      break;
    case HairStyle::kShaved:
      c.ribbons = 0;
      break;
    case HairStyle::kBuzz:
      c = {.top = 0.5F + 0.5F * length,
           .sides = 0.3F + 0.3F * length,
           .lift = 0.9F,
           .weight = 0,
           .layer = 0.1F,
           .ribbons = 900,
           .width = 0.8F,
           .density = 0.65F};
      break;
    case HairStyle::kShort:
      c.top = 2.5F + 2.5F * length;
      c.sides = 0.9F + 1.4F * length;
      c.lift = 0.35F + 0.45F * volume;
      c.layer = 0.25F + 0.7F * volume;
      c.top_direction = Normalised(Vec3{side * random.Uniform(0, 0.9F), 0.1F, random.Uniform(-0.8F, 0.9F)});
      c.ribbons = 1000;
      c.width = 0.6F;
      break;
    case HairStyle::kSidePart:
      c = {.top = 6 + 3 * length,
           .sides = 1.8F + 1.5F * length,
           .lift = 0.3F + 0.4F * volume,
           .weight = 0.25F,
           .curl = c.curl * 0.5F,
           .wave = c.wave,
           .layer = 0.4F + 0.9F * volume,
           .part = side * random.Uniform(2, 4.5F),
           .top_direction = {-side, 0, -0.35F},
           .parted = true,
           .ribbons = 950};
      break;
    case HairStyle::kMedium:
      c = {.top = 15 + 5 * length,
           .sides = 12 + 5 * length,
           .lift = 0.2F,
           .weight = 0.55F,
           .curl = c.curl,
           .wave = c.wave,
           .layer = 0.5F + 0.9F * volume,
           .part = side * random.Uniform(0, 3.5F),
           .parted = true,
           .ribbons = 560,
           .width = 1.0F};
      break;
    case HairStyle::kLong:
      c = {.top = 30 + 8 * length,
           .sides = 28 + 8 * length,
           .lift = 0.15F,
           .weight = 0.6F,
           .curl = c.curl,
           .wave = c.wave + 2,
           .layer = 0.5F + 0.9F * volume,
           .part = side * random.Uniform(0, 3),
           .parted = true,
           .ribbons = 520,
           .width = 1.1F,
           .floor = -19};
      break;
    case HairStyle::kBob:
      c = {.top = 24,
           .sides = 20,
           .lift = 0.15F,
           .weight = 0.6F,
           .curl = c.curl * 0.5F,
           .wave = c.wave,
           .layer = 0.6F + 0.8F * volume,
           .part = side * random.Uniform(0, 3),
           .parted = true,
           .ribbons = 600,
           .width = 1.0F,
           .floor = -3 - 5 * length};
      break;
    case HairStyle::kFringe:
      c = {.top = random.Uniform(7, 8.5F),
           .sides = 3 + 12 * length * length,
           .lift = 0.25F,
           .weight = 0.4F,
           .curl = c.curl * 0.3F,
           .wave = c.wave,
           .layer = 0.4F + 0.6F * volume,
           .top_direction = Normalised(Vec3{side * random.Uniform(0, 0.5F), 0, 1}),
           .ribbons = 950};
      break;
    case HairStyle::kCurly:
      c = {.top = 5 + 4 * length,
           .sides = 4 + 6 * length * length,
           .lift = 0.7F,
           .weight = 0.25F,
           .curl = 0.5F + 0.5F * p.hair_curl,
           .wave = random.Uniform(1.3F, 2.4F),
           .layer = 0.9F + 1.2F * volume,
           .top_direction = {side * 0.3F, 0, 0.5F},
           .ribbons = 1000,
           .width = 0.7F,
           .density = 0.7F};
      break;
    case HairStyle::kAfro:
      c = {.top = 2.5F + 4 * length,
           .sides = 2 + 3.5F * length,
           .lift = 1,
           .weight = 0,
           .curl = 0.45F,
           .wave = 1.1F,
           .layer = 0.5F,
           .ribbons = 1300,
           .width = 0.8F,
           .density = 0.6F};
      break;
    case HairStyle::kTiedBack:
      c = {.top = 16,
           .sides = 11,
           .lift = 0.05F,
           .weight = 0,
           .curl = 0,
           .wave = 4,
           .layer = 0.25F + 0.4F * volume,
           .back = true,
           .ribbons = 750};
      break;
  }
  return c;
}

}  // namespace auforge::datasets::synthetic::internal
