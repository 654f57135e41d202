// Puts what a generator changed back into the picture it came from, at that picture's resolution. Pure
// functions.
#pragma once

#include <opencv2/core/mat.hpp>

#include "features/types.h"
#include "tools/gan/edit_scope.h"

namespace auforge::tools {

// crop, edited: the generator's input (CV_8UC3) and output (CV_32FC3, 0..1) of one size. photo: CV_8UC3,
// changed in place. What is added is the change, not the drawing, so that the photo keeps its own detail and
// grain; it fades out towards the crop's border and the scope's, and has no hue that the face does not have: a grey
// photo stays grey.
void PasteChange(const cv::Mat& crop, const cv::Mat& edited, const features::Similarity& crop_from_image,
                 cv::Mat& photo, const EditScope& scope = {});

// The crop with the same change, at the crop's own size. edited: CV_32FC3, of any size.
cv::Mat ApplyChange(const cv::Mat& crop, const cv::Mat& edited, const EditScope& scope = {});

}  // namespace auforge::tools
