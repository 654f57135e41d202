#include "datasets/synthetic/visibility.h"

#include <algorithm>
#include <cmath>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/internal/face_topology.h"
#include "features/au_schema.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr float kDepthSlack = 0.45F;   // cm; lips and lids lie close over what they cover
constexpr float kLeastFacing = 0.08F;  // flatter skin shows nothing
constexpr std::size_t kEvery = 3;      // every third vertex is sample enough

// What lies inside nostrils, lids and lips never counts: 1 for vertices that show in a frontal face at rest.
std::vector<std::uint8_t> SeenFromTheFront(const FaceModel& model) {
  constexpr int kSide = 512;
  constexpr float kScale = 18;  // samples a cm
  std::vector<ScreenVertex> screen;
  for (const Vec3 p : model.neutral)
    screen.push_back({kSide / 2 + kScale * p.x, kSide / 2 - kScale * (p.y - 1), 100 + p.z});
  std::vector<MeshTriangle> skin;
  for (const FaceTriangle& t : model.triangles) {
    if (model.materials[static_cast<std::size_t>(t.material)] == "M_Face") skin.push_back(t.vertex);
  }
  VisibilityBuffer buffer;
  buffer.Reset(kSide, kSide);
  buffer.Draw(screen, skin, Facing::kBoth, 0);
  std::vector<std::uint8_t> seen(model.VertexCount(), 0);
  for (std::size_t v = 0; v < seen.size(); ++v) {
    const int x = static_cast<int>(screen[v].x), y = static_cast<int>(screen[v].y);
    if (x < 0 || y < 0 || x >= kSide || y >= kSide) continue;
    seen[v] = buffer.InverseDepth(x, y) < screen[v].invz + 0.12F ? 1 : 0;
  }
  std::vector<Vec3> normals(model.VertexCount());
  VertexNormals(model.neutral, skin, normals);
  for (std::size_t v = 0; v < seen.size(); ++v) seen[v] = seen[v] != 0 && normals[v].z > 0.12F ? 1 : 0;
  return seen;
}

}  // namespace

VisibilityMeter::VisibilityMeter(const FaceModel& model) {
  const AuShapes shapes(model);
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  const std::vector<Vec3>& at = model.neutral;
  const auto landmark = [&](std::size_t i) { return at[static_cast<std::size_t>(LandmarkVertices()[i])]; };
  const float brow = std::max(landmark(19).y, landmark(24).y) + 0.5F, chin = landmark(8).y;
  const std::vector<std::uint8_t> can_be_seen = SeenFromTheFront(model);
  for (std::size_t v = 0; v < static_cast<std::size_t>(internal::kNarrowFaceEnd); v += kEvery) {
    if (can_be_seen[v] == 0) continue;
    vertices_.push_back(static_cast<std::int32_t>(v));
    const bool counts =
        at[v].y < brow && at[v].y > chin && std::abs(at[v].x) < landmark(14).x && at[v].z > landmark(14).z;
    face_weight_.push_back(counts ? 1.0F : 0.0F);
  }
  au_weight_.assign(vertices_.size() * aus.size(), 0.0F);
  for (std::size_t j = 0; j < aus.size(); ++j) {
    // Parted lips have no shape of their own; they move what raises the upper and lowers the lower lip moves.
    std::vector<float> weights = shapes.Weights(shapes.Single(aus[j] == 25 ? 16 : aus[j], 5), 1);
    if (aus[j] == 25) {
      const std::vector<float> upper = shapes.Weights(shapes.Single(10, 5), 1);
      for (std::size_t e = 0; e < weights.size(); ++e) weights[e] += upper[e];
    }
    const std::vector<Vec3> moved = model.EvaluateAt(vertices_, {}, weights);
    float largest = 1e-6F;
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      const float distance = Length(moved[i] - at[static_cast<std::size_t>(vertices_[i])]);
      au_weight_[i * aus.size() + j] = distance;
      largest = std::max(largest, distance);
    }
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      float& w = au_weight_[i * aus.size() + j];
      w = w > 0.15F * largest ? w : 0.0F;
    }
  }
}

Visibility VisibilityMeter::Measure(std::span<const Vec3> shape, std::span<const Vec3> normals,
                                    const Camera& camera, const VisibilityBuffer& samples,
                                    int samples_per_pixel) const {
  const std::size_t aus = au_weight_.size() / vertices_.size();
  Visibility result;
  result.au.assign(aus, 0.0F);
  std::vector<float> total(aus, 0.0F);
  float face = 0, face_total = 0;
  for (std::size_t i = 0; i < vertices_.size(); ++i) {
    const auto v = static_cast<std::size_t>(vertices_[i]);
    const Vec3 view = camera.View(shape[v]);
    const features::Point2 p = camera.Project(view);
    const int x = static_cast<int>(std::floor(p.x * static_cast<float>(samples_per_pixel)));
    const int y = static_cast<int>(std::floor(p.y * static_cast<float>(samples_per_pixel)));
    bool seen = x >= 0 && y >= 0 && x < samples.width() && y < samples.height() &&
                Dot(camera.view_from_model(normals[v]), Normalised(view * -1.0F)) > kLeastFacing;
    if (seen) {
      const float invz = samples.InverseDepth(x, y);
      seen = invz <= 0 || 1 / invz > -view.z - kDepthSlack;
    }
    face_total += face_weight_[i];
    if (seen) face += face_weight_[i];
    const float* w = &au_weight_[i * aus];
    for (std::size_t j = 0; j < aus; ++j) {
      total[j] += w[j];
      if (seen) result.au[j] += w[j];
    }
  }
  result.face = face_total > 0 ? face / face_total : 0;
  for (std::size_t j = 0; j < aus; ++j) result.au[j] = total[j] > 0 ? result.au[j] / total[j] : 0;
  return result;
}

void PointsSeen(std::span<const Vec3> points, const Camera& camera, const VisibilityBuffer& samples,
                int samples_per_pixel, std::span<bool> seen) {
  const int side_x = samples.width() - 1, side_y = samples.height() - 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vec3 view = camera.View(points[i]);
    const features::Point2 p = camera.Project(view);
    const int x = static_cast<int>(std::floor(p.x * static_cast<float>(samples_per_pixel)));
    const int y = static_cast<int>(std::floor(p.y * static_cast<float>(samples_per_pixel)));
    seen[i] = false;
    if (x < 0 || y < 0 || x > side_x || y > side_y) continue;
    int open = 0, all = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx, ++all) {
        const float invz = samples.InverseDepth(std::clamp(x + dx, 0, side_x), std::clamp(y + dy, 0, side_y));
        open += invz <= 0 || 1 / invz > -view.z - kDepthSlack ? 1 : 0;
      }
    }
    seen[i] = 2 * open > all;
  }
}

}  // namespace auforge::datasets::synthetic
