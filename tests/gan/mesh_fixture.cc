#include "tests/gan/mesh_fixture.h"

#include <cmath>
#include <cstdint>
#include <numbers>

#include "datasets/storage/hdf5_file.h"

namespace auforge::tests {

void MeshRow::Set(int point, float x, float y) {
  mesh[2 * static_cast<std::size_t>(point)] = x;
  mesh[2 * static_cast<std::size_t>(point) + 1] = y;
}

void MeshRow::SetEyes(int point, float left_x, float y, float right_x) {
  const auto at = 2 * static_cast<std::size_t>(point);
  eye_l[at] = left_x, eye_r[at] = right_x;
  eye_l[at + 1] = eye_r[at + 1] = y;
}

MeshRow NeutralMesh() {
  MeshRow row{std::vector<float>(2 * 468, 150), std::vector<float>(2 * 71, 150), std::vector<float>(2 * 71, 150)};
  row.Set(33, 100, 100), row.Set(263, 200, 100);
  row.Set(61, 130, 180), row.Set(291, 170, 180);
  row.Set(98, 140, 150), row.Set(327, 160, 150);
  row.Set(0, 150, 170), row.Set(13, 150, 178), row.Set(14, 150, 178);
  row.Set(1, 150, 140), row.Set(152, 150, 220);
  row.SetEyes(0, 100, 100, 200), row.SetEyes(8, 130, 100, 170);
  row.SetEyes(4, 115, 105, 185), row.SetEyes(12, 115, 95, 185);
  row.SetEyes(68, 135, 80, 165), row.SetEyes(64, 95, 80, 205);
  return row;
}

MeshRow Moved(const MeshRow& row, double degrees, float scale, float shift) {
  const auto c = static_cast<float>(std::cos(degrees * std::numbers::pi / 180)),
             s = static_cast<float>(std::sin(degrees * std::numbers::pi / 180));
  MeshRow moved = row;
  for (std::vector<float>* points : {&moved.mesh, &moved.eye_l, &moved.eye_r}) {
    for (std::size_t i = 0; i < points->size(); i += 2) {
      const float x = (*points)[i] - 150, y = (*points)[i + 1] - 150;
      (*points)[i] = 150 + scale * (c * x - s * y) + shift;
      (*points)[i + 1] = 150 + scale * (s * x + c * y) + shift;
    }
  }
  return moved;
}

void WriteMeshFile(const std::string& path, const std::map<std::string, MeshRow>& rows, const std::string& made_by) {
  std::vector<std::string> keys;
  std::vector<float> flag, mesh, left, right;
  for (const auto& [key, row] : rows) {
    keys.push_back(key);
    flag.push_back(row.seen ? 1 : 0);
    mesh.insert(mesh.end(), row.mesh.begin(), row.mesh.end());
    left.insert(left.end(), row.eye_l.begin(), row.eye_l.end());
    right.insert(right.end(), row.eye_r.begin(), row.eye_r.end());
  }
  const std::uint64_t n = keys.size();
  datasets::storage::Hdf5Writer file(path);
  file.WriteStrings("key", keys);
  file.Write<float>("flag", flag, {n});
  file.Write<float>("mesh", mesh, {n, mesh.size() / 2 / n, 2});
  file.Write<float>("eye_l", left, {n, 71, 2});
  file.Write<float>("eye_r", right, {n, 71, 2});
  file.WriteAttribute("/", "made_by", made_by);
  file.Close();
}

}  // namespace auforge::tests
