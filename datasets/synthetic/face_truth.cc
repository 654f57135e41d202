#include "datasets/synthetic/face_truth.h"

#include "features/au_schema.h"

namespace auforge::datasets::synthetic {

FaceTruth::FaceTruth(const FaceModel& model)
    : au_shapes_(model), landmark_points_(model), dense_points_(model), visibility_(model) {}

void FaceTruth::Complete(const DrawnFace& drawn, SyntheticFace& face) const {
  const auto placed = landmark_points_.Place(drawn.shape, drawn.camera, drawn.brow_lift);
  for (std::size_t i = 0; i < placed.size(); ++i)
    face.landmarks[i] = drawn.camera.Project(drawn.camera.View(placed[i]));
  PointsSeen(placed, drawn.camera, drawn.scratch.samples, FaceRenderer::kSamples, face.landmark_seen);
  const auto dense = dense_points_.Place(drawn.shape, placed, drawn.iris_angle);
  for (std::size_t i = 0; i < dense.size(); ++i) face.dense[i] = drawn.camera.Project(drawn.camera.View(dense[i]));
  PointsSeen(dense, drawn.camera, drawn.scratch.samples, FaceRenderer::kSamples, face.dense_seen);
  const Visibility seen = visibility_.Measure(drawn.shape, drawn.scratch.normals, drawn.camera,
                                              drawn.scratch.samples, FaceRenderer::kSamples);
  face.visible_fraction = seen.face;
  face.au_visibility = seen.au;

  std::vector<Vec3> points, neutral_points;
  for (const std::int32_t v : LandmarkVertices()) {
    points.push_back(drawn.shape[static_cast<std::size_t>(v)]);
    neutral_points.push_back(drawn.neutral[static_cast<std::size_t>(v)]);
  }
  face.au_left = drawn.expression.left;
  face.au_right = drawn.expression.right;
  const std::size_t lips_part = *features::CatalogueSchema().Find(25);
  face.au_left[lips_part] = face.au_right[lips_part] = au_shapes_.LipsPart(points, neutral_points);
  face.au = Expression{face.au_left, face.au_right}.Labels();
  face.pose = PoseOf(drawn.camera.view_from_model);
  const ShLight total = drawn.light.Total();
  for (std::size_t i = 0; i < total.size(); ++i) {
    face.light[3 * i] = total[i].x;
    face.light[3 * i + 1] = total[i].y;
    face.light[3 * i + 2] = total[i].z;
  }
  face.occluders = drawn.occluders;
}

}  // namespace auforge::datasets::synthetic
