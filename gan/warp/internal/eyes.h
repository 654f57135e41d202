// The eyes of an edited face: eyeballs stay where they are, lids cover and bare them.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "datasets/synthetic/face_renderer.h"
#include "gan/warp/internal/rims.h"
#include "gan/warp/internal/shading.h"

namespace auforge::warp::internal {

// Puts the eyeball of `source` into the opening of `target` (both CV_32FC3, display values 0..1, one size).
void FillEye(const Opening& before, const Opening& after, float pixels_per_cm, const cv::Mat& source, cv::Mat& target);

// Draws the skin of an upper lid that has come down, and the lashes along its rim, where the photo has neither: its
// colour is that of the skin round the eye, its grain that of the cheek. brow: points along the brow over the eye, from
// left to right; skin: mean display colour of the face's. Call it after FillEye.
void DrawLid(const Opening& before, const Opening& after, std::span<const features::Point2> brow,
             const cv::Vec3f& skin, float pixels_per_cm, const cv::Mat& source, cv::Mat& target);

// 0..1: how much of what lids bare the photo does not show, because the eye was shut: as its lids lie,
// and by the intensity of AU45 that the face is believed to show.
float NeverSeen(const Opening& before, const Opening& after, float au45, float pixels_per_cm);

// Draws the renderer's eyeball, with brown irises, into an opening, and the lashes' line over it. share: NeverSeen.
// shape: all vertices; moved: what the photo's landmarks add to the projection there, pixels. Call it after FillEye.
void DrawEyeball(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                 std::span<const synthetic::Vec3> shape, features::Point2 moved, const Opening& after,
                 float share, float pixels_per_cm, cv::Mat& target);

}  // namespace auforge::warp::internal
