#include "datasets/synthetic/renderer.h"

#include <stdexcept>
#include <string>

namespace auforge::datasets::synthetic {

void ProjectVertices(std::span<const Vec3> points, const Camera& camera, float samples_per_pixel,
                     std::span<ScreenVertex> out) {
  const Rotation& r = camera.view_from_model;
  const Vec3 t = camera.translation;
  const float focal = camera.focal * samples_per_pixel;
  const float cx = camera.centre.x * samples_per_pixel, cy = camera.centre.y * samples_per_pixel;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vec3 p = points[i];
    const float distance = -(Dot(r.row[2], p) + t.z);
    if (distance <= 1e-3F) {
      out[i] = {};
      continue;
    }
    const float invz = 1 / distance;
    out[i] = {cx + focal * invz * (Dot(r.row[0], p) + t.x), cy - focal * invz * (Dot(r.row[1], p) + t.y),
              invz};
  }
}

void VisibilityBuffer::Reset(int width, int height) {
  if (width < 1 || height < 1 || width > 16384 || height > 16384) {
    throw std::invalid_argument("visibility buffer of " + std::to_string(width) + " x " +
                                std::to_string(height) + " samples; each side must be 1..16384");
  }
  width_ = width;
  height_ = height;
  const std::size_t samples = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  hits_.assign(samples, Hit{});
  invz_.assign(samples, 0.0F);
}

void VisibilityBuffer::Draw(std::span<const ScreenVertex> vertices, std::span<const MeshTriangle> triangles,
                            Facing facing, std::int32_t first_number) {
  Draw(vertices, triangles, facing, first_number, internal::KeepAll{});
}

void VertexNormals(std::span<const Vec3> points, std::span<const MeshTriangle> triangles,
                   std::span<Vec3> out) {
  for (Vec3& n : out) n = {};
  for (const MeshTriangle& t : triangles) {
    const auto a = static_cast<std::size_t>(t[0]), b = static_cast<std::size_t>(t[1]),
               c = static_cast<std::size_t>(t[2]);
    const Vec3 normal = Cross(points[b] - points[a], points[c] - points[a]);
    out[a] += normal;
    out[b] += normal;
    out[c] += normal;
  }
  for (Vec3& n : out) n = Normalised(n);
}

}  // namespace auforge::datasets::synthetic
