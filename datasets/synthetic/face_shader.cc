#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/synthetic/internal/face_shader.h"

namespace auforge::datasets::synthetic::internal {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;
// Skin is rough: it does not turn into a mirror at its outline.
constexpr float kLeastFacing = 0.35F;

Vec3 Times(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }

// Light among surfaces that face each other takes on their colour.
Vec3 OpenWithBounces(float open, Vec3 albedo) {
  const float shut = 1 - open;
  return {open / (1 - albedo.x * shut), open / (1 - albedo.y * shut), open / (1 - albedo.z * shut)};
}

// x^n for whole n of the powers used here, n = 2^k.
float Power2(float x, int doublings) {
  for (int i = 0; i < doublings; ++i) x *= x;
  return x;
}

float WholePower(float x, unsigned n) {
  float result = 1;
  for (; n != 0; n >>= 1U, x *= x) {
    if ((n & 1U) != 0) result *= x;
  }
  return result;
}

float Fresnel(float cosine) {
  const float m = std::clamp(1 - cosine, 0.0F, 1.0F), m2 = m * m;
  return 0.028F + 0.972F * m2 * m2 * m;
}

// Smooth noise in one dimension, 0..1.
float Noise1(float x, std::uint32_t seed) {
  const float cell = std::floor(x), t = x - cell;
  const auto i = static_cast<std::uint32_t>(static_cast<std::int32_t>(cell));
  const float a = Hash01(i * 2654435761U + seed), b = Hash01((i + 1) * 2654435761U + seed);
  return a + (b - a) * t * t * (3 - 2 * t);
}

// Taps of a bilinear look-up in a square texture of `side` texels.
struct Taps {
  std::size_t at00, at10, at01, at11;
  float w00, w10, w01, w11;
};
Taps TapsOf(int side, float u, float v) {
  const float limit = static_cast<float>(side - 1);
  const float x = std::clamp(u * static_cast<float>(side) - 0.5F, 0.0F, limit);
  const float y = std::clamp((1 - v) * static_cast<float>(side) - 0.5F, 0.0F, limit);
  const int x0 = std::min(static_cast<int>(x), side - 2), y0 = std::min(static_cast<int>(y), side - 2);
  const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
  const std::size_t at = 4 * (static_cast<std::size_t>(y0) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x0));
  const std::size_t row = 4 * static_cast<std::size_t>(side);
  return {at, at + 4, at + row, at + row + 4, (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
}
template <typename T>
std::array<float, 4> Fetch(const cv::Mat& texture, float u, float v) {
  const Taps t = TapsOf(texture.cols, u, v);
  const T* data = texture.ptr<T>();
  std::array<float, 4> value;
  for (std::size_t c = 0; c < 4; ++c) {
    value[c] = t.w00 * static_cast<float>(data[t.at00 + c]) + t.w10 * static_cast<float>(data[t.at10 + c]) +
               t.w01 * static_cast<float>(data[t.at01 + c]) + t.w11 * static_cast<float>(data[t.at11 + c]);
  }
  return value;
}

}  // namespace

std::uint32_t Hash(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352DU;
  x ^= x >> 15;
  x *= 0x846CA68BU;
  return x ^ (x >> 16);
}

bool StrandCovers(float u, float v, float density) {
  constexpr float kStrands = 5;
  const float ribbon = std::floor(u), across = (u - ribbon) * kStrands;
  const auto strand = static_cast<std::uint32_t>(std::clamp(across, 0.0F, kStrands - 0.01F));
  const std::uint32_t key = Hash(static_cast<std::uint32_t>(ribbon) * 8 + strand);
  const float length = 0.55F + 0.45F * static_cast<float>(key & 0xFF) / 255;
  if (v > length) return false;
  const float width = density * (0.62F + 0.5F * static_cast<float>((key >> 8) & 0xFF) / 255) * (1 - 0.75F * Power2(v / length, 1));
  const float offset = 0.5F + 0.35F * (static_cast<float>((key >> 16) & 0xFF) / 255 - 0.5F);
  return std::abs(across - static_cast<float>(strand) - offset) < 0.5F * width;
}

FaceShader::FaceShader(const FaceScene& scene, const std::array<EyeGeometry, 2>& eyes, const MouthGeometry& mouth)
    : scene_(scene),
      eyes_(eyes),
      mouth_(mouth),
      iris_cosine_(std::cos(scene.eyes.iris_angle * kPi / 180)),
      pupil_cosine_(std::cos(scene.eyes.iris_angle * scene.eyes.pupil * kPi / 180)) {}

FaceShader::Texel FaceShader::Albedo(const cv::Mat& texture, float u, float v) const {
  const auto t = Fetch<std::uint8_t>(texture, u, v);
  constexpr float k = 1.0F / 255;
  const Vec3 root{t[0] * k, t[1] * k, t[2] * k};
  return {Times(root, root), t[3] * k};
}

void FaceShader::Relief(float u, float v, Vec3& gradient, float& furrow) const {
  const auto t = Fetch<std::int8_t>(scene_.skin->face_relief, u, v);
  gradient = scene_.camera.view_from_model(Vec3{t[0], t[1], t[2]} * (2.0F / 127));
  furrow = t[3] * (1.0F / 127);
}

Vec3 FaceShader::Lamps(Vec3 normal, float lit, float creep) const {
  const Vec3 wrap = Vec3{0.05F, 0.10F, 0.32F} * creep;
  Vec3 sum;
  bool shadowed = true;
  for (const Lamp& lamp : scene_.light.lamps) {
    const float cosine = Dot(normal, lamp.direction);
    if (cosine > -0.35F) {
      const auto one = [cosine](float w) { return std::max(0.0F, (cosine + w) / (1 + w)); };
      float share = 1;
      if (lamp.casts_shadow && shadowed) share = lit;
      sum += Times(lamp.colour, {one(wrap.x), one(wrap.y), one(wrap.z)}) * share;
    }
    if (lamp.casts_shadow) shadowed = false;
  }
  return sum;
}

Vec3 FaceShader::Highlight(const SurfacePoint& point, Vec3 normal, unsigned power) const {
  const Vec3 view = Normalised(point.position * -1.0F);
  Vec3 sum;
  bool shadowed = true;
  for (const Lamp& lamp : scene_.light.lamps) {
    const float cosine = Dot(normal, lamp.direction);
    if (cosine > 0) {
      const Vec3 half = Normalised(view + lamp.direction);
      const float share = lamp.casts_shadow && shadowed ? point.lit : 1.0F;
      // Normalised Blinn and Phong, for a lamp given by the radiosity it causes.
      const float lobe = (static_cast<float>(power) + 8) / 8 * WholePower(std::max(0.0F, Dot(normal, half)), power);
      sum += lamp.colour * (share * cosine * lobe * Fresnel(Dot(view, half)));
    }
    if (lamp.casts_shadow) shadowed = false;
  }
  return sum;
}

Vec3 FaceShader::Skin(const SurfacePoint& point, float u, float v, bool is_face) const {
  const Texel texel = Albedo(is_face ? scene_.skin->face : scene_.skin->head, u, v);
  Vec3 normal = Normalised(point.normal);
  float open = point.open;
  if (is_face && !scene_.skin->face_relief.empty()) {
    Vec3 gradient;
    float furrow = 1;
    Relief(u, v, gradient, furrow);
    normal = Normalised(normal - gradient);
    open *= furrow;
  }
  const Vec3 ambient = Times(Irradiance(scene_.light.ambient, Normalised(normal + point.bent)), OpenWithBounces(open, texel.colour));
  Vec3 colour = Times(texel.colour, ambient + Lamps(normal, point.lit, scene_.translucency));
  // Two lobes: oil on the skin and the rough skin itself.
  const Vec3 shine = Highlight(point, normal, 42) * 0.55F + Highlight(point, normal, 9) * 0.45F;
  const Vec3 view = Normalised(point.position * -1.0F);
  const float facing = std::max(0.0F, Dot(normal, view));
  const Vec3 mirrored = normal * (2 * facing) - view;
  const Vec3 sheen = Irradiance(scene_.light.ambient, mirrored) * (Fresnel(std::max(facing, kLeastFacing)) * 0.55F * open);
  colour += (shine + sheen) * (0.35F + 1.9F * texel.gloss);
  return Times(colour, point.light);
}

Vec3 FaceShader::Eye(const SurfacePoint& point, int which) const {
  const EyeGeometry& eye = eyes_[static_cast<std::size_t>(which)];
  const EyeLook& look = scene_.eyes;
  const Vec3 out = Normalised(point.position - eye.centre);
  const float cosine = Dot(out, eye.axis);
  const Vec3 sideways = out - eye.axis * cosine;
  const float radial = Length(sideways);
  const float iris_edge = std::sqrt(1 - iris_cosine_ * iris_cosine_), pupil_edge = std::sqrt(1 - pupil_cosine_ * pupil_cosine_);
  const float ring = radial / iris_edge;   // 0 pupil's middle .. 1 limbus
  const float angle = std::atan2(sideways.y, sideways.x);

  const float veins = look.redness * Noise1(angle * 9 + 40, look.seed) * SmoothStep(1.2F, 2.6F, ring);
  Vec3 sclera{0.33F - 0.15F * veins, 0.34F - 0.16F * veins, 0.39F - 0.04F * veins};
  sclera = sclera * (look.white * (1 - 0.25F * SmoothStep(1.6F, 3.2F, ring)));
  Vec3 iris = Mix(look.iris, look.iris_rim, SmoothStep(0.62F, 1.0F, ring));
  const float fibre = Noise1(angle * 11, look.seed) * 0.6F + Noise1(angle * 27 + ring * 3, look.seed + 1) * 0.4F;
  iris = iris * (0.55F + 0.9F * fibre);
  iris = iris * (1 - 0.7F * SmoothStep(0.82F, 1.0F, ring));
  Vec3 albedo = Mix(iris, sclera, cosine > 0 ? SmoothStep(0.93F, 1.10F, ring) : 1.0F);
  if (cosine > 0) albedo = Mix(Vec3{0.004F, 0.004F, 0.004F}, albedo, SmoothStep(pupil_edge * 0.9F, pupil_edge * 1.12F, radial));

  // The lids shade the ball, the upper one most, and lashes with it.
  const float height2 = Dot(eye.upper_from_lower, eye.upper_from_lower);
  const float height = Dot(point.position - eye.lower, eye.upper_from_lower) / std::max(height2, 0.01F);
  const float margin = 0.16F / std::max(std::sqrt(height2), 0.1F);   // 1.6 mm as a share of the opening
  const float aside = std::abs(Dot(point.position - eye.lower, eye.across)) / std::max(Dot(eye.across, eye.across), 0.01F);
  float open = (1 - 0.72F * SmoothStep(1 - 3.0F * margin, 1.0F, height)) * (0.62F + 0.38F * SmoothStep(0.0F, 1.2F * margin, height));
  open *= 0.88F * (1 - 0.6F * SmoothStep(0.45F, 1.05F, aside));
  const Vec3 normal = Normalised(Mix(out, Normalised(point.position * -1.0F), 0.25F));
  Vec3 colour = Times(albedo, Irradiance(scene_.light.ambient, normal) * open + Lamps(normal, point.lit, 0.4F) * (0.2F + 0.8F * open));

  // The cornea bulges over the iris and mirrors the lamps; a bright sky or window is always somewhere.
  Vec3 cornea = out;
  if (cosine > 0) cornea = Normalised(out + sideways * (0.9F * (1 - SmoothStep(0.9F, 1.25F, ring))));
  const Vec3 view = Normalised(point.position * -1.0F);
  const Vec3 mirrored = cornea * (2 * Dot(cornea, view)) - view;
  for (const Lamp& lamp : scene_.light.lamps) {
    const float size = std::cos((5 + 7 * lamp.softness) * kPi / 180);
    const float spot = SmoothStep(size - 0.012F, size + 0.004F, Dot(mirrored, lamp.direction));
    // The white of the eye is rougher than the cornea.
    const float strength = 1.9F - 1.4F * SmoothStep(0.9F, 1.4F, ring);
    colour += lamp.colour * (spot * strength * std::min(1.0F, 0.3F + open) * point.lit);
  }
  const float gloss = 0.75F * Fresnel(std::max(0.0F, Dot(cornea, view)));
  return colour + Irradiance(scene_.light.ambient, mirrored) * (gloss * open);
}

Vec3 FaceShader::Inside(const SurfacePoint& point, FacePart part) const {
  Vec3 albedo{0.06F, 0.06F, 0.20F};
  float depth = 0.3F;
  if (part != FacePart::kEyeSocket) {
    depth = std::max(0.0F, Dot(point.position - mouth_.front, mouth_.inwards));
    if (part == FacePart::kTeeth) albedo = scene_.mouth.teeth;
    if (part == FacePart::kGums) albedo = scene_.mouth.gums;
  } else {
    albedo = {0.10F, 0.11F, 0.22F};
  }
  // Light falls in through the opening and is soon lost.
  const float reach = 0.45F + 0.42F * std::min(mouth_.gap, 2.5F);
  float shade = std::exp(-std::max(0.0F, depth - 0.25F) / reach);
  // A mouth that gapes is a room with a window: what came in is scattered, and teeth and tongue show.
  const float gape = SmoothStep(0.3F, 2.2F, mouth_.gap);
  shade = std::max(shade, part == FacePart::kTeeth ? 0.15F + 0.30F * gape : 0.09F + 0.16F * gape);
  // The cheeks keep it from the back teeth.
  if (part != FacePart::kEyeSocket) {
    shade *= 1 - 0.85F * SmoothStep(0.40F, 0.85F, std::abs(Dot(point.position - mouth_.front, mouth_.across)));
  }
  const Vec3 normal = Normalised(Normalised(point.normal) + mouth_.inwards * -1.2F);
  Vec3 colour = Times(albedo, Irradiance(scene_.light.ambient, normal) + Lamps(normal, 0.75F, 0.5F)) * (shade * 0.85F);
  if (part != FacePart::kEyeSocket) colour += Highlight(point, Normalised(point.normal), 60) * (0.9F * shade);
  return colour;
}

Vec3 FaceShader::Lash(const SurfacePoint& point) const {
  const Vec3 normal{0, 0.3F, 0.95F};
  return Times({0.012F, 0.013F, 0.016F}, Irradiance(scene_.light.ambient, normal) + Lamps(normal, point.lit, 0));
}

Vec3 FaceShader::Hair(const SurfacePoint& point, Vec3 tangent, Vec3 colour, float gloss) const {
  const Vec3 t = Normalised(tangent);
  // The strand's side that faces outwards.
  const Vec3 normal = Normalised(point.normal - t * Dot(point.normal, t));
  const Vec3 ambient = Irradiance(scene_.light.ambient, Normalised(normal + point.bent)) * point.open;
  Vec3 light = ambient;
  Vec3 shine;
  const Vec3 view = Normalised(point.position * -1.0F);
  bool shadowed = true;
  for (const Lamp& lamp : scene_.light.lamps) {
    float share = lamp.casts_shadow && shadowed ? point.lit : 1.0F;
    if (lamp.casts_shadow) shadowed = false;
    share *= 0.35F + 0.65F * SmoothStep(-0.4F, 0.5F, Dot(normal, lamp.direction));
    // Kajiya & Kay 1989.
    const float along = Dot(t, lamp.direction);
    light += lamp.colour * (share * 0.85F * std::sqrt(std::max(0.0F, 1 - along * along)));
    const Vec3 half = Normalised(view + lamp.direction);
    const float th = Dot(t, half), sine2 = std::max(0.0F, 1 - th * th);
    shine += lamp.colour * (share * (0.06F * Power2(sine2, 5) + 0.035F * Power2(sine2, 2)));
  }
  shine += ambient * 0.018F;
  return Times(colour, light) + shine * gloss * point.open + Times(colour, shine) * (3 * gloss);
}

Vec3 FaceShader::Plain(const SurfacePoint& point, Vec3 colour, float gloss) const {
  const Vec3 normal = Normalised(point.normal);
  const Vec3 ambient = Times(Irradiance(scene_.light.ambient, Normalised(normal + point.bent)), OpenWithBounces(point.open, colour));
  return Times(colour, ambient + Lamps(normal, point.lit, 0)) + Highlight(point, normal, 24) * gloss;
}

}  // namespace auforge::datasets::synthetic::internal
