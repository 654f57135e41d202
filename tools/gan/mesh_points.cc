#include "tools/gan/mesh_points.h"

#include <cmath>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::tools {
namespace {

using datasets::storage::BadContent;
using features::Point2;

constexpr std::uint64_t kMesh = 468, kEye = 71;

// One dataset of points, checked.
struct Points {
  datasets::storage::NdArray<float> array;
  std::uint64_t count;
  Point2 At(std::uint64_t row, std::uint64_t point) const {
    const float* p = &array.values[2 * (row * count + point)];
    return {p[0], p[1]};
  }
};

Points ReadPoints(const datasets::storage::Hdf5Reader& file, const std::string& path, const std::string& name,
                  std::uint64_t rows, std::uint64_t count) {
  Points points{file.Read<float>(name), count};
  if (points.array.shape != std::vector<std::uint64_t>{rows, count, 2}) {
    throw BadContent(path + ": " + name + " is not [" + std::to_string(rows) + ", " + std::to_string(count) +
                     ", 2], as many points of as many pictures as there are keys");
  }
  return points;
}

MeshPoints Pick(const Points& mesh, const Points& left, const Points& right, std::uint64_t row) {
  const auto pair = [&](std::uint64_t a, std::uint64_t b) { return MeshPoints::Pair{mesh.At(row, a), mesh.At(row, b)}; };
  const auto eyes = [&](std::uint64_t i) { return MeshPoints::Pair{left.At(row, i), right.At(row, i)}; };
  MeshPoints p;
  p.eye_corners = pair(33, 263);
  p.mouth_corners = pair(61, 291);
  p.nose_wings = pair(98, 327);
  p.lip_top = mesh.At(row, 0);
  p.lips_inner_top = mesh.At(row, 13);
  p.lips_inner_bottom = mesh.At(row, 14);
  p.nose_tip = mesh.At(row, 1);
  p.chin = mesh.At(row, 152);
  p.lid_below = eyes(4);
  p.lid_above = eyes(12);
  p.outer_corner = eyes(0);
  p.inner_corner = eyes(8);
  p.brow_inner = eyes(68);
  p.brow_outer = eyes(64);
  return p;
}

bool IsWhole(const MeshPoints& p) {
  const auto finite = [](Point2 q) { return std::isfinite(q.x) && std::isfinite(q.y); };
  for (const MeshPoints::Pair& pair : {p.eye_corners, p.mouth_corners, p.nose_wings, p.lid_below, p.lid_above, p.outer_corner,
                                       p.inner_corner, p.brow_inner, p.brow_outer, MeshPoints::Pair{p.lip_top, p.chin},
                                       MeshPoints::Pair{p.lips_inner_top, p.lips_inner_bottom}, MeshPoints::Pair{p.nose_tip, p.chin}}) {
    if (!finite(pair[0]) || !finite(pair[1])) return false;
  }
  return features::Distance(p.eye_corners[0], p.eye_corners[1]) >= 1;
}

Point2 Minus(Point2 a, Point2 b) { return {a.x - b.x, a.y - b.y}; }

}  // namespace

MeshFile ReadMeshFile(const std::string& path) {
  const datasets::storage::Hdf5Reader file(path);
  for (const char* name : {"key", "flag", "mesh", "eye_l", "eye_r"}) {
    if (!file.Exists(name)) throw BadContent(path + ": no dataset \"" + name + "\": not a file of mesh points; docs/judging-edits.md describes one");
  }
  const std::vector<std::string> keys = file.ReadStrings("key");
  const std::uint64_t rows = keys.size();
  const auto flags = file.Read<float>("flag");
  if (flags.values.size() != rows) throw BadContent(path + ": " + std::to_string(flags.values.size()) + " flags for " + std::to_string(rows) + " keys");
  const Points mesh = ReadPoints(file, path, "mesh", rows, kMesh), left = ReadPoints(file, path, "eye_l", rows, kEye),
               right = ReadPoints(file, path, "eye_r", rows, kEye);
  MeshFile result{path, file.HasAttribute("/", "made_by") ? file.ReadString("/", "made_by") : "", {}};
  for (std::uint64_t i = 0; i < rows; ++i) {
    std::optional<MeshPoints> points;
    if (flags.values[i] > 0) {
      points = Pick(mesh, left, right, i);
      if (!IsWhole(*points)) throw BadContent(path + ": " + keys[i] + ": points that are no numbers, or eyes in one place; flag it 0 where no face was seen");
    }
    if (!result.rows.emplace(keys[i], points).second) throw BadContent(path + ": " + keys[i] + " is there twice");
  }
  return result;
}

double Take(Measure measure, const MeshPoints& p) {
  const Point2 along = Minus(p.eye_corners[1], p.eye_corners[0]);
  const double eyes = std::hypot(along.x, along.y);
  const auto height = [&](Point2 q) {
    const Point2 from = Minus(q, p.eye_corners[0]);
    return (static_cast<double>(along.y) * from.x - static_cast<double>(along.x) * from.y) / eyes;
  };
  const auto heights = [&](const MeshPoints::Pair& pair) { return (height(pair[0]) + height(pair[1])) / 2; };
  const auto above_eyes = [&](const MeshPoints::Pair& brows) {
    return heights(brows) - (heights(p.outer_corner) + heights(p.inner_corner)) / 2;
  };
  const auto apart = [](const MeshPoints::Pair& pair) { return static_cast<double>(features::Distance(pair[0], pair[1])); };
  const auto value = [&]() -> double {
    switch (measure) {
      case Measure::kMouthWidth: return apart(p.mouth_corners);
      case Measure::kCornerHeight: return heights(p.mouth_corners) - height(p.lip_top);
      case Measure::kLipGap: return apart({p.lips_inner_top, p.lips_inner_bottom});
      case Measure::kJaw: return apart({p.nose_tip, p.chin});
      case Measure::kUpperLip: return height(p.lip_top) - height(p.nose_tip);
      case Measure::kInnerBrow: return above_eyes(p.brow_inner);
      case Measure::kOuterBrow: return above_eyes(p.brow_outer);
      case Measure::kBrowGap: return apart(p.brow_inner);
      case Measure::kLids: return (apart({p.lid_below[0], p.lid_above[0]}) + apart({p.lid_below[1], p.lid_above[1]})) / 2;
      case Measure::kNoseWings: return heights(p.nose_wings);
    }
    return 0;
  };
  return value() / eyes;
}

std::span<const Movement> Movements() {
  using enum Measure;
  static constexpr Movement kMovements[] = {
      {1, kInnerBrow, "inner brow", 1, true},    {2, kOuterBrow, "outer brow", 1, true},
      {4, kInnerBrow, "brow down", -1, true},    {4, kBrowGap, "gap of brows", -1, true},
      {5, kLids, "lids", 1, false},              {7, kLids, "lids", -1, false},
      {9, kNoseWings, "nose wings", 1, false},   {10, kUpperLip, "upper lip", 1, false},
      {12, kMouthWidth, "mouth width", 1, true}, {12, kCornerHeight, "corner lift", 1, true},
      {15, kCornerHeight, "corners down", -1, false}, {20, kMouthWidth, "mouth width", 1, false},
      {25, kLipGap, "lip gap", 1, true},         {26, kJaw, "jaw", 1, true},
      {26, kLipGap, "lip gap", 1, true},         {45, kLids, "lids", -1, true},
  };
  return kMovements;
}

}  // namespace auforge::tools
