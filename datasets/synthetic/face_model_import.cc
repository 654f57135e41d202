// Reads the ICT-FaceKit OBJ folder as it is published.
#include <charconv>
#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "datasets/synthetic/face_model.h"

namespace auforge::datasets::synthetic {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNeutralFile = "generic_neutral_mesh.obj";

[[noreturn]] void Malformed(const std::string& path, std::size_t line, const char* what) {
  throw std::runtime_error(path + ": line " + std::to_string(line) + ": " + what +
                           "; fetch the FaceXModel folder of ICT-FaceKit again");
}

// Numbers of one line, one after the other.
class Cursor {
 public:
  Cursor(const char* begin, const char* end) : at_(begin), end_(end) {}
  void SkipSpace() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool AtEnd() {
    SkipSpace();
    return at_ >= end_;
  }
  // A number to its end: a blank, the line's end, or the slash between indices.
  template <typename T>
  bool Read(T& value) {
    SkipSpace();
    const auto result = std::from_chars(at_, end_, value);
    if (result.ec != std::errc()) return false;
    at_ = result.ptr;
    return at_ == end_ || *at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '/';
  }
  bool Eat(char c) {
    if (at_ >= end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  std::string Word() {
    SkipSpace();
    const char* begin = at_;
    while (at_ < end_ && *at_ != ' ' && *at_ != '\r') ++at_;
    return {begin, at_};
  }

 private:
  const char* at_;
  const char* end_;
};

struct ObjMesh {
  std::vector<Vec3> vertices;
  std::vector<std::array<float, 2>> texcoords;
  std::vector<FaceTriangle> triangles;
  std::vector<std::string> materials;
};

struct ObjCorner {
  std::int32_t vertex = 0, texcoord = 0;
};

void ReadPolygon(Cursor cursor, const std::string& path, std::size_t line, ObjMesh& mesh) {
  std::vector<ObjCorner> corners;
  while (!cursor.AtEnd()) {
    ObjCorner corner;
    if (!cursor.Read(corner.vertex) || !cursor.Eat('/') || !cursor.Read(corner.texcoord)) {
      Malformed(path, line, "a face must be written as vertex/texture pairs");
    }
    if (cursor.Eat('/')) {
      std::int32_t normal = 0;
      cursor.Read(normal);
    }
    --corner.vertex;
    --corner.texcoord;
    if (corner.vertex < 0 || corner.vertex >= static_cast<std::int32_t>(mesh.vertices.size()) || corner.texcoord < 0 ||
        corner.texcoord >= static_cast<std::int32_t>(mesh.texcoords.size())) {
      Malformed(path, line, "a face refers to a vertex that does not exist");
    }
    corners.push_back(corner);
  }
  if (corners.size() < 3) Malformed(path, line, "a face with fewer than three corners");
  for (std::size_t i = 1; i + 1 < corners.size(); ++i) {
    mesh.triangles.push_back({{corners[0].vertex, corners[i].vertex, corners[i + 1].vertex},
                              {corners[0].texcoord, corners[i].texcoord, corners[i + 1].texcoord},
                              static_cast<std::int32_t>(mesh.materials.size()) - 1});
  }
}

void ReadLine(const char* begin, const char* end, const std::string& path, std::size_t line, bool with_faces, ObjMesh& mesh) {
  Cursor cursor(begin, end);
  const std::string kind = cursor.Word();
  if (kind == "v") {
    Vec3 v;
    if (!cursor.Read(v.x) || !cursor.Read(v.y) || !cursor.Read(v.z)) Malformed(path, line, "a vertex without three numbers");
    mesh.vertices.push_back(v);
  } else if (with_faces && kind == "vt") {
    std::array<float, 2> t{};
    if (!cursor.Read(t[0]) || !cursor.Read(t[1])) Malformed(path, line, "a texture coordinate without two numbers");
    mesh.texcoords.push_back(t);
  } else if (with_faces && kind == "usemtl") {
    mesh.materials.push_back(cursor.Word());
  } else if (with_faces && kind == "f") {
    if (mesh.materials.empty()) mesh.materials.emplace_back("none");
    ReadPolygon(cursor, path, line, mesh);
  }
}

ObjMesh ReadObj(const fs::path& path, bool with_faces) {
  if (!storage::Exists(path.string())) {
    throw std::runtime_error(path.string() + ": is missing; this must be the FaceXModel folder of ICT-FaceKit, whole");
  }
  const std::string text = storage::ReadFile(path.string());
  ObjMesh mesh;
  std::size_t line = 0;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    const char* stop = newline != nullptr ? static_cast<const char*>(newline) : end;
    ReadLine(at, stop, path.string(), ++line, with_faces, mesh);
    at = stop + 1;
  }
  if (mesh.vertices.empty()) Malformed(path.string(), line, "no vertex in it");
  return mesh;
}

std::vector<Vec3> Delta(const fs::path& path, const std::vector<Vec3>& neutral) {
  ObjMesh mesh = ReadObj(path, false);
  if (mesh.vertices.size() != neutral.size()) {
    throw std::runtime_error(path.string() + ": has " + std::to_string(mesh.vertices.size()) + " vertices, the neutral mesh " +
                             std::to_string(neutral.size()) + "; the folder mixes two versions");
  }
  for (std::size_t i = 0; i < neutral.size(); ++i) {
    Vec3& v = mesh.vertices[i];
    v = {v.x - neutral[i].x, v.y - neutral[i].y, v.z - neutral[i].z};
  }
  return std::move(mesh.vertices);
}

}  // namespace

FaceModel FaceModel::ImportObjFolder(const std::string& folder,
                                     const std::function<void(std::size_t, std::size_t)>& progress) {
  if (!storage::IsFolder(folder)) throw std::runtime_error(folder + ": no such folder");
  ObjMesh mesh = ReadObj(fs::path(folder) / kNeutralFile, true);
  FaceModel model;
  model.neutral = std::move(mesh.vertices);
  model.texcoords = std::move(mesh.texcoords);
  model.triangles = std::move(mesh.triangles);
  model.materials = std::move(mesh.materials);
  if (model.neutral.size() <= 6539) {
    throw std::runtime_error(folder + ": the mesh has too few vertices for ICT-FaceKit's landmarks; is it the light model?");
  }

  std::set<std::string> identities, expressions;
  for (const fs::path entry : storage::FolderEntries(folder)) {
    const std::string name = entry.filename().string();
    if (entry.extension() != ".obj" || name == kNeutralFile) continue;
    (name.starts_with("identity") ? identities : expressions).insert(entry.stem().string());
  }
  if (identities.empty() || expressions.empty()) {
    throw std::runtime_error(folder + ": has no identity or no expression shapes; fetch the whole FaceXModel folder");
  }
  // identity000 … must be whole: a hole would shift everybody's face.
  std::size_t expected = 0;
  for (const std::string& name : identities) {
    char wanted[16];
    std::snprintf(wanted, sizeof(wanted), "identity%03zu", expected++);
    if (name != wanted) throw std::runtime_error((fs::path(folder) / (std::string(wanted) + ".obj")).string() + ": is missing");
  }
  const std::size_t total = identities.size() + expressions.size();
  std::size_t done = 0;
  const auto step = [&] {
    if (progress) progress(++done, total);
  };
  for (const std::string& name : identities) {
    model.identities.push_back(Delta(fs::path(folder) / (name + ".obj"), model.neutral));
    step();
  }
  for (const std::string& name : expressions) {
    model.expressions.push_back(Delta(fs::path(folder) / (name + ".obj"), model.neutral));
    model.expression_names.push_back(name);
    step();
  }
  return model;
}

}  // namespace auforge::datasets::synthetic
