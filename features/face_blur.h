// Making faces unrecognisable in a picture. Pure functions; safe to call from any thread.
#pragma once

#include <opencv2/core/mat.hpp>

#include "features/types.h"

namespace auforge::features {

// The box with room for hair, ears and chin; and the one around both.
Box HeadAround(const Box& face);
Box Union(const Box& a, const Box& b);
// Of inner points and jaw.
Box BoundingBox(const Landmarks68& landmarks);

// Replaces what is in the ellipse around the box (its corners are inside) by kBlurColumns x kBlurRows mean colours of 5 bits,
// smoothly joined: nothing else of the face is left in the picture, whatever is done to it afterwards. The ellipse's rim fades
// into what is around it. image: CV_8UC3; the box in its pixels, may reach outside; an empty one changes nothing.
inline constexpr int kBlurColumns = 3;
inline constexpr int kBlurRows = 4;
void BlurFace(cv::Mat& image, const Box& box);

}  // namespace auforge::features
