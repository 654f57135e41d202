// The light of a photo, and how it falls on skin that has moved.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/light.h"
#include "gan/warp/internal/photo_fit.h"

namespace auforge::warp::internal {

struct PhotoLight {
  synthetic::ShLight harmonics{};  // white; facing brightness 1
  synthetic::Vec3 skin, lips;      // mean linear BGR of the photo's cheeks and lips
  float white = 1;                 // linear brightness of eye whites
  bool is_grey = false;
  float Skin() const { return 0.1F * skin.x + 0.6F * skin.y + 0.3F * skin.z; }
};

// Linear brightness of a pixel; the nearest one outside the picture.
float BrightnessAt(const cv::Mat& picture, features::Point2 p);

// picture: CV_8UC3 that `photo` lies over. normals: of photo.shape.
PhotoLight ReadLight(const cv::Mat& picture, const FittedPhoto& photo, const Seams& seams, std::span<const synthetic::Vec3> normals,
                     const features::Landmarks68& landmarks);

// What the renderer draws behind an opening, in the photo's light: the part `box` of the camera's picture. skin, shape: must outlive
// the scene.
synthetic::FaceScene SceneBehind(const synthetic::SkinTextures& skin, const PhotoLight& light, const synthetic::Camera& camera,
                                 std::span<const synthetic::Vec3> shape, const cv::Rect& box);

// Brightness after / before in linear light for each vertex, limited to what skin does.
std::vector<float> LightChange(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                               std::span<const synthetic::Vec3> before, std::span<const synthetic::Vec3> after,
                               std::span<const synthetic::Vec3> normals_before, std::span<const synthetic::Vec3> normals_after);

}  // namespace auforge::warp::internal
