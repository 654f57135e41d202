// Furrows that come and go with Action Units, by the light of the photo.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "datasets/synthetic/wrinkles.h"
#include "gan/warp/internal/displacement.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp::internal {

// The skin as it is drawn: rows of the arrays are vertices of the model or triangles of Displacement::hits.
struct FoldedSkin {
  std::span<const synthetic::MeshTriangle> triangles;
  std::span<const std::array<std::array<float, 2>, 3>> texcoords;  // of the triangles' corners
  std::span<const synthetic::Vec3> normals;                        // of vertices, after the move, model space
};

struct Folds {
  cv::Mat gain;  // CV_32FC1: brightness after / before in linear light
  cv::Mat fade;  // CV_32FC1, 0..1: where a furrow of the photo is to go
};

// Immutable; thread-safe.
class FoldPainter {
 public:
  explicit FoldPainter(const synthetic::FaceModel& model);
  // own, wanted: intensities 0..5 of the catalogue, of either half.
  Folds Paint(const synthetic::Expression& own, const synthetic::Expression& wanted, const FoldedSkin& skin, const Displacement& moved,
              const synthetic::Camera& camera, const PhotoLight& light, float pixels_per_cm) const;

 private:
  cv::Mat Relief(const synthetic::Expression& expression) const;
  synthetic::WrinkleMaps maps_;
};

// Lifts what is darker than its surroundings where furrows are to go. picture: CV_32FC3, display values.
void FadeFurrows(const cv::Mat& fade, float pixels_per_cm, cv::Mat& picture);

}  // namespace auforge::warp::internal
