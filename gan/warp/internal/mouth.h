// What shows between the lips of an edited face.
#pragma once

#include <opencv2/core/mat.hpp>

#include "datasets/synthetic/face_renderer.h"
#include "gan/warp/internal/rims.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp::internal {

// Fills the mouth of `target` (CV_32FC3, display values 0..1). source: the photo, of the same size and type. The
// photo's own teeth stay where the mouth showed them before, the lower ones go along with the jaw (jaw_moves: of the lower
// teeth, pixels); the rest is drawn.
void FillMouth(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
               std::span<const synthetic::Vec3> shape, const Opening& before, const Opening& after, features::Point2 jaw_moves,
               float pixels_per_cm, const cv::Mat& source, cv::Mat& target);

// The line between lips that have closed. target: as above.
void DrawLipLine(const Opening& before, const Opening& after, float pixels_per_cm, cv::Mat& target);

}  // namespace auforge::warp::internal
