// Whether what a detector found is a face: the landmarker started twice from different boxes ends in one place on a
// face and in two on a dog, and so do landmarks and the points that the detector itself saw. Pure functions.
#pragma once

#include <vector>

#include "annotator/landmarker.h"
#include "features/types.h"

namespace auforge::annotator {

// Most that ConfirmFaces' doubt is on a face. On dlib's example photos and 300 portraits it is below 0.20 for all
// faces of 40 pixels and more, and above 0.33 for all that YuNet takes for faces among the dogs.
inline constexpr float kMostDoubt = 0.23F;

struct ConfirmedFace {
  features::Landmarks68 landmarks{};  // the mean of both runs
  float doubt = 0;                    // 0: no doubt; in inter-ocular distances
};

struct FaceCandidate {
  const cv::Mat* image = nullptr;     // not owned
  features::Detection detection;
};

std::vector<ConfirmedFace> ConfirmFaces(const Landmarker& landmarker, const std::vector<FaceCandidate>& candidates);

}  // namespace auforge::annotator
