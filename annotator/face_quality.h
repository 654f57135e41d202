// What is known of a face before any AU is estimated, and how far that lets its annotation be trusted. Pure
// functions.
#pragma once

#include <opencv2/core/mat.hpp>

#include "features/types.h"

namespace auforge::annotator {

struct QualityEvidence {
  float detector_score = 0;  // dlib's, about -0.2..3.5
  float inter_ocular = 0;    // pixels in the source image
  float sharpness = 0;       // see Sharpness
  features::HeadPose pose;
  float landmark_misfit = 0;  // see LandmarkMisfit
};

// crop: the aligned face, CV_8UC3 or CV_8UC1; landmarks: in pixels of the source image.
QualityEvidence EvidenceOf(const cv::Mat& crop, const features::Landmarks68& landmarks, float detector_score);

// 0..1: a product of five terms, each 1 where it gives no reason for doubt. A gate for pictures that are
// hardly faces; how large the error of the AUs is likely to be is for the AU model to say (AuModel::Predict).
float FaceQuality(const QualityEvidence& evidence);

// Standard deviation of the Laplacian relative to that of the grey values in the aligned crop (CV_8UC3 or
// CV_8UC1); about 0.1 for a blurred face, 0.5 and more for a crisp one.
float Sharpness(const cv::Mat& crop);

// Root mean square distance of the rigid landmarks from an affine image of a mean face, in inter-ocular
// distances: about 0.05 for faces, more where the landmarker lost its way.
float LandmarkMisfit(const features::Landmarks68& landmarks);

}  // namespace auforge::annotator
