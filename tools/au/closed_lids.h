// Landmarks of closed eyes on drawn faces, as a landmarker finds them on photographs.
#pragma once

#include <cstddef>

#include "features/types.h"

namespace auforge::tools {

// The first of an eye's six landmarks.
inline constexpr std::size_t kRightEye = 36, kLeftEye = 42;

// On drawn faces dlib's landmarker leaves closed lids apart (height to width .24 in the median at AU45 >= 4.5, .27
// open), on photographs of closed eyes it brings them to .12 to .15. This draws each pair of upper and lower lid
// points together about its middle: from AU45 = 1 on, to a ratio of .10 to .18 by `chance` (0..1) from AU45 = 3 on.
// Never apart. intensity: AU45 of that eye, 0..5.
void CloseLids(features::Landmarks68& landmarks, std::size_t eye, float intensity, float chance);

}  // namespace auforge::tools
