#include "datasets/synthetic/internal/face_resolver.h"

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <vector>

namespace auforge::datasets::synthetic::internal {
namespace {

// Shades the records of one picture.
class Resolver {
 public:
  Resolver(const FaceScene& scene, const FaceTopology& topology, const FaceShader& shader,
           const VisibilityBuffer& samples, std::span<const SurfacePoint> surface)
      : scene_(scene), topology_(topology), shader_(shader), samples_(samples), surface_(surface) {
    auto number = static_cast<std::int32_t>(topology.triangles.size());
    std::size_t vertex = scene.shape.size();
    for (const ExtraMesh& extra : scene.extras) {
      extras_.push_back({&extra, number, vertex});
      number += static_cast<std::int32_t>(extra.triangles.size());
      vertex += extra.positions.size();
    }
  }

  RenderedFace Run() const;

 private:
  using Hit = VisibilityBuffer::Hit;
  struct Extra {
    const ExtraMesh* mesh;
    std::int32_t first_triangle;
    std::size_t first_vertex;
  };

  FacePart PartOf(const Hit& hit) const {
    if (hit.triangle == VisibilityBuffer::kNothing) return FacePart::kNone;
    const auto t = static_cast<std::size_t>(hit.triangle);
    return t < topology_.parts.size() ? topology_.parts[t] : ExtraOf(hit.triangle).mesh->part;
  }
  const Extra& ExtraOf(std::int32_t triangle) const {
    std::size_t i = extras_.size() - 1;
    while (extras_[i].first_triangle > triangle) --i;
    return extras_[i];
  }
  std::array<float, 2> Texcoord(const Hit& hit) const {
    const auto& uv = topology_.texcoords[static_cast<std::size_t>(hit.triangle)];
    const float b0 = 1 - hit.b1 - hit.b2;
    return {uv[0][0] * b0 + uv[1][0] * hit.b1 + uv[2][0] * hit.b2,
            uv[0][1] * b0 + uv[1][1] * hit.b1 + uv[2][1] * hit.b2};
  }
  void Gather(const Hit& hit, float scale, SurfacePoint& sum) const {
    const MeshTriangle& t = topology_.triangles[static_cast<std::size_t>(hit.triangle)];
    Accumulate(sum, surface_[static_cast<std::size_t>(t[0])], surface_[static_cast<std::size_t>(t[1])],
               surface_[static_cast<std::size_t>(t[2])], hit.b1, hit.b2, scale);
  }
  Vec3 ShadeExtra(const Hit& hit) const;
  Vec3 Shade(const Hit& hit, FacePart part) const;
  // Four samples of one smooth surface are shaded once.
  Vec3 ShadeSkinPixel(const std::array<Hit, 4>& hits, bool is_face) const;

  const FaceScene& scene_;
  const FaceTopology& topology_;
  const FaceShader& shader_;
  const VisibilityBuffer& samples_;
  std::span<const SurfacePoint> surface_;
  std::vector<Extra> extras_;
};

constexpr SurfacePoint kZeroPoint{{}, 0, {}, 0, {0, 0, 0}, 0, {}, 0};

Vec3 Resolver::ShadeExtra(const Hit& hit) const {
  const Extra& extra = ExtraOf(hit.triangle);
  const ExtraMesh& mesh = *extra.mesh;
  const MeshTriangle& t = mesh.triangles[static_cast<std::size_t>(hit.triangle - extra.first_triangle)];
  const std::array<std::size_t, 3> v{static_cast<std::size_t>(t[0]), static_cast<std::size_t>(t[1]),
                                     static_cast<std::size_t>(t[2])};
  SurfacePoint point = kZeroPoint;
  Accumulate(point, surface_[extra.first_vertex + v[0]], surface_[extra.first_vertex + v[1]],
             surface_[extra.first_vertex + v[2]], hit.b1, hit.b2, 1);
  const float b0 = 1 - hit.b1 - hit.b2;
  const Vec3 colour = mesh.colours[v[0]] * b0 + mesh.colours[v[1]] * hit.b1 + mesh.colours[v[2]] * hit.b2;
  if (mesh.part == FacePart::kHair) {
    const Vec3 tangent =
        mesh.directions[v[0]] * b0 + mesh.directions[v[1]] * hit.b1 + mesh.directions[v[2]] * hit.b2;
    return shader_.Hair(point, scene_.camera.view_from_model(tangent), colour, mesh.gloss);
  }
  // Cloth is seen from either side.
  if (Dot(point.normal, point.position) > 0) point.normal = point.normal * -1.0F;
  return shader_.Plain(point, colour, mesh.gloss);
}

Vec3 Resolver::Shade(const Hit& hit, FacePart part) const {
  if (static_cast<std::size_t>(hit.triangle) >= topology_.parts.size()) return ShadeExtra(hit);
  SurfacePoint point = kZeroPoint;
  Gather(hit, 1, point);
  switch (part) {
    case FacePart::kSkin:
    case FacePart::kHead: {
      const auto [u, v] = Texcoord(hit);
      return shader_.Skin(point, u, v, part == FacePart::kSkin);
    }
    case FacePart::kLeftEye:
      return shader_.Eye(point, 0);
    case FacePart::kRightEye:
      return shader_.Eye(point, 1);
    case FacePart::kLashes:
      return shader_.Lash(point);
    default:
      return shader_.Inside(point, part);
  }
}

Vec3 Resolver::ShadeSkinPixel(const std::array<Hit, 4>& hits, bool is_face) const {
  SurfacePoint point = kZeroPoint;
  float u = 0, v = 0;
  for (const Hit& hit : hits) {
    Gather(hit, 0.25F, point);
    const auto uv = Texcoord(hit);
    u += 0.25F * uv[0];
    v += 0.25F * uv[1];
  }
  return shader_.Skin(point, u, v, is_face);
}

RenderedFace Resolver::Run() const {
  RenderedFace face{cv::Mat::zeros(scene_.height, scene_.width, CV_32FC3),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_32FC1),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_8UC1),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_32FC1),
                    cv::Mat::zeros(scene_.height, scene_.width, CV_32FC2)};
  for (int y = 0; y < scene_.height; ++y) {
    for (int x = 0; x < scene_.width; ++x) {
      std::array<Hit, 4> hits;
      std::array<FacePart, 4> parts;
      float nearest = 0, farthest = 1e9F;
      std::size_t front = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        const int sx = 2 * x + static_cast<int>(k & 1), sy = 2 * y + static_cast<int>(k >> 1);
        hits[k] = samples_.At(sx, sy);
        parts[k] = PartOf(hits[k]);
        const float invz = samples_.InverseDepth(sx, sy);
        if (invz > nearest) {
          nearest = invz;
          front = k;
        }
        farthest = std::min(farthest, invz);
      }
      if (nearest == 0) continue;
      const bool is_skin = parts[0] == FacePart::kSkin || parts[0] == FacePart::kHead;
      const bool smooth = is_skin && parts[1] == parts[0] && parts[2] == parts[0] && parts[3] == parts[0] &&
                          farthest > 0 && 1 / farthest - 1 / nearest < 0.35F;
      Vec3 sum;
      float covered = 0;
      if (smooth) {
        sum = ShadeSkinPixel(hits, parts[0] == FacePart::kSkin);
        covered = 1;
      } else {
        std::array<Vec3, 4> colours;
        for (std::size_t k = 0; k < 4; ++k) {
          if (parts[k] == FacePart::kNone) continue;
          // Hair and cloth have no texture: one sample stands for all of the pixel's in its triangle.
          std::size_t same = 0;
          const bool is_extra = static_cast<std::size_t>(hits[k].triangle) >= topology_.parts.size();
          while (same < k && !(is_extra && hits[same].triangle == hits[k].triangle)) ++same;
          colours[k] = same < k ? colours[same] : Shade(hits[k], parts[k]);
          sum += colours[k] * 0.25F;
          covered += 0.25F;
        }
      }
      face.linear.ptr<cv::Vec3f>(y)[x] = {sum.x, sum.y, sum.z};
      face.alpha.ptr<float>(y)[x] = covered;
      face.part.ptr<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(parts[front]);
      face.depth.ptr<float>(y)[x] = 1 / nearest;
      if (parts[front] == FacePart::kSkin || parts[front] == FacePart::kHead) {
        const auto [u, v] = Texcoord(hits[front]);
        face.texcoord.ptr<cv::Vec2f>(y)[x] = {u, v};
      }
    }
  }
  return face;
}

}  // namespace

RenderedFace Resolve(const FaceScene& scene, const FaceTopology& topology, const FaceShader& shader,
                     const VisibilityBuffer& samples, std::span<const SurfacePoint> surface) {
  return Resolver(scene, topology, shader, samples, surface).Run();
}

}  // namespace auforge::datasets::synthetic::internal
