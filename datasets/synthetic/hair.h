// Grows hair and beards as ribbons of strands on a head, and puts hats on it. HairSalon is immutable;
// thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/person.h"

namespace auforge::datasets::synthetic {

// A mesh that moves with the head: vertex i of the mesh goes along with vertex anchor[i] of the model.
struct AttachedMesh {
  ExtraMesh mesh;
  std::vector<std::int32_t> anchor;
};

class HairSalon {
 public:
  explicit HairSalon(const FaceModel& model);

  // neutral: all vertices of the person's neutral shape.
  std::vector<AttachedMesh> Dress(const Person& person, std::span<const Vec3> neutral) const;

 private:
  // A place where hair may grow, on the model's neutral face.
  struct Patch {
    MeshTriangle triangle;
    float scalp, recedes;  // face_regions.h
    float beard, moustache, chin;
    float area;  // cm²
    Vec3 at;
  };
  std::vector<Patch> scalp_, beard_;
};

}  // namespace auforge::datasets::synthetic
