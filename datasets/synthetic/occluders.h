// Things in front of faces. All but the frame's edge are made of triangles and drawn with the face.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic {

// Stored as bits 1 << kind in shards; append only.
enum class Occluder : std::uint8_t { kGlasses, kSunglasses, kMask, kHand, kObject, kHairStrands, kFrameCut };
inline constexpr int kOccluderCount = 7;
constexpr std::uint32_t Bit(Occluder kind) { return 1U << static_cast<unsigned>(kind); }
std::string_view OccluderName(Occluder kind);  // "glasses", …

struct OccluderOptions {
  float rate = 0.30F;     // share of faces with one; a few have two. 0..1
  void Validate() const;  // throws std::invalid_argument naming field and value
};

std::uint32_t SampleOccluders(const OccluderOptions& options, Random& random);

// Glasses, sunglasses, masks, hands, objects and strands of hair among `kinds`, fitted to the shape `still` (all vertices,
// model space), or, what the jaw takes along (a mask), to the shape as it is drawn. skin: the person's, BGR reflectance.
std::vector<ExtraMesh> OccluderMeshes(std::span<const Vec3> shape, std::span<const Vec3> still, Vec3 skin,
                                      std::uint32_t kinds, Random& random);

}  // namespace auforge::datasets::synthetic
