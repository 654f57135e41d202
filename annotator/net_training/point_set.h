// Faces to train a landmarker on: pictures with points, exact for renders, a teacher's for photographs. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/dense_points.h"
#include "features/types.h"

namespace auforge::annotator {

struct PointFace {
  cv::Mat picture;                 // CV_8UC3 (BGR): the face and its surroundings
  features::Landmarks68 points{};  // pixels of the picture; where not known, about where they should be
  std::array<bool, features::kLandmarkCount> known{};
  std::array<std::int8_t, features::kLandmarkCount> seen{};  // 1 can be seen, 0 hidden, -1 not known
  // Where they were asked for.
  features::DensePoints dense{};
  std::array<std::int8_t, features::kDenseCount> dense_seen{};
};

// How much of a picture is kept.
struct KeptPicture {
  float boxes = 2.2F;  // side of what is kept, in boxes about the face
  float box = 111.76F;  // pixels of that box at most: what nets can use
  bool dense = false;   // with dense points: tables alone, and faces that have them
};

using PointSetLog = std::function<void(const std::string&)>;

// Tables of points (annotator/point_file.h) or folders of them, and shards of synthetic faces (the stored crops with
// the exact points), by their names. Rows with fewer than half of the inner points known are left out and counted.
// Throws std::runtime_error naming the file.
std::vector<PointFace> LoadPointFaces(const std::vector<std::string>& sources, const PointSetLog& log,
                                      const KeptPicture& kept = {});

}  // namespace auforge::annotator
