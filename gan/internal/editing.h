// Edits with a checkpoint in memory: what the editor and the trainer's sample sheets share.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "gan/editor.h"
#include "gan/internal/checkpoint.h"

namespace auforge::gan {

// crop: CV_8UC3, square, resized to the network's size. aus: one for each of the generator's, 0..1.
EditedFace EditWith(const Parameters& generator, const NetworkOptions& network, const cv::Mat& crop,
                    std::span<const float> aus);

// A row for each crop: the crop, then edits with single AUs at 1 (those of the schema that show best), and
// below them the attention. crops: CV_8UC3 of the network's size; aus: their own, 0..1. CV_8UC3.
cv::Mat SampleGrid(const Checkpoint& checkpoint, const std::vector<cv::Mat>& crops,
                   const std::vector<std::vector<float>>& aus);

}  // namespace auforge::gan
