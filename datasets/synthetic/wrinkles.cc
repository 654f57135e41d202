#include "datasets/synthetic/wrinkles.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "datasets/synthetic/internal/noise.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {
namespace {

// A furrow along points (x, y) of the subject's left half as seen from the front, cm. It fades at free ends.
struct Furrow {
  std::vector<std::array<float, 2>> line;
  float width;         // half width, cm
  float depth;         // cm
  float bulge = 0.5F;  // height of the skin pushed up on both sides, share of depth
  bool fades_at_start = true;
};
// Skin that swells, or dents with little bumps.
struct Bulge {
  float x, y, radius, height;  // cm
  float pebbles = 0;           // depth of its bumps, cm
};
struct FoldRecipe {
  int au;
  float rest;
  std::vector<Furrow> furrows;
  std::vector<Bulge> bulges;
};

// Anatomy: Ekman, Friesen & Hager, Facial Action Coding System (2002), the sections on what changes with each
// AU.
const std::vector<FoldRecipe>& Recipes() {
  static const std::vector<FoldRecipe> recipes{
      {1,
       0.40F,
       {{{{0, 7.55F}, {1.2F, 7.62F}, {2.4F, 7.42F}, {3.3F, 7.1F}}, 0.17F, 0.085F, 0.6F, false},
        {{{0, 8.55F}, {1.4F, 8.62F}, {2.6F, 8.45F}, {3.4F, 8.15F}}, 0.18F, 0.095F, 0.6F, false},
        {{{0, 9.50F}, {1.2F, 9.55F}, {2.4F, 9.40F}}, 0.17F, 0.065F, 0.6F, false}},
       {}},
      {2,
       0.40F,
       {{{{2.3F, 7.35F}, {3.4F, 7.62F}, {4.5F, 7.45F}, {5.4F, 6.95F}}, 0.17F, 0.085F, 0.6F},
        {{{2.2F, 8.40F}, {3.4F, 8.62F}, {4.6F, 8.42F}, {5.4F, 7.95F}}, 0.18F, 0.090F, 0.6F},
        {{{2.0F, 9.40F}, {3.2F, 9.50F}, {4.4F, 9.25F}}, 0.16F, 0.060F, 0.6F}},
       {}},
      {4,
       0.35F,
       {{{{0.60F, 4.65F}, {0.69F, 5.4F}, {0.80F, 6.2F}, {0.95F, 7.0F}}, 0.19F, 0.120F, 0.7F},
        {{{0.20F, 4.9F}, {0.22F, 5.5F}, {0.25F, 6.1F}}, 0.15F, 0.030F, 0.5F},
        {{{0, 4.35F}, {0.7F, 4.42F}, {1.1F, 4.62F}}, 0.13F, 0.050F, 0.5F, false}},
       {{1.75F, 6.65F, 0.95F, 0.07F}}},
      {6,
       0.45F,
       {{{{5.15F, 3.75F}, {5.9F, 4.25F}, {6.5F, 4.75F}}, 0.11F, 0.065F},
        {{{5.2F, 3.40F}, {6.0F, 3.55F}, {6.7F, 3.75F}}, 0.12F, 0.075F},
        {{{5.1F, 3.05F}, {5.9F, 2.80F}, {6.6F, 2.60F}}, 0.11F, 0.065F},
        {{{4.8F, 2.65F}, {5.5F, 2.15F}, {6.0F, 1.65F}}, 0.11F, 0.050F},
        {{{1.9F, 2.60F}, {2.8F, 2.32F}, {3.8F, 2.30F}, {4.7F, 2.55F}}, 0.13F, 0.070F}},
       {{4.3F, 1.2F, 1.5F, 0.10F}}},
      {7, 0.15F, {{{{2.0F, 2.85F}, {2.9F, 2.62F}, {3.8F, 2.62F}, {4.5F, 2.85F}}, 0.11F, 0.060F}}, {}},
      {9,
       0.12F,
       {{{{0.35F, 3.45F}, {0.8F, 3.15F}, {1.3F, 2.55F}}, 0.11F, 0.075F},
        {{{0.40F, 2.85F}, {0.9F, 2.50F}, {1.45F, 1.90F}}, 0.11F, 0.070F},
        {{{0, 3.95F}, {0.6F, 3.95F}, {0.95F, 3.80F}}, 0.12F, 0.070F, 0.5F, false},
        {{{1.55F, 1.0F}, {1.95F, 0.3F}, {2.4F, -0.6F}, {2.8F, -1.4F}}, 0.20F, 0.085F, 0.8F}},
       {{2.1F, 1.6F, 0.9F, 0.05F}}},
      {10,
       0.45F,
       {{{{1.75F, 0.5F}, {2.3F, -0.2F}, {2.95F, -1.3F}, {3.35F, -2.3F}}, 0.22F, 0.120F, 0.8F}},
       {{2.9F, 0.2F, 1.2F, 0.07F}}},
      {12,
       0.50F,
       {{{{1.85F, 0.2F}, {2.7F, -0.8F}, {3.45F, -2.0F}, {3.85F, -3.2F}, {3.9F, -4.0F}}, 0.24F, 0.110F, 0.8F},
        {{{4.9F, -1.0F}, {5.2F, -2.1F}, {5.15F, -3.3F}}, 0.20F, 0.050F, 0.5F},
        {{{5.2F, 3.2F}, {5.9F, 3.0F}, {6.4F, 2.85F}}, 0.11F, 0.040F}},
       {{4.3F, 0.2F, 1.8F, 0.08F}}},
      {14, 0.1F, {{{{3.15F, -2.9F}, {3.30F, -3.5F}, {3.25F, -4.2F}}, 0.16F, 0.110F, 0.8F}}, {}},
      {15,
       0.45F,
       {{{{2.60F, -3.2F}, {2.92F, -4.1F}, {3.1F, -5.0F}, {3.15F, -5.7F}}, 0.27F, 0.070F, 0.7F}},
       {{2.1F, -5.3F, 0.9F, 0.05F}}},
      {17,
       0.20F,
       {{{{0, -5.30F}, {0.9F, -5.22F}, {1.7F, -4.95F}}, 0.20F, 0.110F, 0.5F, false}},
       {{0, -6.5F, 1.9F, 0.06F, 0.055F}}},
      {18,
       0.1F,
       {{{{0.45F, -1.75F}, {0.42F, -2.25F}}, 0.08F, 0.040F},
        {{{0.95F, -1.9F}, {0.88F, -2.4F}}, 0.08F, 0.040F},
        {{{0.5F, -4.5F}, {0.55F, -5.0F}}, 0.08F, 0.040F},
        {{{1.1F, -4.4F}, {1.2F, -4.8F}}, 0.08F, 0.035F}},
       {}},
      {20, 0.1F, {{{{3.5F, -2.9F}, {3.8F, -3.8F}, {3.9F, -4.8F}}, 0.17F, 0.070F}}, {}},
      {23,
       0.05F,
       {{{{0.5F, -1.70F}, {0.46F, -2.35F}}, 0.09F, 0.060F},
        {{{1.0F, -1.85F}, {0.92F, -2.5F}}, 0.09F, 0.060F},
        {{{1.5F, -2.1F}, {1.38F, -2.75F}}, 0.09F, 0.055F},
        {{{0.45F, -4.35F}, {0.48F, -5.0F}}, 0.09F, 0.055F},
        {{{1.0F, -4.25F}, {1.08F, -4.85F}}, 0.09F, 0.055F},
        {{{0, -4.95F}, {0.9F, -4.90F}, {1.6F, -4.65F}}, 0.15F, 0.060F, 0.6F, false}},
       {}},
      {24,
       0.05F,
       {{{{0, -4.85F}, {1.0F, -4.80F}, {1.8F, -4.5F}}, 0.16F, 0.070F, 0.6F, false},
        {{{2.8F, -2.8F}, {3.0F, -3.5F}, {2.9F, -4.2F}}, 0.14F, 0.050F}},
       {{1.2F, -2.0F, 0.8F, 0.03F}}},
      // No AU of its own: bags below the eyes and the line down from the mouth come with age. Hung on AUs of
      // depth 0.
      {45,
       1.0F,
       {{{{1.7F, 2.35F}, {2.5F, 1.75F}, {3.5F, 1.62F}, {4.5F, 2.05F}}, 0.20F, 0.065F, 0.6F},
        {{{2.9F, -4.2F}, {3.2F, -5.1F}, {3.15F, -6.0F}}, 0.20F, 0.060F, 0.4F},
        {{{0, -8.8F}, {2.5F, -8.9F}, {4.8F, -8.4F}}, 0.16F, 0.05F, 0.4F, false}},
       {{3.1F, 2.15F, 0.9F, 0.05F}}},
  };
  return recipes;
}

// How far the nearest skin is in front of the plane z = 0, for (x, y) of the neutral face.
class Frontal {
 public:
  explicit Frontal(const FaceModel& model) {
    buffer_.Reset(kSide, kSide);
    std::vector<ScreenVertex> screen;
    for (const Vec3 p : model.neutral)
      screen.push_back({(p.x + 12) * kScale, (14 - p.y) * kScale, 100 + p.z});
    std::vector<MeshTriangle> triangles;
    for (const FaceTriangle& t : model.triangles) {
      if (model.materials[static_cast<std::size_t>(t.material)] == "M_Face") triangles.push_back(t.vertex);
    }
    buffer_.Draw(screen, triangles, Facing::kBoth, 0);
  }
  Vec3 Place(float x, float y) const {
    const int px = std::clamp(static_cast<int>((x + 12) * kScale), 0, kSide - 1),
              py = std::clamp(static_cast<int>((14 - y) * kScale), 0, kSide - 1);
    const float depth = buffer_.InverseDepth(px, py);
    return {x, y, depth > 0 ? depth - 100 : 0};
  }

 private:
  static constexpr int kSide = 512;
  static constexpr float kScale = kSide / 26.0F;
  VisibilityBuffer buffer_;
};

// Corners cut twice (Chaikin), on the skin.
std::vector<Vec3> Curve(std::vector<std::array<float, 2>> line, const Frontal& frontal, float side) {
  for (int round = 0; round < 2; ++round) {
    std::vector<std::array<float, 2>> finer{line.front()};
    for (std::size_t i = 1; i < line.size(); ++i) {
      const auto& a = line[i - 1];
      const auto& b = line[i];
      finer.push_back({0.75F * a[0] + 0.25F * b[0], 0.75F * a[1] + 0.25F * b[1]});
      finer.push_back({0.25F * a[0] + 0.75F * b[0], 0.25F * a[1] + 0.75F * b[1]});
    }
    finer.push_back(line.back());
    line = std::move(finer);
  }
  std::vector<Vec3> curve;
  for (const auto& [x, y] : line) curve.push_back(frontal.Place(side * x, y));
  return curve;
}

void Carve(const AtlasPage& page, const std::vector<Vec3>& curve, const Furrow& furrow,
           std::vector<float>& height, std::vector<float>& shade) {
  const float reach = 4.5F * furrow.width;
  Vec3 low = curve.front(), high = low;
  std::vector<float> along{0};
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const Vec3 p = curve[i];
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
    if (i > 0) along.push_back(along.back() + Length(p - curve[i - 1]));
  }
  for (std::size_t at = 0; at < page.position.size(); ++at) {
    const Vec3 p = page.position[at];
    if (p.x < low.x - reach || p.x > high.x + reach || p.y < low.y - reach || p.y > high.y + reach ||
        p.z < low.z - reach || p.z > high.z + reach)
      continue;
    float nearest = 1e9F, where = 0;
    for (std::size_t i = 1; i < curve.size(); ++i) {
      const Vec3 u = curve[i] - curve[i - 1], q = p - curve[i - 1];
      const float t = std::clamp(Dot(u, q) / std::max(1e-6F, Dot(u, u)), 0.0F, 1.0F), d = Length(q - u * t);
      if (d < nearest) {
        nearest = d;
        where = along[i - 1] + t * (along[i] - along[i - 1]);
      }
    }
    if (nearest > reach) continue;
    const float share = where / along.back();
    float fade = 1 - SmoothStep(0.65F, 1, share);
    // Two halves that meet in the middle make one furrow, not one of twice the depth.
    fade *= furrow.fades_at_start ? SmoothStep(0, 0.3F, share)
                                  : SmoothStep(-furrow.width, furrow.width, curve.back().x > 0 ? p.x : -p.x);
    const float r = nearest / furrow.width, groove = std::exp(-r * r), side = (r - 2.0F) / 1.1F;
    height[at] += furrow.depth * fade * (furrow.bulge * std::exp(-side * side) - groove);
    shade[at] = std::max(shade[at], fade * std::exp(-0.7F * r * r) * std::min(1.0F, furrow.depth * 4.5F));
  }
}

void Swell(const AtlasPage& page, Vec3 centre, const Bulge& bulge, std::uint32_t seed,
           std::vector<float>& height, std::vector<float>& shade) {
  for (std::size_t at = 0; at < page.position.size(); ++at) {
    const Vec3 p = page.position[at];
    const float r = Length(p - centre) / bulge.radius;
    if (r > 1.6F) continue;
    const float body = std::exp(-2.2F * r * r);
    height[at] += bulge.height * body;
    if (bulge.pebbles > 0) {
      const float bumps = internal::Noise(p * 2.6F, seed) + 0.5F * internal::Noise(p * 4.4F, seed + 1);
      height[at] += bulge.pebbles * body * bumps;
      shade[at] = std::max(shade[at], body * std::clamp(-0.7F * bumps, 0.0F, 0.35F));
    }
  }
}

// The same line a little elsewhere.
std::vector<std::array<float, 2>> Jittered(const Furrow& furrow, Random& random) {
  std::vector<std::array<float, 2>> line = furrow.line;
  const float dx = random.Normal(0, 0.07F), dy = random.Normal(0, 0.10F),
              stretch = random.Uniform(0.9F, 1.1F);
  for (auto& [x, y] : line) {
    const bool middle = x == 0;
    x = middle ? 0 : x + dx + random.Normal(0, 0.05F);
    y += dy + random.Normal(0, 0.05F);
  }
  const auto start = line.front();
  for (auto& [x, y] : line) {
    x = start[0] + (x - start[0]) * stretch;
    y = start[1] + (y - start[1]) * stretch;
  }
  return line;
}

}  // namespace

WrinkleMaps::WrinkleMaps(const FaceModel& model, const FaceAtlas& atlas) : side_(atlas.face.side) {
  const Frontal frontal(model);
  const auto texels = static_cast<std::size_t>(side_ * side_);
  std::vector<float> height(texels), shade(texels);
  for (const FoldRecipe& recipe : Recipes()) {
    Fold fold{*features::CatalogueSchema().Find(recipe.au), recipe.rest, {}, {}};
    for (int variant = 0; variant < kVariants; ++variant) {
      for (const float side : {1.0F, -1.0F}) {
        std::fill(height.begin(), height.end(), 0.0F);
        std::fill(shade.begin(), shade.end(), 0.0F);
        // Middle pieces of the two halves must meet: the same jitter on both.
        Random random(static_cast<std::uint64_t>(recipe.au), static_cast<std::uint64_t>(variant), 41);
        for (const Furrow& furrow : recipe.furrows) {
          Furrow one = furrow;
          one.depth *= random.Uniform(0.7F, 1.2F);
          Carve(atlas.face, Curve(Jittered(furrow, random), frontal, side), one, height, shade);
        }
        for (const Bulge& bulge : recipe.bulges) {
          if (bulge.x == 0 && side < 0) continue;  // the middle belongs to both halves and is drawn once
          Swell(atlas.face, frontal.Place(side * bulge.x, bulge.y), bulge,
                static_cast<std::uint32_t>(variant), height, shade);
        }
        const std::vector<Vec3> gradient = SurfaceGradient(atlas.face, height);
        Patch patch;
        int x0 = side_, y0 = side_, x1 = -1, y1 = -1;
        for (int i = 0; i < side_ * side_; ++i) {
          const auto at = static_cast<std::size_t>(i);
          if (Dot(gradient[at], gradient[at]) < 1e-6F && shade[at] < 0.01F) continue;
          x0 = std::min(x0, i % side_);
          x1 = std::max(x1, i % side_);
          y0 = std::min(y0, i / side_);
          y1 = std::max(y1, i / side_);
        }
        if (x1 >= x0) patch = {x0, y0, x1 - x0 + 1, y1 - y0 + 1, {}};
        const auto byte = [](float v) {
          return static_cast<std::int8_t>(std::clamp(std::round(v), -127.0F, 127.0F));
        };
        for (int y = patch.y; y < patch.y + patch.height; ++y) {
          for (int x = patch.x; x < patch.x + patch.width; ++x) {
            const auto at = static_cast<std::size_t>(y * side_ + x);
            const Vec3 g = gradient[at] * (127.0F / 2);
            for (const float v : {g.x, g.y, g.z, shade[at] * 127}) patch.values.push_back(byte(v));
          }
        }
        (side > 0 ? fold.left : fold.right).push_back(std::move(patch));
      }
    }
    folds_.push_back(std::move(fold));
  }
}

cv::Mat WrinkleMaps::Smooth() const { return {side_, side_, CV_8SC4, cv::Scalar(0, 0, 0, 127)}; }

void WrinkleMaps::Add(const WrinkleStyle& style, const Expression& expression, cv::Mat& relief) const {
  if (relief.type() != CV_8SC4 || relief.rows != side_ || relief.cols != side_)
    throw std::invalid_argument("WrinkleMaps: the relief is of another size");
  const auto variant = static_cast<std::size_t>(style.variant % kVariants);
  const std::size_t closed = *features::CatalogueSchema().Find(45);
  for (const Fold& fold : folds_) {
    const bool only_age = fold.au == closed;
    for (const bool left : {true, false}) {
      const Patch& patch = (left ? fold.left : fold.right)[variant];
      const float intensity = only_age ? 0 : (left ? expression.left : expression.right)[fold.au] / 5;
      const float weight = std::min(1.4F, 0.85F * fold.rest * style.rest + style.expression * intensity);
      if (weight < 0.02F) continue;
      const auto scale = static_cast<std::int32_t>(weight * 256);
      const std::int8_t* in = patch.values.data();
      for (int y = 0; y < patch.height; ++y) {
        auto* out = relief.ptr<std::int8_t>(patch.y + y) + 4 * patch.x;
        for (int i = 0; i < 4 * patch.width; ++i) {
          const std::int32_t change = (scale * in[i]) >> 8;
          out[i] = static_cast<std::int8_t>(
              std::clamp<std::int32_t>(out[i] + ((i & 3) == 3 ? -change : change), -127, 127));
        }
        in += 4 * patch.width;
      }
    }
  }
}

}  // namespace auforge::datasets::synthetic
