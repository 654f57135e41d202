// Faces to train a net on: the stored crops of shards, where the net's own crop lies in them, and what is known
// of their AUs: exact for renders, coded by eye for some photographs. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <opencv2/core/mat.hpp>
#include <set>
#include <string>
#include <vector>

#include "datasets/labels/label_set.h"
#include "features/au_schema.h"
#include "features/types.h"

namespace auforge::annotator {

struct TrainingCrop {
  cv::Mat picture;                         // CV_8UC3 (BGR) as stored in the shard
  features::Similarity net_from_picture;   // pixel centres at .5
  features::HeadPose pose;                 // degrees
  std::int64_t identity = 0;               // pictures of one person have one number
};

struct CropSet {
  features::AuSchema schema;
  std::vector<TrainingCrop> crops;
  // n x A, 0..5; NaN = not known, or hidden in the picture. left, right: of the person shown.
  std::vector<float> intensity, left, right;
  std::size_t size() const { return crops.size(); }
};

using CropLog = std::function<void(const std::string&)>;

// All faces of finished shards with their AUs. Where the shards are synthetic, AUs of which less than 40 % can be
// seen are not known, and both sides are told; elsewhere the sides are not known. crop_size: of the net.
// Throws std::runtime_error naming the file.
CropSet LoadRenders(const std::vector<std::string>& shards, const features::AuSchema& schema, int crop_size);

// The surest face of each annotated photograph, nothing known of its AUs; those that `taken` names (by the picture's
// name without folder and ending) are left out, and counted in the log.
CropSet LoadUnlabelledPhotos(const std::vector<std::string>& shards, const std::set<std::string>& taken,
                             const features::AuSchema& schema, int crop_size, const CropLog& log);

// Faces of annotated photographs that `labels` speaks of (by the picture's name without folder and ending, which
// is the sample's key), the surest face of each picture. What has no face, or no label, is counted in the log.
// Throws storage::BadContent when nothing is left.
CropSet LoadPhotos(const std::vector<std::string>& shards, const datasets::LabelSet& labels,
                   const features::AuSchema& schema, int crop_size, const CropLog& log);

}  // namespace auforge::annotator
