#include "annotator/face_quality.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "annotator/landmarker.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

// Rises from 0 at `low` to 1 at `high` (or falls, when high < low).
float Ramp(float value, float low, float high) {
  return std::clamp((value - low) / (high - low), 0.0F, 1.0F);
}

}  // namespace

QualityEvidence EvidenceOf(const cv::Mat& crop, const features::Landmarks68& landmarks,
                           float detector_score) {
  return {.detector_score = detector_score,
          .inter_ocular = features::InterOcularDistance(landmarks),
          .sharpness = Sharpness(crop),
          .pose = EstimatePose(landmarks),
          .landmark_misfit = LandmarkMisfit(landmarks)};
}

float FaceQuality(const QualityEvidence& evidence) {
  const float yaw = std::abs(evidence.pose.yaw);
  const float pitch = std::abs(evidence.pose.pitch);
  // Each term leaves a floor, so that one doubt alone does not make a face worthless.
  const float detector = 0.3F + 0.7F * Ramp(evidence.detector_score, -0.2F, 1.0F);
  const float size = 0.1F + 0.9F * Ramp(evidence.inter_ocular, 8, 36);
  const float sharp = 0.3F + 0.7F * Ramp(evidence.sharpness, 0.05F, 0.25F);
  const float turn = 0.2F + 0.8F * Ramp(yaw, 55, 20) * Ramp(pitch, 45, 20);
  const float shape = 0.1F + 0.9F * Ramp(evidence.landmark_misfit, 0.22F, 0.12F);
  return detector * size * sharp * turn * shape;
}

float Sharpness(const cv::Mat& crop) {
  cv::Mat grey = crop;
  if (crop.channels() == 3) cv::cvtColor(crop, grey, cv::COLOR_BGR2GRAY);
  cv::Mat laplacian;
  cv::Laplacian(grey, laplacian, CV_32F);
  cv::Scalar mean, edges, contrast;
  cv::meanStdDev(laplacian, mean, edges);
  cv::meanStdDev(grey, mean, contrast);
  return static_cast<float>(edges[0] / std::max(1.0, contrast[0]));
}

}  // namespace auforge::annotator
