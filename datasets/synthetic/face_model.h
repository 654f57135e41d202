// The ICT-FaceKit light morphable face: a mesh with identity and expression shapes, read from the OBJ folder as it is
// published or from our own compact file (face.h5). Centimetres; x to the image's right when the face looks at us
// unmirrored (the subject's left), y up, z towards the viewer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "datasets/synthetic/geometry.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

struct FaceTriangle {
  std::array<std::int32_t, 3> vertex{};   // rows of neutral
  std::array<std::int32_t, 3> texcoord{}; // rows of texcoords
  std::int32_t material = 0;              // index into materials
};

// A morphable face. Immutable after loading; safe to share between threads.
class FaceModel {
 public:
  // Reads generic_neutral_mesh.obj, identityNNN.obj and the expression OBJs. Throws std::runtime_error naming the
  // file that is missing or malformed. progress: files read, files in all; may be empty.
  static FaceModel ImportObjFolder(const std::string& folder,
                                   const std::function<void(std::size_t, std::size_t)>& progress);
  // face.h5. Throws std::runtime_error naming file and fault: another version, damaged, numbers that are not finite.
  static FaceModel Load(const std::string& path);
  // Deltas as 16-bit steps of 0.002 cm, compressed; about 3 MB. Atomic.
  void Save(const std::string& path) const;

  std::size_t VertexCount() const { return neutral.size(); }
  // Index of an expression shape ("jawOpen"); throws std::invalid_argument naming it when there is none.
  std::size_t Expression(const std::string& name) const;
  // neutral + sum identity[i] * identities[i] + sum weights[i] * expressions[i]. identity may be shorter than the
  // model's; weights has one entry per expression.
  std::vector<Vec3> Evaluate(std::span<const float> identity, std::span<const float> weights) const;
  // The same at a few vertices only. out[i] is vertex wanted[i].
  std::vector<Vec3> EvaluateAt(std::span<const std::int32_t> wanted, std::span<const float> identity,
                               std::span<const float> weights) const;

  std::vector<Vec3> neutral;
  std::vector<std::array<float, 2>> texcoords;
  std::vector<FaceTriangle> triangles;
  std::vector<std::string> materials;              // "M_Face", "M_Teeth", …
  std::vector<std::vector<Vec3>> identities;       // deltas, each ~ N(0,1) over people
  std::vector<std::vector<Vec3>> expressions;      // deltas at weight 1
  std::vector<std::string> expression_names;
};

// Vertices of the 68 iBUG landmarks on the model.
std::span<const std::int32_t, features::kLandmarkCount> LandmarkVertices();

}  // namespace auforge::datasets::synthetic
