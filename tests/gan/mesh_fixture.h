// Made-up files of mesh points, for tests of the judge.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace auforge::tests {

// Points of one picture as the file holds them: [468, 2] and [71, 2], pixels.
struct MeshRow {
  std::vector<float> mesh, eye_l, eye_r;
  bool seen = true;
  void Set(int point, float x, float y);                    // of the mesh
  void SetEyes(int point, float left_x, float y, float right_x);  // of both eyes
};

// An upright face with eye corners at (100, 100) and (200, 100): mouth corners (130, 180), (170, 180), its top at (150, 170),
// lips shut, nose tip (150, 140), chin (150, 220), lids 10 apart, brows 20 above.
MeshRow NeutralMesh();
// The face turned by so many degrees about (150, 150), enlarged and shifted.
MeshRow Moved(const MeshRow& row, double degrees, float scale, float shift);
void WriteMeshFile(const std::string& path, const std::map<std::string, MeshRow>& rows, const std::string& made_by = "a test");

}  // namespace auforge::tests
