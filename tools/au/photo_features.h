// Feature rows of the surest face of each of many pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/feature_extractor.h"
#include "tools/au/best_face.h"

namespace auforge::tools {

struct PhotoFeatures {
  std::vector<float> rows;            // n x dimension
  std::vector<std::int64_t> picture;  // n; which picture a row is of
  std::size_t pictures = 0;           // that could be read
  std::size_t faces = 0;              // pictures with a face
};

// inputs: files, folders, lists, tars. with_variants: each face also mirrored, compressed and halved, a row each where it
// is found again. In order of the pictures, whatever the number of threads.
PhotoFeatures ExtractPhotos(const std::vector<std::string>& inputs, const features::FeatureSpec& spec,
                            bool with_variants, const FaceSearch& search, int jobs);

}  // namespace auforge::tools
