#include "datasets/synthetic/skin_painter.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "datasets/synthetic/internal/face_regions.h"
#include "datasets/synthetic/internal/noise.h"

namespace auforge::datasets::synthetic {
namespace {

using internal::BeardZones;
using internal::BrowPlace;
using internal::Noise;
using internal::Turbulence;

constexpr std::size_t kBanks = 3;  // maps of each size of noise; people mix them

float Bump(float distance, float radius) {
  const float t = std::max(0.0F, 1 - distance * distance / (radius * radius));
  return t * t;
}

float DistanceToLine(Vec3 p, std::span<const Vec3> line) {
  float nearest = 1e9F;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const Vec3 u = line[i] - line[i - 1], q = p - line[i - 1];
    const float t = std::clamp(Dot(u, q) / Dot(u, u), 0.0F, 1.0F);
    nearest = std::min(nearest, Length(q - u * t));
  }
  return nearest;
}

// Scattered dots: of the nearest dot its depth 0..1 and how likely it is drawn (0 first).
struct Dot2 {
  float depth = 0, rank = 1;
};
Dot2 DotAt(Vec3 p, float cell, float small, float large, std::uint32_t seed) {
  Dot2 best;
  const Vec3 q = p * (1 / cell);
  const auto x0 = static_cast<std::int32_t>(std::floor(q.x)), y0 = static_cast<std::int32_t>(std::floor(q.y)),
             z0 = static_cast<std::int32_t>(std::floor(q.z));
  for (int k = 0; k < 27; ++k) {
    const std::int32_t x = x0 + k % 3 - 1, y = y0 + k / 3 % 3 - 1, z = z0 + k / 9 - 1;
    const std::uint32_t h = internal::HashCell(x, y, z, seed);
    const auto part = [h](std::uint32_t salt) { return internal::Hash01(h ^ salt); };
    const Vec3 centre{static_cast<float>(x) + part(1), static_cast<float>(y) + part(2),
                      static_cast<float>(z) + part(3)};
    const float radius = small + (large - small) * part(4) * part(5);
    const float depth = 1 - Length(q - centre) * cell / radius;
    if (depth > best.depth) best = {std::min(1.0F, 1.6F * depth), part(6)};
  }
  return best;
}

}  // namespace

Vec3 SkinReflectance(float melanin, float haemoglobin) {
  return {0.44F * std::exp(-1.10F * melanin - 0.95F * haemoglobin),
          0.60F * std::exp(-0.97F * melanin - 1.45F * haemoglobin),
          0.74F * std::exp(-0.86F * melanin - 0.18F * haemoglobin)};
}

// What does not depend on the person, for each texel.
struct SkinPainter::Page {
  struct Texel {
    Vec3 at;
    float lips = 0, liner = 0, lid = 0, under_eye = 0, socket = 0, cheek = 0, nose = 0, shine = 0, ear = 0,
          freckle_zone = 0;
    float scalp = -9, recedes = 0;
    BeardZones beard{};
    std::array<Dot2, 2> dots{};
    std::array<float, kBanks> coarse{}, medium{}, fine{}, hair{};
  };
  Page(const FaceModel& model, const FaceAtlas& atlas, bool is_face);

  const AtlasPage* page;
  bool is_face;
  std::vector<std::int32_t> places;  // texels with a point of the skin
  std::vector<Texel> texels;         // of those
  std::vector<Vec3> pores;           // gradients, all texels; face only
};

namespace {

// How much of each texel lies on the red of the lips.
cv::Mat LipMask(const FaceAtlas& atlas) {
  const int side = atlas.face.side;
  cv::Mat mask = cv::Mat::zeros(side, side, CV_8UC1);
  std::vector<cv::Point> outline;
  for (std::size_t i = 48; i < 60; ++i) {
    const std::size_t next = i == 59 ? 48 : i + 1;
    const features::Point2 a = atlas.landmark[i], b = atlas.landmark[next];
    outline.emplace_back(cvRound(a.x * static_cast<float>(side) * 16),
                         cvRound(a.y * static_cast<float>(side) * 16));
    outline.emplace_back(cvRound((a.x + b.x) * static_cast<float>(side) * 8),
                         cvRound((a.y + b.y) * static_cast<float>(side) * 8));
  }
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{outline}, 255, cv::LINE_AA, 4);
  cv::GaussianBlur(mask, mask, {}, static_cast<double>(side) / 220);
  return mask;
}

}  // namespace

SkinPainter::Page::Page(const FaceModel& model, const FaceAtlas& atlas, bool face)
    : page(face ? &atlas.face : &atlas.head), is_face(face) {
  const auto landmark = [&](std::size_t i) {
    return model.neutral[static_cast<std::size_t>(LandmarkVertices()[i])];
  };
  const std::array<Vec3, 4> upper{landmark(42), landmark(43), landmark(44), landmark(45)};
  const std::array<Vec3, 4> lower{landmark(45), landmark(46), landmark(47), landmark(42)};
  const cv::Mat lips = LipMask(atlas);
  const int side = page->side;
  for (int i = 0; i < side * side; ++i) {
    const Vec3 p = page->position[static_cast<std::size_t>(i)];
    if (p == Vec3{}) continue;
    Texel t;
    t.at = p;
    // The subject's left half; masks are the same on the right.
    const Vec3 m{std::abs(p.x), p.y, p.z};
    t.scalp = internal::ScalpDistance(p);
    t.recedes = internal::Recedes(p);
    t.ear = internal::OnEar(p);
    if (is_face) {
      t.lips = static_cast<float>(lips.at<std::uint8_t>(i / side, i % side)) / 255;
      const float above = DistanceToLine(m, upper), below = DistanceToLine(m, lower);
      if (above < 2 || below < 2) {
        t.liner = std::max(1 - SmoothStep(0.05F, 0.20F, above), 0.6F * (1 - SmoothStep(0.03F, 0.12F, below)));
        t.lid = (1 - SmoothStep(0.55F, 1.2F, above)) * SmoothStep(-0.2F, 0.3F, p.y - 3.25F);
      }
      t.under_eye =
          Bump(std::hypot((m.x - 2.9F) / 1.9F, (p.y - 2.15F) / 0.95F), 1) * SmoothStep(6, 7.5F, p.z);
      t.socket = Bump(std::hypot((m.x - 2.0F) / 1.5F, (p.y - 3.6F) / 1.6F), 1) * SmoothStep(6, 7.5F, p.z);
      t.cheek = Bump(std::hypot((m.x - 4.6F) / 2.8F, (p.y + 0.2F) / 2.6F), 1) * SmoothStep(2, 6, p.z);
      t.nose = Bump(std::hypot(m.x / 2.2F, (p.y + 0.1F) / 2.2F), 1) * SmoothStep(9.5F, 11, p.z);
      t.shine = std::max({Bump(std::hypot(m.x / 1.1F, (p.y - 2.0F) / 4.0F), 1),
                          0.8F * Bump(std::hypot(m.x / 4.5F, (p.y - 8.3F) / 2.6F), 1),
                          0.55F * Bump(std::hypot((m.x - 4.4F) / 1.6F, (p.y - 1.3F) / 1.2F), 1),
                          0.5F * Bump(std::hypot(m.x / 1.6F, (p.y + 6.3F) / 1.3F), 1)}) *
                SmoothStep(4, 8, p.z);
      t.freckle_zone = SmoothStep(-4.5F, -1, p.y) * (1 - SmoothStep(3.2F, 6.5F, p.y)) *
                           SmoothStep(3, 8, p.z) * (1 - t.lips) +
                       0.25F * SmoothStep(4, 8, p.z);
      t.dots = {DotAt(p, 0.42F, 0.05F, 0.16F, 71), DotAt(p, 1.9F, 0.08F, 0.38F, 72)};
    }
    t.beard = internal::BeardAt(p);
    for (std::size_t k = 0; k < kBanks; ++k) {
      const auto seed = static_cast<std::uint32_t>(1000 * k);
      t.coarse[k] = Noise(p * 0.24F, seed + 1);
      t.medium[k] = Turbulence(p * 0.85F, 2, seed + 2);
      t.fine[k] = Turbulence(p * 4.1F, 2, seed + 3);
      t.hair[k] = Noise({p.x * 13, p.y * 13, p.z * 13}, seed + 4);
    }
    places.push_back(i);
    texels.push_back(t);
  }
  if (!is_face) return;
  std::vector<float> height(static_cast<std::size_t>(side * side), 0.0F);
  for (std::size_t k = 0; k < places.size(); ++k) {
    const Vec3 p = texels[k].at;
    const float pores_there = 0.5F + 0.8F * texels[k].nose + 0.5F * texels[k].cheek;
    height[static_cast<std::size_t>(places[k])] =
        0.0050F * Noise(p * 7.0F, 5) * pores_there + 0.010F * Noise(p * 2.6F, 6);
  }
  pores = SurfaceGradient(*page, height);
}

// Everything about a person that is looked up for every texel.
struct SkinPainter::Mixture {
  explicit Mixture(const Person& person) : p(person) {
    Random random(person.seed, 0, 31);
    for (std::size_t k = 0; k < kBanks; ++k) {
      for (float* w : {&coarse[k], &medium[k], &fine[k], &hair[k]}) *w = random.Normal(0, 0.6F);
    }
    const bool is_bare = p.hair == HairStyle::kBald, is_shaved = p.hair == HairStyle::kShaved,
               is_buzz = p.hair == HairStyle::kBuzz;
    scalp = is_bare     ? random.Uniform(0, 0.25F)
            : is_shaved ? random.Uniform(0.3F, 0.6F)
            : is_buzz   ? 0.82F
                        : 0.93F;
    edge = is_buzz || is_shaved ? 0.35F : 0.9F;
    const float dense = p.beard_density;
    switch (p.beard) {
      case BeardStyle::kNone:
        moustache = chin = cheeks = 0;
        break;
      case BeardStyle::kShadow:
        moustache = chin = cheeks = 0.12F + 0.25F * dense;
        break;
      case BeardStyle::kStubble:
        moustache = chin = cheeks = 0.30F + 0.35F * dense;
        break;
      case BeardStyle::kMoustache:
        moustache = 0.85F;
        chin = cheeks = 0.12F * dense;
        break;
      case BeardStyle::kGoatee:
        moustache = chin = 0.75F;
        cheeks = 0.14F * dense;
        break;
      case BeardStyle::kFull:
        moustache = chin = cheeks = 0.80F;
        break;
    }
  }
  static float Mixed(const std::array<float, kBanks>& bank, const std::array<float, kBanks>& weight) {
    return bank[0] * weight[0] + bank[1] * weight[1] + bank[2] * weight[2];
  }
  float Brow(const Page::Texel& t, float grain) const;
  // How much hair covers the skin, apart from the brows.
  float Cover(const Page::Texel& t, float grain) const;
  void Pigments(const Page::Texel& t, float& melanin, float& haemoglobin) const;

  const Person& p;
  std::array<float, kBanks> coarse{}, medium{}, fine{}, hair{};
  float scalp, edge, moustache = 0, chin = 0, cheeks = 0;
};

float SkinPainter::Mixture::Brow(const Page::Texel& t, float grain) const {
  const BrowPlace place = internal::BrowAt(t.at, p.brow_arch, p.brow_offset);
  if (place.along < -0.06F || place.along > 1.05F) return 0;
  const float x = place.along;
  constexpr std::array<std::array<float, 2>, 6> kHalf{
      {{-0.08F, 0.22F}, {0.08F, 0.46F}, {0.35F, 0.50F}, {0.65F, 0.38F}, {0.9F, 0.18F}, {1.05F, 0.04F}}};
  const float half = internal::AlongKnots(kHalf, x) * (0.62F + 0.75F * p.brow_thickness);
  // Hairs grow up at the inner end and lie along the brow towards the tail.
  const float lean = 0.5F + 5 * std::max(0.0F, x);
  const float hairs = Noise(
      {place.along * 4.85F * 6 - place.across * lean * 2.0F, place.across * 2.2F, t.at.x > 0 ? 0.3F : 7.7F},
      p.seed);
  const float body = 1 - SmoothStep(0.45F, 1.15F, std::abs(place.across) / half + 0.22F * hairs);
  const float thin = (0.55F + 0.45F * p.brow_density) * (0.72F + 0.35F * SmoothStep(0, 0.3F, x)) *
                     (1 - 0.35F * SmoothStep(0.6F, 1.05F, x));
  return std::clamp(body * thin * (0.78F + 0.30F * hairs + 0.12F * grain), 0.0F, 0.96F);
}

float SkinPainter::Mixture::Cover(const Page::Texel& t, float grain) const {
  const float inside = t.scalp - p.hairline * t.recedes + 0.25F * grain;
  float cover = scalp * SmoothStep(-0.15F, edge, inside) * (1 - t.ear);
  const float beard = std::max(
      {t.beard.moustache * moustache, t.beard.chin * chin, t.beard.cheeks * cheeks, t.beard.neck * cheeks});
  cover = std::max(cover, beard * std::clamp(0.75F + 0.45F * grain, 0.0F, 1.2F));
  return std::clamp(cover, 0.0F, 0.96F);
}

void SkinPainter::Mixture::Pigments(const Page::Texel& t, float& melanin, float& haemoglobin) const {
  const float coarse_noise = Mixed(t.coarse, coarse), medium_noise = Mixed(t.medium, medium),
              fine_noise = Mixed(t.fine, fine);
  const float relative = 0.35F + 0.65F * std::min(1.0F, p.melanin);
  melanin =
      p.melanin * (1 + p.blotches * (0.10F * coarse_noise + 0.07F * medium_noise) + 0.035F * fine_noise);
  melanin += relative * (0.16F * t.under_eye + 0.20F * t.socket + 0.22F * t.lid) * (0.5F + 0.7F * p.age);
  melanin += t.lips * (0.10F + 0.16F * p.melanin);
  const Dot2& freckle = t.dots[0];
  if (freckle.rank < p.freckles * 0.85F) melanin += 0.55F * freckle.depth * t.freckle_zone * p.freckles;
  const Dot2& spot = t.dots[1];
  if (spot.rank < 0.05F + 0.32F * p.spots) melanin += (0.25F + 0.6F * spot.rank * 3) * spot.depth * 0.8F;
  const float blood =
      p.haemoglobin * (1 + 0.45F * t.cheek + 0.55F * t.nose + 0.5F * t.ear + 0.35F * t.under_eye) +
      p.blotches * (0.05F * coarse_noise + 0.06F * medium_noise + 0.02F * fine_noise);
  haemoglobin = std::max(0.02F, blood) + 0.22F * p.blush * t.cheek + t.lips * (0.12F + 0.42F * p.lip_colour);
}

SkinPainter::SkinPainter(const FaceModel& model, int face_side, int head_side)
    : atlas_(std::make_unique<FaceAtlas>(model, face_side, head_side)),
      face_(std::make_unique<Page>(model, *atlas_, true)),
      head_(std::make_unique<Page>(model, *atlas_, false)) {}
SkinPainter::~SkinPainter() = default;
SkinPainter::SkinPainter(SkinPainter&&) noexcept = default;

const FaceAtlas& SkinPainter::atlas() const { return *atlas_; }

cv::Mat SkinPainter::PaintPage(const Page& page, const Person& person) const {
  const Mixture mix(person);
  cv::Mat texture(page.page->side, page.page->side, CV_8UC4, cv::Scalar(120, 130, 150, 60));
  const Vec3 shaven =
      Mix(person.hair_colour, Vec3{0.05F, 0.05F, 0.05F}, 0.35F);  // stubble looks duller than hair
  const bool is_short = person.beard == BeardStyle::kShadow || person.beard == BeardStyle::kStubble;
  auto* out = texture.ptr<cv::Vec4b>();
  for (std::size_t k = 0; k < page.places.size(); ++k) {
    const Page::Texel& t = page.texels[k];
    float melanin, haemoglobin;
    mix.Pigments(t, melanin, haemoglobin);
    Vec3 colour = SkinReflectance(melanin, haemoglobin);
    const float grain = Mixture::Mixed(t.hair, mix.hair);
    float gloss = person.gloss * (0.55F + 0.95F * t.shine) * (1 + 0.25F * Mixture::Mixed(t.fine, mix.fine));
    if (t.lips > 0) {
      const Vec3 stick = person.lipstick;
      const Vec3 made_up{colour.x * std::exp(-stick.x * t.lips), colour.y * std::exp(-stick.y * t.lips),
                         colour.z * std::exp(-stick.z * t.lips)};
      colour = made_up;
      gloss += t.lips * (0.22F + (stick == Vec3{} ? 0 : 0.2F));
    }
    if (person.eye_shadow > 0)
      colour =
          Mix(colour, Vec3{colour.x * 0.62F, colour.y * 0.50F, colour.z * 0.55F}, person.eye_shadow * t.lid);
    colour =
        Mix(colour, Vec3{0.012F, 0.012F, 0.014F}, std::min(0.9F, t.liner * (0.35F + 0.6F * person.liner)));
    const float cover = mix.Cover(t, grain);
    if (cover > 0) {
      const bool on_scalp = t.scalp > -1;
      const Vec3 hair = (on_scalp && person.hair != HairStyle::kShaved && person.hair != HairStyle::kBald) ||
                                (!on_scalp && !is_short)
                            ? person.hair_colour
                            : shaven;
      colour = Mix(colour, hair * (1 + 0.35F * grain), cover);
      gloss *= 1 - 0.8F * cover;
    }
    if (page.is_face) {
      const float brow = mix.Brow(t, grain);
      if (brow > 0) {
        colour = Mix(colour, person.brow_colour, brow);
        gloss *= 1 - 0.8F * brow;
      }
    }
    const auto byte = [](float v) {
      return static_cast<std::uint8_t>(std::clamp(255 * v + 0.5F, 0.0F, 255.0F));
    };
    out[page.places[k]] = {byte(std::sqrt(std::max(0.0F, colour.x))),
                           byte(std::sqrt(std::max(0.0F, colour.y))),
                           byte(std::sqrt(std::max(0.0F, colour.z))), byte(gloss)};
  }
  return texture;
}

cv::Mat SkinPainter::Pores(const Person& person) const {
  const int side = face_->page->side;
  cv::Mat relief(side, side, CV_8SC4);
  const float strength = (0.7F + 0.9F * person.age) * 127 / 2;
  auto* out = relief.ptr<std::int8_t>();
  const auto byte = [](float v) { return static_cast<std::int8_t>(std::clamp(v, -127.0F, 127.0F)); };
  for (std::size_t i = 0; i < face_->pores.size(); ++i, out += 4) {
    const Vec3 g = face_->pores[i] * strength;
    out[0] = byte(g.x);
    out[1] = byte(g.y);
    out[2] = byte(g.z);
    out[3] = 127;
  }
  return relief;
}

SkinTextures SkinPainter::Paint(const Person& person) const {
  return {PaintPage(*face_, person), PaintPage(*head_, person), Pores(person)};
}

}  // namespace auforge::datasets::synthetic
