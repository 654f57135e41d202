// A drawn face back into its photo.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "datasets/synthetic/face_renderer.h"
#include "features/types.h"

namespace auforge::datasets::synthetic::internal {

// A point of the photo and where it has moved to, both in the photo's pixels.
struct Drag {
  features::Point2 from, to;
};

// The photo with its surroundings dragged along (Shepard's interpolation on a coarse grid), size x size, CV_32FC3 in linear
// light. Beyond the photo's edges it is mirrored.
cv::Mat WarpBackground(const cv::Mat& photo, const std::vector<Drag>& drags, const features::Similarity& photo_from_target,
                       int size);

// The drawn face over the background with the soft edge of `blend` (a CV_32FC1 texture), and the background's brightness
// bent towards the face's along that edge. Returns CV_8UC3.
cv::Mat Compose(const cv::Mat& background, const RenderedFace& face, const cv::Mat& blend);

}  // namespace auforge::datasets::synthetic::internal
