// Animated GIFs.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace auforge::tools {

// frames: CV_8UC3 of one size, at least one. Loops for ever; colours are reduced to 256 for the whole film.
// Written atomically; throws std::runtime_error naming the file, std::invalid_argument for frames that do not
// fit each other.
void WriteGif(const std::string& path, const std::vector<cv::Mat>& frames, int hundredths_a_frame);

}  // namespace auforge::tools
