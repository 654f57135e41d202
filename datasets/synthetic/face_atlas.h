// The face model's textures as maps: which point of the neutral face each texel shows. Made once, then read only.
#pragma once

#include <array>
#include <vector>

#include "datasets/synthetic/face_model.h"

namespace auforge::datasets::synthetic {

// One square texture; texel (x, y) is row y * side + x, row 0 at v = 1.
struct AtlasPage {
  int side = 0;
  std::vector<Vec3> position;        // on the neutral face; beyond the edges the nearest one
  std::vector<std::uint8_t> inside;  // 1 where a triangle covers the texel
  const Vec3& At(int x, int y) const { return position[static_cast<std::size_t>(y * side + x)]; }
};

struct FaceAtlas {
  // side: texels, 64..4096.
  FaceAtlas(const FaceModel& model, int face_side, int head_side);

  AtlasPage face, head;
  // Texels of the landmarks on the face page, x to the right, y downwards, in shares of the side.
  std::array<features::Point2, features::kLandmarkCount> landmark;
};

// The tangent-plane gradient of a height map (cm) on a page, in model space. heights: side * side. out: the same size.
std::vector<Vec3> SurfaceGradient(const AtlasPage& page, const std::vector<float>& heights);

}  // namespace auforge::datasets::synthetic
