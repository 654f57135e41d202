// Pictures whose 68 points are known: the tables points_NNNNN.csv of `auforge synth faces --images` and of
// tools/landmarks (docs/landmarks.md): file,yaw,pitch,roll,x0,y0,...,x67,y67,v0,...,v67. An empty field is not known.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "features/dense_points.h"
#include "features/types.h"

namespace auforge::annotator {

struct PointRow {
  std::string picture;             // path
  features::HeadPose pose{std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::quiet_NaN()};  // NaN: not known
  features::Landmarks68 points{};  // pixels of the picture; (0, 0) where not known
  std::array<bool, features::kLandmarkCount> known{};
  std::array<std::int8_t, features::kLandmarkCount> seen{};  // 1 can be seen, 0 hidden, -1 not known
};

// The rows of one table, or of all points_*.csv in a folder, by name. Pictures lie beside their table.
// Throws datasets::storage::BadContent naming file, line and fault, std::runtime_error where nothing can be read.
std::vector<PointRow> ReadPointTables(const std::string& path);

// The dense points of such pictures: the tables dense_NNNNN.csv beside those, file,x0,y0,...,x81,y81,v0,...,v81.
struct DenseRow {
  std::string picture;            // path
  features::DensePoints points{};  // pixels of the picture
  std::array<std::int8_t, features::kDenseCount> seen{};  // 1 can be seen, 0 hidden, -1 not known
};
// The rows of one table, or of all dense_*.csv in a folder. Throws as ReadPointTables; every point is known.
std::vector<DenseRow> ReadDenseTables(const std::string& path);

}  // namespace auforge::annotator
