// What stands before a face: the frame of glasses, strands of hair. Pure functions.
#pragma once

#include <opencv2/core/mat.hpp>

#include "features/types.h"

namespace auforge::tools {

// How much of an edit each pixel takes, CV_32FC1, 0..1, of the size of picture (CV_8UC3): 0 where the upper half of the face is
// much darker or lighter than the skin around it and no brow, eye or tip of the nose is there, which are so of themselves. Below the
// nose everything takes it, since beards move with the mouth, and so does what lies beyond the face. landmarks: in picture's
// pixels. lids_move: the edit takes what lies round the eyes, too.
cv::Mat BehindWhatStandsInFront(const cv::Mat& picture, const features::Landmarks68& landmarks, bool lids_move);

}  // namespace auforge::tools
