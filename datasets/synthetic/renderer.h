// A z-buffer rasteriser in software: triangles in, one record per sample out (which triangle, where in it,
// how far). Shading happens afterwards on those records (face_renderer.h). One call draws with one thread;
// any number of calls may run at once, each on its own buffer.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "datasets/synthetic/geometry.h"

namespace auforge::datasets::synthetic {

using MeshTriangle = std::array<std::int32_t, 3>;  // rows of the vertex array

// A vertex on the sample grid. invz = 1 / distance along the viewing axis, 1/cm; <= 0: behind the camera.
struct ScreenVertex {
  float x = 0, y = 0;  // samples; centre of the first sample at (0.5, 0.5)
  float invz = 0;
};

// Projects model-space points: picture pixels times samples_per_pixel. out: one for each point.
void ProjectVertices(std::span<const Vec3> points, const Camera& camera, float samples_per_pixel,
                     std::span<ScreenVertex> out);

enum class Facing {
  kFront,
  kBack,
  kBoth
};  // which side of a triangle is drawn; front = counter-clockwise with y up

// What is nearest at each sample. Arrays are width * height, rows from the top. Reused between pictures
// without allocating.
class VisibilityBuffer {
 public:
  static constexpr std::int32_t kNothing = -1;
  struct Hit {
    std::int32_t triangle = kNothing;  // as numbered by Draw
    float b1 = 0, b2 = 0;              // perspective-correct weights of its second and third vertex
  };

  // Throws std::invalid_argument unless both are in 1..16384.
  void Reset(int width, int height);
  int width() const { return width_; }
  int height() const { return height_; }
  const Hit& At(int x, int y) const { return hits_[Index(x, y)]; }
  // 1 / distance of the nearest surface, 1/cm; 0 where there is none.
  float InverseDepth(int x, int y) const { return invz_[Index(x, y)]; }
  std::span<const Hit> hits() const { return hits_; }
  std::span<const float> inverse_depths() const { return invz_; }

  // Triangle i is recorded as first_number + i. Samples on a shared edge belong to exactly one of two
  // neighbours (top-left rule). A triangle with a vertex behind the camera is left out. At equal depth the
  // first one stays. keep(triangle, b1, b2) may refuse a sample (alpha test); without one all are kept.
  void Draw(std::span<const ScreenVertex> vertices, std::span<const MeshTriangle> triangles, Facing facing,
            std::int32_t first_number);
  template <typename Keep>
  void Draw(std::span<const ScreenVertex> vertices, std::span<const MeshTriangle> triangles, Facing facing,
            std::int32_t first_number, const Keep& keep);

 private:
  std::size_t Index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }
  template <typename Keep>
  void DrawOne(const ScreenVertex& a, const ScreenVertex& b, const ScreenVertex& c, Facing facing,
               std::int32_t number, const Keep& keep);

  int width_ = 0, height_ = 0;
  std::vector<Hit> hits_;
  std::vector<float> invz_;
};

// Unit normals of vertices as area-weighted means of their triangles. out: one for each point.
void VertexNormals(std::span<const Vec3> points, std::span<const MeshTriangle> triangles,
                   std::span<Vec3> out);

}  // namespace auforge::datasets::synthetic

#include "datasets/synthetic/internal/rasterise.h"  // IWYU pragma: export
