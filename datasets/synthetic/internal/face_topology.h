// What of the face model is drawn and what each triangle is; neighbours of its vertices. Made once, then read only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/face_renderer.h"

namespace auforge::datasets::synthetic::internal {

// Vertex ranges that ICT-FaceKit's authors publish (light model, 26,719 vertices).
inline constexpr std::int32_t kVertexCount = 26719;
inline constexpr std::int32_t kNarrowFaceEnd = 6706;   // forehead, cheeks, chin; then ears, temples, upper neck
inline constexpr std::int32_t kFaceEnd = 9409;
inline constexpr std::int32_t kHeadEnd = 11248;        // back of the head, neck, shoulders
inline constexpr std::int32_t kMouthSocketEnd = 13294;
inline constexpr std::int32_t kEyeSocketEnd = 14062;
inline constexpr std::int32_t kGumsEnd = 17039;        // gums and tongue
inline constexpr std::int32_t kTeethEnd = 21451;
inline constexpr std::int32_t kLeftIrisBegin = 22221, kLeftIrisEnd = 23021;
inline constexpr std::int32_t kRightIrisBegin = 23791, kRightIrisEnd = 24591;

struct FaceTopology {
  // Grouped by part, in the order of FacePart.
  std::vector<MeshTriangle> triangles;
  std::vector<std::array<std::array<float, 2>, 3>> texcoords;  // of the corners; kHead: u - 1
  std::vector<FacePart> parts;
  std::array<std::size_t, 16> first{};   // first triangle of a part; first[part + 1] ends it

  // How far a lash's vertex is from the skin, cm; 0 for all other vertices.
  std::vector<float> lash_reach;

  // Neighbours of vertex v: neighbours[neighbour_begin[v] .. neighbour_begin[v + 1]), of the outer skin (kSkin, kHead).
  std::vector<std::int32_t> neighbours, neighbour_begin;
  // Vertices round each pupil, and each eyeball's; left, right.
  std::array<std::vector<std::int32_t>, 2> pupil;

  std::span<const MeshTriangle> Of(FacePart part) const;
  // All but kInnerLip, which is kSkin turned round: what normals are made of.
  std::span<const MeshTriangle> Surface() const;
};

// Vertices round each pupil; left, right. Throws std::invalid_argument where there are none.
std::array<std::vector<std::int32_t>, 2> PupilRings(const FaceModel& model);

// An eyeball, model space; `pupil` is its middle.
struct EyeBall {
  Vec3 centre, pupil;
  float radius = 0;
};
// begin, end: the ball's vertices; ring: round its pupil.
EyeBall MeasureEyeBall(std::span<const Vec3> shape, std::int32_t begin, std::int32_t end, std::span<const std::int32_t> ring);

// Throws std::invalid_argument when the model is not ICT-FaceKit light.
FaceTopology MakeTopology(const FaceModel& model);

// Share of the sky that each outer vertex sees (0..1, weighted by the cosine) and the mean direction of what it sees,
// of a shape. Cast from `directions` sides by orthographic depth pictures.
struct SkyView {
  std::vector<float> open;     // V; 1 for vertices that are not outer skin
  std::vector<Vec3> bent;      // V, unit
};
SkyView BakeSky(const FaceTopology& topology, std::span<const Vec3> shape, int directions);

}  // namespace auforge::datasets::synthetic::internal
