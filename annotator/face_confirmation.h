// Whether what a detector found is a face. The landmarker's nets know: on what is no face they expect their points to
// be off by far, and to be hidden. dlib's trees are started twice from different boxes and end in one place on a face
// and in two on a dog, and so do landmarks and the points that the detector itself saw. Pure functions.
#pragma once

#include <vector>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "features/types.h"

namespace auforge::annotator {

struct ConfirmedFace {
  features::Landmarks68 landmarks{};
  bool is_steady = false;  // landmarks are those of FindSteady; else the mean of both runs
  // 0: none. The trees': mean distances between what should be equal, in inter-ocular distances. The nets': how far off
  // they expect their points to be, on the same scale.
  float doubt = 0;
  // The trees: doubt <= 0.21, rising to 0.40 as the detector's score rises from 0.996 to 0.999. On dlib's example
  // photos and 568 portraits that holds for all faces of 40 pixels and more; what YuNet takes for faces among
  // the dogs scores at most 0.996 and has a doubt of 0.22 and more (0.33 from 40 pixels on).
  // The nets: doubt <= 0.22, rising to 0.42 as the score rises from 0.95 to 0.995, and 45 % of the points in sight. Chosen
  // on what YuNet finds in portraits, clean faces, renders and 10,000 pictures of Debian's packages.
  bool is_face = false;
  bool may_stand_on_its_head = false;  // for RefuseUpsideDown to ask
  float Trust() const;  // TrustIn(doubt)
};

// 1 up to a doubt of 0.20, 0.3 from 0.45: a factor of the face's quality.
float TrustIn(float doubt);
// Of points that the nets found.
float DoubtOf(const FoundLandmarks& found);

struct FaceCandidate {
  const cv::Mat* image = nullptr;  // not owned
  features::Detection detection;
};

std::vector<ConfirmedFace> ConfirmFaces(const Landmarker& landmarker,
                                        const std::vector<FaceCandidate>& candidates);

// A face in a picture, its points as annotation has them.
struct LandmarkedFace {
  features::Detection detection;
  features::Landmarks68 landmarks{};
};

// Faces of at least that many pixels, the surest first: what the detector finds and, where it needs that, the landmarker
// confirms.
std::vector<LandmarkedFace> FindFaces(FaceDetector& detector, const Landmarker& landmarker, const cv::Mat& bgr,
                                      double least_face);

// What is a face, but stands on its head, is none any more: its labels would be worth nothing. YuNet finds
// such faces and sees eyes on top; but in the picture turned upside down it is surer of them, and so surely
// not of upright ones. Only faces of some doubt, or of which the nets see little, are asked, which is what all those
// are: two searches of 60 pixels square each. detector: the one that found the candidates. confirmed: of the candidates; is_face may
// change.
void RefuseUpsideDown(FaceDetector& detector, const std::vector<FaceCandidate>& candidates,
                      std::vector<ConfirmedFace>& confirmed);

// All of that as annotation does it: the steady landmarks of every candidate that is a face, and what is left of doubt.
// Where a detector needs no confirmation it is believed, as far as the nets are not sure that it errs.
std::vector<ConfirmedFace> LandmarksOf(const Landmarker& landmarker, FaceDetector& detector,
                                       const std::vector<FaceCandidate>& candidates);

}  // namespace auforge::annotator
