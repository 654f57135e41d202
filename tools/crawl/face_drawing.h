// Faces as one looks at them: the crop with its landmarks and, beside it, a bar for each AU that stands out.
#pragma once

#include <cstdint>
#include <limits>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "datasets/shard.h"

namespace auforge::tools {

// A panel of fixed size for one face: the crop with landmarks on the left, up to 12 AU bars (strongest first;
// halves that differ as thin lines) and the emotion on the right. height >= 96 pixels; the panel is 2 x height wide. CV_8UC3.
cv::Mat DrawFacePanel(const datasets::ShardReader& shard, std::size_t face, int height);

// The face's stored crop, CV_8UC3; of a shard without crops a plain ground of the size that a crop would have had.
// Throws BadInputError naming file and face when the crop cannot be decoded.
cv::Mat FacePicture(const datasets::ShardReader& shard, std::size_t face);
// The same as a JPEG, with the landmarks drawn: what stands for a crop that was not stored.
std::vector<std::uint8_t> PointsPicture(const datasets::ShardReader& shard, std::size_t face);

// Panels in rows of `columns`, on a light ground. Empty when there are no panels.
cv::Mat TilePanels(const std::vector<cv::Mat>& panels, int columns);

struct AuScore {
  std::string name;
  float intensity = 0;  // 0..5
  bool present = false;
  // Of the subject's halves, 0..5; NaN where nothing tells.
  float left = std::numeric_limits<float>::quiet_NaN(), right = left;
};
// AUs of a face, strongest first.
std::vector<AuScore> RankAus(const datasets::ShardReader& shard, std::size_t face);

// Landmarks in the pixels of the stored crop.
features::Landmarks68 CropLandmarks(const datasets::ShardReader& shard, std::size_t face);

}  // namespace auforge::tools
