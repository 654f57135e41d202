// Puts what a generator changed back into the picture it came from, at that picture's resolution. Pure
// functions.
#pragma once

#include <opencv2/core/mat.hpp>

#include "features/types.h"
#include "gan/editor.h"
#include "tools/gan/edit_scope.h"

namespace auforge::tools {

// crop, edited: the generator's input (CV_8UC3) and output (gan/editor.h; attention and colour are not needed) of one size.
// photo: CV_8UC3, changed in place. What the generator's flow moves is moved in the photo itself, with all its detail, and goes on
// beyond the crop until it has died away. What it paints is added as a change, not as a drawing, so that the photo keeps its own
// grain; that fades out towards the crop's border. Both fade out at the scope's, and no hue comes that the face does not have: a
// grey photo stays grey.
void PasteChange(const cv::Mat& crop, const gan::EditedFace& edited, const features::Similarity& crop_from_image,
                 cv::Mat& photo, const EditScope& scope = {});

// The crop with the same change, at the crop's own size. edited: of any size.
cv::Mat ApplyChange(const cv::Mat& crop, const gan::EditedFace& edited, const EditScope& scope = {});

}  // namespace auforge::tools
