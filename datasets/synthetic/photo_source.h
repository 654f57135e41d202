// A photo taken apart: the fitted face, its skin without the light, the light, and what lies behind.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "datasets/synthetic/face_fit.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/landmark_pull.h"
#include "datasets/synthetic/light.h"
#include "datasets/synthetic/skin_unwrap.h"

namespace auforge::datasets::synthetic {

struct PhotoSource {
  std::string key;
  cv::Mat picture;                 // CV_8UC3, the upright surroundings of the face, kPictureSide square
  features::Landmarks68 landmarks; // in the picture's pixels
  FaceFit fit;                     // camera in the picture's pixels
  ShLight light{};                 // white; facing brightness about 1
  SkinTextures skin;               // reflectance of the face
  Vec3 skin_colour;                // its mean, BGR reflectance
};

// Side of PhotoSource::picture, pixels, and where the eyes lie in it.
inline constexpr int kPictureSide = 352;
inline constexpr float kPictureInterOcular = 64.0F / 352;  // shares of the side
inline constexpr float kPictureEyeHeight = 0.42F;

// Harmonics of irradiance that explain values of a surface of even colour, pulled towards even light.
// normals, values: n each; strength >= 0 of the pull. Scaled so that a surface that faces the camera gets 1.
ShLight EstimateLight(const std::vector<Vec3>& normals, const std::vector<float>& values, float strength);

// Immutable; thread-safe.
class PhotoTaker {
 public:
  PhotoTaker(const FaceModel& model, const FaceRenderer& renderer, int texture_side);
  // Cuts out and fits; landmarks: in the photo's pixels. Does not judge; look at fit.residual, pose and mouth.
  PhotoSource Fit(const cv::Mat& photo, const features::Landmarks68& landmarks, std::string key) const;
  // Estimates the light and fills in the skin of a fitted source.
  void Bake(PhotoSource& source) const;

 private:
  const FaceModel& model_;
  const FaceRenderer& renderer_;
  FaceFitter fitter_;
  LandmarkPuller puller_;
  SkinUnwrap unwrap_;
};

}  // namespace auforge::datasets::synthetic
