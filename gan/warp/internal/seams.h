// Where the face's skin opens: the mouth and the eyes, as chains of the mesh along the two rims that meet when they shut.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/face_renderer.h"

namespace auforge::warp::internal {

namespace synthetic = datasets::synthetic;

// One opening. Chains run from the corner on the picture's left to the other one; both hold the two corners.
struct Seam {
  struct RimVertex {
    std::int32_t vertex;
    float s;  // 0..1, share of the way between the corners
  };
  struct NearVertex {
    std::int32_t vertex;
    float s;        // of the nearest place of its rim
    float u;        // cm from there on the neutral face; < 0: on the inner side of the rim
    bool is_upper;
  };
  std::vector<RimVertex> upper, lower;
  std::vector<NearVertex> near;  // within reach of the seam
};

struct Seams {
  Seam mouth;
  std::array<Seam, 2> eyes;            // on the picture's left, on its right
  std::vector<std::uint8_t> is_inner;  // per vertex: skin on the inner side of a rim
};

// skin: the outer skin's triangles. Throws std::invalid_argument when the model's landmarks are not joined by its skin.
Seams FindSeams(const synthetic::FaceModel& model, std::span<const synthetic::MeshTriangle> skin);

// A rim as it lies in a picture, at kRimPoints even places from corner to corner.
inline constexpr int kRimPoints = 41;
using Rim = std::array<features::Point2, kRimPoints>;
Rim TraceRim(std::span<const Seam::RimVertex> chain, std::span<const features::Point2> at);

}  // namespace auforge::warp::internal
