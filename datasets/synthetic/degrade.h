// What cameras, editors and web sites do to pictures. Pure functions of picture, options and random stream.
#pragma once

#include <opencv2/core/mat.hpp>

#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic {

// Rates are chances 0..1.
struct DegradeOptions {
  float tone = 0.8F;       // exposure, contrast and gamma change
  float cast = 0.4F;       // a colour cast
  float grey = 0.12F;      // no colour at all
  float small = 0.40F;     // was once smaller: scaled down to 25..90 % and up again
  float blur = 0.22F;      // out of focus, up to 2 % of the side
  float motion = 0.06F;    // moved, up to 4 % of the side
  float noise = 0.45F;     // of a sensor, up to 12 grey levels
  float jpeg = 0.80F;      // qualities 25..95
  void Validate() const;   // throws std::invalid_argument naming field and value
};

// image: CV_8UC3. The same size and geometry.
cv::Mat Degrade(const cv::Mat& image, const DegradeOptions& options, Random& random);

}  // namespace auforge::datasets::synthetic
