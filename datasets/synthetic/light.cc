#include "datasets/synthetic/light.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace auforge::datasets::synthetic {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

// Towards a lamp: azimuth 0 = from the camera, positive to the right; elevation above the horizon. Degrees.
Vec3 Towards(float azimuth, float elevation) {
  const float a = azimuth * kPi / 180, e = elevation * kPi / 180;
  return {std::sin(a) * std::cos(e), std::sin(e), std::cos(a) * std::cos(e)};
}

// BGR of a black body, roughly, equal in brightness: 2500 (candle) .. 10000 (blue sky) kelvin.
Vec3 Warmth(float kelvin) {
  const float t = std::clamp((kelvin - 5500) / 4500, -0.7F, 1.0F);
  return t < 0 ? Vec3{1 + 0.75F * t, 1 + 0.18F * t, 1 - 0.28F * t} : Vec3{1 + 0.28F * t, 1 + 0.02F * t, 1 - 0.22F * t};
}

// Uniform light from everywhere, more from one side.
void AddSky(ShLight& light, Vec3 direction, float strength, float contrast, Vec3 colour, Vec3 opposite) {
  const Vec3 mean = (colour + opposite) * (0.5F * strength);
  const Vec3 half = (colour - opposite) * 0.5F + (colour + opposite) * (0.5F * contrast);
  light[0] += mean;
  light[1] += half * (strength * direction.y);
  light[2] += half * (strength * direction.z);
  light[3] += half * (strength * direction.x);
}

void SampleOvercast(Random& random, Light& light) {
  AddSky(light.ambient, Towards(random.Normal(0, 40), random.Uniform(35, 80)), random.Uniform(0.55F, 0.75F),
         random.Uniform(0.25F, 0.55F), Warmth(random.Uniform(5500, 8500)), Warmth(random.Uniform(4000, 6000)) * 0.55F);
}

void SampleSun(Random& random, Light& light) {
  AddSky(light.ambient, Towards(random.Normal(0, 60), 60), random.Uniform(0.22F, 0.42F), 0.35F,
         Warmth(random.Uniform(6500, 9500)), Warmth(5000) * 0.7F);
  light.lamps.push_back({Towards(random.Normal(0, 42), random.Uniform(15, 62)),
                         Warmth(random.Uniform(3800, 5800)) * random.Uniform(0.5F, 0.95F), random.Uniform(0.1F, 0.4F), true});
}

void SampleRoom(Random& random, Light& light) {
  const float kelvin = random.Uniform(2900, 6500);
  AddSky(light.ambient, Towards(random.Normal(0, 60), random.Uniform(10, 80)), random.Uniform(0.3F, 0.5F),
         random.Uniform(0.1F, 0.4F), Warmth(kelvin), Warmth(kelvin + random.Normal(0, 500)) * random.Uniform(0.5F, 0.9F));
  const int lamps = 1 + random.Index(2);
  for (int i = 0; i < lamps; ++i) {
    light.lamps.push_back({Towards(random.Normal(0, 50), random.Uniform(5, 65)),
                           Warmth(kelvin + random.Normal(0, 700)) * (random.Uniform(0.3F, 0.75F) / static_cast<float>(lamps)),
                           random.Uniform(0.4F, 1), i == 0});
  }
}

void SampleWindow(Random& random, Light& light) {
  const float side = random.Chance(0.5F) ? 1.0F : -1.0F;
  AddSky(light.ambient, Towards(side * 80, 15), random.Uniform(0.18F, 0.35F), 0.4F, Warmth(6500), Warmth(4200) * 0.6F);
  light.lamps.push_back({Towards(side * random.Uniform(40, 85), random.Uniform(5, 35)),
                         Warmth(random.Uniform(5200, 7500)) * random.Uniform(0.5F, 0.85F), random.Uniform(0.5F, 1), true});
}

void SampleFlash(Random& random, Light& light) {
  AddSky(light.ambient, {0, 1, 0}, random.Uniform(0.08F, 0.2F), 0.2F, Warmth(4500), Warmth(4000));
  light.lamps.push_back({Towards(random.Normal(0, 8), random.Uniform(0, 14)), Warmth(random.Uniform(5000, 6300)) * 0.85F,
                         random.Uniform(0, 0.3F), true});
}

void SampleStudio(Random& random, Light& light) {
  AddSky(light.ambient, Towards(0, 30), random.Uniform(0.4F, 0.6F), 0.2F, Warmth(5500), Warmth(5300) * 0.85F);
  const float side = random.Chance(0.5F) ? 1.0F : -1.0F;
  light.lamps.push_back({Towards(side * random.Uniform(20, 50), random.Uniform(20, 45)), Warmth(5400) * random.Uniform(0.3F, 0.6F),
                         random.Uniform(0.6F, 1), true});
  light.lamps.push_back({Towards(-side * random.Uniform(100, 150), random.Uniform(10, 40)),
                         Warmth(5600) * random.Uniform(0.1F, 0.6F), 1, false});
}

void SampleColoured(Random& random, Light& light) {
  AddSky(light.ambient, Towards(0, 40), random.Uniform(0.15F, 0.35F), 0.2F, Warmth(5500), Warmth(5000));
  for (int i = 0; i < 2; ++i) {
    const float hue = random.Uniform(0, 2 * kPi);
    const Vec3 colour{0.6F + 0.4F * std::cos(hue), 0.6F + 0.4F * std::cos(hue - 2.1F), 0.6F + 0.4F * std::cos(hue + 2.1F)};
    light.lamps.push_back({Towards(random.Uniform(-100, 100), random.Uniform(-10, 50)), colour * random.Uniform(0.2F, 0.6F),
                           random.Uniform(0.3F, 1), i == 0});
  }
}

float Brightness(Vec3 bgr) { return 0.1F * bgr.x + 0.6F * bgr.y + 0.3F * bgr.z; }

// What a face gets: the mean over directions around the camera's.
float FacingBrightness(const Light& light) {
  const ShLight total = light.Total();
  float sum = 0;
  for (const float azimuth : {-50.0F, 0.0F, 50.0F}) sum += std::max(0.02F, Brightness(Irradiance(total, Towards(azimuth, 5))));
  return sum / 3;
}

}  // namespace

Vec3 Irradiance(const ShLight& c, Vec3 n) {
  const Vec3 e = c[0] + c[1] * n.y + c[2] * n.z + c[3] * n.x + c[4] * (n.x * n.y) + c[5] * (n.y * n.z) +
                 c[6] * (3 * n.z * n.z - 1) + c[7] * (n.x * n.z) + c[8] * (n.x * n.x - n.y * n.y);
  return {std::max(0.0F, e.x), std::max(0.0F, e.y), std::max(0.0F, e.z)};
}

void AddLamp(ShLight& light, Vec3 d, Vec3 colour) {
  // max(0, c) = 1/4 + c/2 + (5/32)(3c² - 1) + …, with c² of n·d written in the basis.
  constexpr float kSecond = 15.0F / 32;
  light[0] += colour * 0.25F;
  light[1] += colour * (0.5F * d.y);
  light[2] += colour * (0.5F * d.z);
  light[3] += colour * (0.5F * d.x);
  light[4] += colour * (2 * kSecond * d.x * d.y);
  light[5] += colour * (2 * kSecond * d.y * d.z);
  light[6] += colour * (kSecond * (d.z * d.z - (d.x * d.x + d.y * d.y) / 2) / 3);
  light[7] += colour * (2 * kSecond * d.x * d.z);
  light[8] += colour * (kSecond * (d.x * d.x - d.y * d.y) / 2);
}

ShLight Light::Total() const {
  ShLight total = ambient;
  for (const Lamp& lamp : lamps) AddLamp(total, lamp.direction, lamp.colour);
  return total;
}

Light SampleLight(Random& random) {
  Light light;
  const float kind = random.Uniform();
  if (kind < 0.22F) {
    SampleOvercast(random, light);
  } else if (kind < 0.40F) {
    SampleSun(random, light);
  } else if (kind < 0.64F) {
    SampleRoom(random, light);
  } else if (kind < 0.75F) {
    SampleWindow(random, light);
  } else if (kind < 0.83F) {
    SampleFlash(random, light);
  } else if (kind < 0.94F) {
    SampleStudio(random, light);
  } else {
    SampleColoured(random, light);
  }
  // A camera's exposure meter: most of the difference goes, some stays.
  const float gain = 1 / FacingBrightness(light);
  for (Vec3& c : light.ambient) c = c * gain;
  for (Lamp& lamp : light.lamps) lamp.colour = lamp.colour * gain;
  return light;
}

}  // namespace auforge::datasets::synthetic
