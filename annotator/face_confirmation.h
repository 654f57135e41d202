// Whether what a detector found is a face: the landmarker started twice from different boxes ends in one
// place on a face and in two on a dog, and so do landmarks and the points that the detector itself saw. Pure
// functions.
#pragma once

#include <vector>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "features/types.h"

namespace auforge::annotator {

struct ConfirmedFace {
  features::Landmarks68 landmarks{};  // the mean of both runs
  float doubt = 0;  // 0: none; mean distances between what should be equal, in inter-ocular distances
  // doubt <= 0.21, rising to 0.40 as the detector's score rises from 0.996 to 0.999. On dlib's example
  // photos and 568 portraits that holds for all faces of 40 pixels and more; what YuNet takes for faces among
  // the dogs scores at most 0.996 and has a doubt of 0.22 and more (0.33 from 40 pixels on).
  bool is_face = false;
  float Trust() const;  // 1 up to a doubt of 0.20, 0.3 from 0.45: a factor of the face's quality
};

struct FaceCandidate {
  const cv::Mat* image = nullptr;  // not owned
  features::Detection detection;
};

std::vector<ConfirmedFace> ConfirmFaces(const Landmarker& landmarker,
                                        const std::vector<FaceCandidate>& candidates);

// What is a face, but stands on its head, is none any more: its labels would be worth nothing. YuNet finds
// such faces and sees eyes on top; but in the picture turned upside down it is surer of them, and so surely
// not of upright ones. Only faces of some doubt are asked, which is what all those are: two searches of 60
// pixels square each. detector: the one that found the candidates. confirmed: of the candidates; is_face may
// change.
void RefuseUpsideDown(FaceDetector& detector, const std::vector<FaceCandidate>& candidates,
                      std::vector<ConfirmedFace>& confirmed);

}  // namespace auforge::annotator
