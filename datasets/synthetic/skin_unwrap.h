// Which point of the skin each texel of the face's texture shows, and how textures with holes are completed.
// Immutable; thread-safe.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {

class SkinUnwrap {
 public:
  // side: texels of the square texture, 64..4096.
  SkinUnwrap(const FaceModel& model, int side);

  int side() const { return side_; }
  // Model vertices of the triangle that covers texel (x, y) and its weights; false where none does.
  bool At(int x, int y, MeshTriangle& triangle, std::array<float, 3>& weights) const;
  // For each vertex-wise value its texture: CV_32FC1, side x side, -1 where no triangle covers.
  cv::Mat Paint(const std::vector<float>& vertex_values) const;
  // Texel of the mirrored place of the face; the model's texture is laid out symmetrically.
  int Mirrored(int x) const { return side_ - 1 - x; }

 private:
  int side_;
  VisibilityBuffer texels_;
  std::vector<MeshTriangle> triangles_;
};

// Fills what has no weight from what has, smoothly, coarse to fine (push and pull, Gortler et al. 1996).
// colours: CV_32FC3; weights: CV_32FC1 >= 0 of the same size. Texels of weight >= 1 keep their colour.
cv::Mat PushPull(const cv::Mat& colours, const cv::Mat& weights);

// Distance in cm, on the neutral face, of each vertex of forehead, cheeks and chin from where ears, temples, hair and
// neck begin; 0 for all other vertices.
std::vector<float> DistanceFromFaceEdge(const FaceModel& model);

}  // namespace auforge::datasets::synthetic
