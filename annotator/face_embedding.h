// Whether two pictures show the same person, for measuring edits: dlib's face recognition network (a ResNet of 29 layers,
// CC0), of which the user brings the weights (dlib_face_recognition_resnet_model_v1.dat). Nothing here tells who somebody
// is, and nothing is kept.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

// One thread at a time.
class FaceEmbedder {
 public:
  // Throws storage::BadContent naming a file of another kind, std::runtime_error for one that cannot be read.
  explicit FaceEmbedder(const std::string& path);
  ~FaceEmbedder();
  // 128 numbers; its authors take faces less than 0.6 apart for one person. bgr: CV_8UC3, landmarks in its pixels.
  std::vector<float> Embed(const cv::Mat& bgr, const features::Landmarks68& landmarks);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Euclidean. requires: one size.
double EmbeddingDistance(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace auforge::annotator
