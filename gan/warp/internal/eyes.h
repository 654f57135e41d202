// The eyes of an edited face: eyeballs stay where they are, lids cover and bare them.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "gan/warp/internal/rims.h"

namespace auforge::warp::internal {

// Puts the eyeball of `source` into the opening of `target` (both CV_32FC3, display values 0..1, one size).
void FillEye(const Opening& before, const Opening& after, float pixels_per_cm, const cv::Mat& source, cv::Mat& target);

// Draws the skin of an upper lid that has come down, and the lashes along its rim, where the photo has neither: its
// colour is that of the skin round the eye, its grain that of the cheek. brow: points along the brow over the eye, from
// left to right; skin: mean display colour of the face's. Call it after FillEye.
void DrawLid(const Opening& before, const Opening& after, std::span<const features::Point2> brow,
             const cv::Vec3f& skin, float pixels_per_cm, const cv::Mat& source, cv::Mat& target);

}  // namespace auforge::warp::internal
