// What a method of making faces hands over, whatever the method: a picture, and everything exact about it.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/dense_points.h"
#include "features/types.h"

namespace auforge::datasets::synthetic {

// AU vectors are in the order of features::CatalogueSchema(), 0..5.
struct SyntheticFace {
  cv::Mat image;                      // CV_8UC3 BGR, size x size; finished: degraded and occluded
  features::Landmarks68 landmarks{};  // exact, pixels of the image; behind occluders and the frame's edge too
  std::array<bool, features::kLandmarkCount> landmark_seen{};  // not hidden, not outside the picture
  features::DensePoints dense{};      // likewise
  std::array<bool, features::kDenseCount> dense_seen{};
  std::vector<float> au;              // of the face as a whole: the stronger half
  std::vector<float> au_left;         // the subject's left half
  std::vector<float> au_right;
  std::vector<float> au_visibility;  // 0..1, share of the AU's region that can be seen in the image
  features::HeadPose pose;           // exact, of the head in front of the camera
  std::array<float, 27> light{};     // spherical harmonics of irradiance, 9 x BGR, linear light
  float visible_fraction = 1;        // 0..1, of the skin from brow to chin and cheek to cheek
  std::int64_t identity = 0;         // equal for pictures of one person within a run
  std::string source_key;            // the photo it came from; "" for pure graphics
  std::uint32_t occluders = 0;       // bits, see OccluderName
};

// Thread-safe: Generate is const, and its result depends on seed and index alone. With Expressions() = K > 1 pictures
// n K .. n K + K - 1 are scene n with K expressions: everything else is the same in them, to the grain.
class FaceGenerator {
 public:
  virtual ~FaceGenerator() = default;
  virtual SyntheticFace Generate(std::uint64_t seed, std::uint64_t index) const = 0;
  virtual std::string Method() const = 0;  // "cg", "reconstruct"
  virtual int Expressions() const = 0;     // of each scene, >= 1
  // Of everything besides seed and index that can change a picture (model, options, photos), for resuming.
  virtual std::string ConfigDigest() const = 0;
};

}  // namespace auforge::datasets::synthetic
