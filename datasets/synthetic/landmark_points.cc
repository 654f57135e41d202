#include "datasets/synthetic/landmark_points.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr std::size_t kFirstBrow = 17;

// The points of the mesh that lie nearest, in the mean, to where dlib's landmarker finds the points on undegraded
// faces of method "cg" (500 made-up people; docs/synthetic-faces.md has what remains on others). Mirrored.
constexpr std::array<MeshPoint, features::kLandmarkCount> kMarkedPoints{{
    {{1794, 1794, 1794}, {1, 0, 0}}, {{1888, 1888, 1888}, {1, 0, 0}}, {{1893, 1893, 1893}, {1, 0, 0}},
    {{367, 367, 367}, {1, 0, 0}}, {{745, 745, 745}, {1, 0, 0}}, {{763, 765, 770}, {0.79F, 0.11F, 0.10F}},
    {{803, 1674, 803}, {0.53F, 0.47F, 0}}, {{1445, 1444, 2196}, {0.82F, 0.13F, 0.05F}},
    {{969, 965, 876}, {0.51F, 0.46F, 0.03F}}, {{3659, 3658, 4387}, {0.82F, 0.13F, 0.05F}},
    {{3044, 3881, 3044}, {0.53F, 0.47F, 0}}, {{3004, 3006, 3011}, {0.79F, 0.11F, 0.10F}},
    {{2986, 2986, 2986}, {1, 0, 0}}, {{2608, 2608, 2608}, {1, 0, 0}}, {{4093, 4093, 4093}, {1, 0, 0}},
    {{4088, 4088, 4088}, {1, 0, 0}}, {{3997, 3997, 3997}, {1, 0, 0}}, {{268, 994, 269}, {0.53F, 0.34F, 0.13F}},
    {{493, 295, 492}, {0.56F, 0.42F, 0.02F}}, {{309, 1913, 439}, {0.77F, 0.12F, 0.11F}},
    {{2044, 2035, 2038}, {0.52F, 0.28F, 0.20F}}, {{2008, 2007, 2027}, {0.68F, 0.16F, 0.16F}},
    {{4208, 4207, 4224}, {0.68F, 0.16F, 0.16F}}, {{4240, 4231, 4234}, {0.52F, 0.28F, 0.20F}},
    {{2550, 4113, 2680}, {0.77F, 0.12F, 0.11F}}, {{2734, 2536, 2733}, {0.56F, 0.42F, 0.02F}},
    {{2509, 3214, 2510}, {0.53F, 0.34F, 0.13F}}, {{978, 977, 1387}, {0.79F, 0.19F, 0.02F}},
    {{4527, 4526, 4522}, {0.95F, 0.03F, 0.02F}}, {{4942, 4840, 4941}, {0.69F, 0.28F, 0.03F}},
    {{4857, 4838, 4857}, {0.92F, 0.08F, 0}}, {{4584, 4564, 4586}, {0.72F, 0.26F, 0.02F}},
    {{2076, 4950, 4987}, {0.58F, 0.26F, 0.16F}}, {{4558, 5, 4558}, {0.75F, 0.25F, 0}},
    {{4270, 5404, 5441}, {0.58F, 0.26F, 0.16F}}, {{5049, 5029, 5051}, {0.72F, 0.26F, 0.02F}},
    {{2243, 1547, 2243}, {0.76F, 0.24F, 0}}, {{1575, 1576, 1575}, {0.78F, 0.22F, 0}},
    {{1572, 1573, 6610}, {0.69F, 0.27F, 0.04F}}, {{2235, 1528, 2234}, {0.66F, 0.20F, 0.14F}},
    {{6596, 1557, 1558}, {0.47F, 0.32F, 0.21F}}, {{1552, 6594, 1553}, {0.66F, 0.25F, 0.09F}},
    {{4426, 3742, 4425}, {0.66F, 0.20F, 0.14F}}, {{3786, 3787, 6568}, {0.69F, 0.27F, 0.04F}},
    {{3789, 3790, 3789}, {0.78F, 0.22F, 0}}, {{4434, 3761, 4434}, {0.76F, 0.24F, 0}},
    {{3766, 6552, 3767}, {0.66F, 0.25F, 0.09F}}, {{6554, 3771, 3772}, {0.47F, 0.32F, 0.21F}},
    {{5708, 5680, 5733}, {0.59F, 0.21F, 0.20F}}, {{5720, 5692, 5662}, {0.36F, 0.34F, 0.30F}},
    {{2069, 2081, 6029}, {0.52F, 0.38F, 0.10F}}, {{5525, 0, 2412}, {0.78F, 0.21F, 0.01F}},
    {{4263, 4275, 6533}, {0.52F, 0.38F, 0.10F}}, {{6225, 6197, 6167}, {0.36F, 0.34F, 0.30F}},
    {{6213, 6185, 6238}, {0.59F, 0.21F, 0.20F}}, {{6357, 6367, 6382}, {0.63F, 0.19F, 0.18F}},
    {{6507, 6508, 6480}, {0.59F, 0.24F, 0.17F}}, {{5520, 5518, 6438}, {0.71F, 0.28F, 0.01F}},
    {{6003, 6004, 5976}, {0.59F, 0.24F, 0.17F}}, {{5852, 5862, 5877}, {0.63F, 0.19F, 0.18F}},
    {{5595, 5596, 5595}, {0.71F, 0.29F, 0}}, {{6038, 6025, 6039}, {0.66F, 0.30F, 0.04F}},
    {{5526, 5527, 6263}, {0.58F, 0.41F, 0.01F}}, {{6542, 6529, 6543}, {0.66F, 0.30F, 0.04F}},
    {{6100, 6101, 6100}, {0.71F, 0.29F, 0}}, {{6512, 6484, 6511}, {0.59F, 0.28F, 0.13F}},
    {{5515, 5516, 6442}, {0.72F, 0.27F, 0.01F}}, {{6008, 5980, 6007}, {0.59F, 0.28F, 0.13F}},
}};

// Planes that cut the outline at landmarks 0 to 4: a point of each plane, the direction along the outline, and the
// least z of what counts, cm; those of the other side are mirrored. Found as the points above.
struct Plane {
  Vec3 at;
  float along_x, along_y, least_z;
};
constexpr std::array<Plane, 5> kPlanes{{{{-7.48F, 3.38F, 2.81F}, 0.040F, -0.999F, 2.31F},
                                        {{-7.29F, 1.40F, 3.10F}, 0.102F, -0.995F, 2.10F},
                                        {{-7.06F, -0.52F, 2.64F}, 0.184F, -0.983F, 1.89F},
                                        {{-6.59F, -2.50F, 4.72F}, 0.289F, -0.957F, 3.22F},
                                        {{-6.09F, -4.41F, 4.53F}, 0.505F, -0.863F, 4.78F}}};
constexpr float kReach = 4.0F;  // cm from a plane's point

// Edges of the face's skin, each once.
std::vector<std::pair<std::int32_t, std::int32_t>> FaceEdges(const FaceModel& model) {
  std::vector<std::pair<std::int32_t, std::int32_t>> edges;
  for (const FaceTriangle& t : model.triangles) {
    if (*std::max_element(t.vertex.begin(), t.vertex.end()) >= internal::kFaceEnd) continue;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int32_t a = t.vertex[k], b = t.vertex[(k + 1) % 3];
      edges.emplace_back(std::min(a, b), std::max(a, b));
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

}  // namespace

std::span<const MeshPoint, features::kLandmarkCount> MarkedPoints() { return kMarkedPoints; }

LandmarkPoints::LandmarkPoints(const FaceModel& model) {
  const auto edges = FaceEdges(model);
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    Section& section = sections_[s];
    const Plane& plane = kPlanes[s % kSliding];
    const float side = s < kSliding ? 1.0F : -1.0F;
    section.landmark = s < kSliding ? s : 16 - (s - kSliding);
    const Vec3 start{side * plane.at.x, plane.at.y, plane.at.z};
    section.outwards = {side * plane.along_y, -plane.along_x};
    for (const auto& [a, b] : edges) {
      const Vec3 from = model.neutral[static_cast<std::size_t>(a)], to = model.neutral[static_cast<std::size_t>(b)];
      const auto before = [&](Vec3 p) { return (p.x - start.x) * side * plane.along_x + (p.y - start.y) * plane.along_y; };
      const float da = before(from), db = before(to);
      if ((da <= 0) == (db <= 0)) continue;
      const float t = da / (da - db);
      const Vec3 cut = Mix(from, to, t);
      if (cut.z > plane.least_z && Length(cut - start) < kReach) section.points.push_back({{a, b, b}, {1 - t, t, 0}});
    }
    if (section.points.empty()) section.points.push_back(kMarkedPoints[section.landmark]);
  }
}

std::array<MeshPoint, features::kLandmarkCount> LandmarkPoints::Locate(std::span<const Vec3> shape,
                                                                       const Camera& camera) const {
  std::array<MeshPoint, features::kLandmarkCount> located = kMarkedPoints;
  const auto place = [&](const MeshPoint& p) { return camera.Project(camera.View(p.On(shape))); };
  const features::Point2 right = features::Midpoint(place(located[36]), place(located[39])),
                         left = features::Midpoint(place(located[42]), place(located[45]));
  const float dx = left.x - right.x, dy = left.y - right.y, eyes = std::hypot(dx, dy);
  if (eyes <= 0) return located;
  const float c = dx / eyes, s = dy / eyes;
  for (const Section& section : sections_) {
    // The picture's y runs downwards.
    const features::Point2 outwards{c * section.outwards.x + s * section.outwards.y,
                                    s * section.outwards.x - c * section.outwards.y};
    float farthest = -1e30F;
    for (const MeshPoint& point : section.points) {
      const features::Point2 p = place(point);
      const float reach = p.x * outwards.x + p.y * outwards.y;
      if (reach <= farthest) continue;
      farthest = reach;
      located[section.landmark] = point;
    }
  }
  return located;
}

std::array<Vec3, features::kLandmarkCount> LandmarkPoints::Place(std::span<const Vec3> shape, const Camera& camera,
                                                                 const BrowLift& lift) const {
  const std::array<MeshPoint, features::kLandmarkCount> located = Locate(shape, camera);
  std::array<Vec3, features::kLandmarkCount> points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i] = located[i].On(shape);
    if (i >= kFirstBrow && i < kFirstBrow + lift.size()) points[i].y += lift[i - kFirstBrow];
  }
  return points;
}

features::Landmarks68 LandmarkPoints::Project(std::span<const Vec3> shape, const Camera& camera,
                                              const BrowLift& lift) const {
  features::Landmarks68 points;
  const std::array<Vec3, features::kLandmarkCount> placed = Place(shape, camera, lift);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = camera.Project(camera.View(placed[i]));
  return points;
}

}  // namespace auforge::datasets::synthetic
