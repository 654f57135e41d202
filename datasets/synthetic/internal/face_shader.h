// Colours of samples: skin, eyes, mouth, hair, cloth. One shader for one picture; cheap to make, read only afterwards.
// Everything here is in view space and linear light, BGR.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_renderer.h"

namespace auforge::datasets::synthetic::internal {

// What is interpolated over a triangle.
struct alignas(32) SurfacePoint {
  Vec3 normal;      // unit at vertices
  float open = 1;   // share of the sky that is seen
  Vec3 bent;        // added to the normal: where that light comes from
  float lit = 1;    // 0..1 of the shadow-casting lamp
  Vec3 light{1, 1, 1};
  float unused = 0;
  Vec3 position;    // view space
  float unused2 = 0;
};
static_assert(sizeof(SurfacePoint) == 64);

// p0 (1 - b1 - b2) + p1 b1 + p2 b2, scaled and added to sum.
inline void Accumulate(SurfacePoint& sum, const SurfacePoint& p0, const SurfacePoint& p1, const SurfacePoint& p2, float b1,
                       float b2, float scale) {
  const auto* a = reinterpret_cast<const float*>(&p0);
  const auto* b = reinterpret_cast<const float*>(&p1);
  const auto* c = reinterpret_cast<const float*>(&p2);
  auto* s = reinterpret_cast<float*>(&sum);
  const float w0 = scale * (1 - b1 - b2), w1 = scale * b1, w2 = scale * b2;
  for (int i = 0; i < 16; ++i) s[i] += w0 * a[i] + w1 * b[i] + w2 * c[i];
}

// One eye of the picture.
struct EyeGeometry {
  Vec3 centre, axis;           // of the eyeball; unit, through the pupil
  float radius = 1.4F;
  Vec3 lower, upper_from_lower;  // middle of the lower lid's edge, and the way to the upper one
  Vec3 across;                 // from the middle of the opening to its outer corner
};

struct MouthGeometry {
  Vec3 front;                  // middle of the opening between the inner lips
  Vec3 inwards;                // unit
  float gap = 0;               // cm
  Vec3 across;    // from the middle to a corner, divided by the square of its length
};

class FaceShader {
 public:
  FaceShader(const FaceScene& scene, const std::array<EyeGeometry, 2>& eyes, const MouthGeometry& mouth);

  // u, v: of the face's or the head's texture.
  Vec3 Skin(const SurfacePoint& point, float u, float v, bool is_face) const;
  Vec3 Eye(const SurfacePoint& point, int eye) const;
  Vec3 Inside(const SurfacePoint& point, FacePart part) const;   // mouth, gums, teeth, eye sockets
  Vec3 Lash(const SurfacePoint& point) const;
  Vec3 Hair(const SurfacePoint& point, Vec3 tangent, Vec3 colour, float gloss) const;
  Vec3 Plain(const SurfacePoint& point, Vec3 colour, float gloss) const;

 private:
  struct Texel {
    Vec3 colour;
    float gloss;
  };
  Texel Albedo(const cv::Mat& texture, float u, float v) const;
  void Relief(float u, float v, Vec3& gradient, float& furrow) const;
  // Light of lamps on a surface of this normal, red creeping round by `creep`.
  Vec3 Lamps(Vec3 normal, float lit, float creep) const;
  Vec3 Highlight(const SurfacePoint& point, Vec3 normal, unsigned power) const;

  const FaceScene& scene_;
  std::array<EyeGeometry, 2> eyes_;
  MouthGeometry mouth_;
  float iris_cosine_, pupil_cosine_;
};

// Whether a strand of a hair ribbon covers this place. u: ribbon number + 0..1 across, v: 0 root .. 1 tip.
bool StrandCovers(float u, float v, float density);

std::uint32_t Hash(std::uint32_t x);
inline float Hash01(std::uint32_t x) { return static_cast<float>(Hash(x) >> 8) * 0x1p-24F; }

}  // namespace auforge::datasets::synthetic::internal
