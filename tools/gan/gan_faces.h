// The faces that `gan sheet` and `gan eval` work on: from shards, or found in a photo.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "annotator/face_detector.h"
#include "features/au_schema.h"
#include "features/types.h"

namespace auforge::tools {

struct GanFace {
  cv::Mat crop;                       // CV_8UC3, square
  std::vector<float> intensity;       // 0..5, one for each AU of GanFaces::schema
  features::Landmarks68 landmarks{};  // in the crop's pixels
  features::Box box;                  // as the detector gave it, in the crop's pixels
};

struct GanFaces {
  features::AuSchema schema;
  std::vector<GanFace> faces;
};

struct GanFaceOptions {
  int count = 5;           // faces, >= 1
  double min_box = 60;     // side of the detector's box in the source image, pixels
  double max_yaw = 25;     // degrees
  double min_quality = 0;  // 0..1
  annotator::DetectorChoice detector = {};  // of faces in a photo
};

// Faces of a shard or a folder of shards, spread evenly over those that fit the options; or those of a photo,
// largest quality first as found. Throws BadInputError when there are none.
GanFaces LoadGanFaces(const std::string& source, const GanFaceOptions& options, int crop_size);

}  // namespace auforge::tools
