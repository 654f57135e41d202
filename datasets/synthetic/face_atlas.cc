#include "datasets/synthetic/face_atlas.h"

#include <algorithm>
#include <stdexcept>

#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {
namespace {

// Fills texels beyond the edge from their neighbours, `rounds` texels far.
void Dilate(AtlasPage& page, int rounds) {
  std::vector<std::uint8_t> known = page.inside;
  const int side = page.side;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<std::uint8_t> before = known;
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const auto at = static_cast<std::size_t>(y * side + x);
        if (before[at] != 0) continue;
        Vec3 sum;
        float count = 0;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            const int nx = std::clamp(x + dx, 0, side - 1), ny = std::clamp(y + dy, 0, side - 1);
            const auto neighbour = static_cast<std::size_t>(ny * side + nx);
            if (before[neighbour] == 0) continue;
            sum += page.position[neighbour];
            ++count;
          }
        }
        if (count == 0) continue;
        page.position[at] = sum * (1 / count);
        known[at] = 1;
      }
    }
  }
}

AtlasPage MakePage(const FaceModel& model, const internal::FaceTopology& topology, FacePart part, int side) {
  if (side < 64 || side > 4096) throw std::invalid_argument("atlas side = " + std::to_string(side) + "; must be 64..4096");
  const auto first = topology.first[static_cast<std::size_t>(part)], last = topology.first[static_cast<std::size_t>(part) + 1];
  std::vector<ScreenVertex> corners;
  std::vector<MeshTriangle> triangles;
  for (std::size_t t = first; t < last; ++t) {
    const auto base = static_cast<std::int32_t>(corners.size());
    for (const auto& uv : topology.texcoords[t]) {
      corners.push_back({uv[0] * static_cast<float>(side), (1 - uv[1]) * static_cast<float>(side), 1});
    }
    triangles.push_back({base, base + 1, base + 2});
  }
  VisibilityBuffer buffer;
  buffer.Reset(side, side);
  buffer.Draw(corners, triangles, Facing::kBoth, static_cast<std::int32_t>(first));
  AtlasPage page;
  page.side = side;
  for (const auto& hit : buffer.hits()) {
    page.inside.push_back(hit.triangle == VisibilityBuffer::kNothing ? 0 : 1);
    if (page.inside.back() == 0) {
      page.position.emplace_back();
      continue;
    }
    const MeshTriangle& t = topology.triangles[static_cast<std::size_t>(hit.triangle)];
    const auto at = [&](std::size_t k) { return model.neutral[static_cast<std::size_t>(t[k])]; };
    page.position.push_back(at(0) * (1 - hit.b1 - hit.b2) + at(1) * hit.b1 + at(2) * hit.b2);
  }
  Dilate(page, 6);
  return page;
}

}  // namespace

FaceAtlas::FaceAtlas(const FaceModel& model, int face_side, int head_side) {
  const internal::FaceTopology topology = internal::MakeTopology(model);
  face = MakePage(model, topology, FacePart::kSkin, face_side);
  head = MakePage(model, topology, FacePart::kHead, head_side);
  const auto first = topology.first[static_cast<std::size_t>(FacePart::kSkin)], last = topology.first[static_cast<std::size_t>(FacePart::kSkin) + 1];
  for (std::size_t t = first; t < last; ++t) {
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
        if (topology.triangles[t][k] == LandmarkVertices()[i]) landmark[i] = {topology.texcoords[t][k][0], 1 - topology.texcoords[t][k][1]};
      }
    }
  }
}

std::vector<Vec3> SurfaceGradient(const AtlasPage& page, const std::vector<float>& heights) {
  const int side = page.side;
  std::vector<Vec3> gradient(heights.size());
  for (int y = 1; y + 1 < side; ++y) {
    for (int x = 1; x + 1 < side; ++x) {
      const auto at = static_cast<std::size_t>(y * side + x);
      const auto above = at - static_cast<std::size_t>(side), below = at + static_cast<std::size_t>(side);
      const float hu = heights[at + 1] - heights[at - 1], hv = heights[below] - heights[above];
      if (hu == 0 && hv == 0) continue;
      if (page.inside[at] == 0 || page.inside[at - 1] == 0 || page.inside[at + 1] == 0 || page.inside[above] == 0 || page.inside[below] == 0) continue;
      const Vec3 u = page.position[at + 1] - page.position[at - 1], v = page.position[below] - page.position[above];
      const float uu = Dot(u, u), uv = Dot(u, v), vv = Dot(v, v), determinant = uu * vv - uv * uv;
      if (determinant < 1e-3F * uu * vv || determinant <= 0) continue;
      gradient[at] = u * ((vv * hu - uv * hv) / determinant) + v * ((uu * hv - uv * hu) / determinant);
    }
  }
  return gradient;
}

}  // namespace auforge::datasets::synthetic
