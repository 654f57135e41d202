// What lies behind the lips: drawn, and as the photo shows it.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "datasets/synthetic/face_renderer.h"
#include "gan/warp/internal/rims.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp::internal {

// Teeth, tongue and the dark behind them inside `box` of the camera's picture; CV_32FC3, display values 0..1. before: the
// mouth as photographed: teeth that it shows are not drawn again below their edge.
cv::Mat DrawInside(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                   std::span<const synthetic::Vec3> shape, const Opening& before, const Opening& opening, float pixels_per_cm,
                   const cv::Rect& box);

// Looks for them from the brightest row behind the rims outwards. source: CV_32FC3, the photo.
LipEdges FindLipEdges(const Opening& opening, float pixels_per_cm, const cv::Mat& source);

// Puts what the photo itself shows behind the lips over that: the upper teeth stand still while lips move, the lower ones go
// with the jaw. What a lip bares beyond goes on as teeth do, and above their crowns are gums. source: CV_32FC3, the photo.
void PutOwnMouth(const PhotoLight& light, const Opening& before, const Opening& after, features::Point2 jaw_moves, float pixels_per_cm,
                 const cv::Mat& source, const cv::Rect& box, cv::Mat& inside);

}  // namespace auforge::warp::internal
