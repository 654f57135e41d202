// Finds faces in a picture.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

struct DetectorOptions {
  int upsample = 0;         // 0..3; each step doubles the picture first and finds faces half as large, at 4x the time
  float threshold = 0.0F;   // added to the detector's own decision threshold; higher finds fewer, surer faces
  void Validate() const;
};

// One detector per thread: Detect keeps scratch buffers. Distinct objects are independent.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;
  // bgr: CV_8UC3 or CV_8UC1. Sorted by score, best first (ties by position): the order is reproducible.
  virtual std::vector<features::Detection> Detect(const cv::Mat& bgr) = 0;
  virtual std::string Name() const = 0;  // "dlib-hog"
};

// dlib's HOG detector: frontal faces of about 80 pixels and more (40 with one upsampling).
std::unique_ptr<FaceDetector> MakeHogDetector(const DetectorOptions& options);

}  // namespace auforge::annotator
