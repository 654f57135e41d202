// Faces of a photo with their AUs, for commands that start from a picture instead of a shard.
#pragma once

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "annotator/face_detector.h"
#include "features/align.h"
#include "features/au_schema.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

struct FoundFace {
  features::Box box;  // as the detector gave it, in the photo's pixels
  features::Landmarks68 landmarks{};
  features::AlignedFace aligned;
  features::AuEstimate aus;  // of FaceFinder::schema()
};

class FaceFinder {
 public:
  // Loads the default AU model and landmarker. Throws std::runtime_error naming what is missing.
  FaceFinder(int min_face, int crop_size, const annotator::DetectorChoice& detector = {});
  ~FaceFinder();
  const features::AuSchema& schema() const;
  std::vector<FoundFace> Find(const cv::Mat& bgr);

  struct Measurement {
    features::Landmarks68 landmarks{};  // in the picture's pixels
    features::AuEstimate aus;
    std::vector<float> features;  // what the AUs were told from
  };
  // The AUs of a face whose box is known, without looking for it.
  Measurement Measure(const cv::Mat& bgr, const features::Box& box) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// --detector and --detector-model.
void AddDetectorOptions(Command& command, annotator::DetectorChoice& detector);
// Throws UsageError for a detector that there is not, or that lacks its file.
void RequireDetector(const annotator::DetectorChoice& detector);

// Reads and decodes a photo; throws BadInputError naming it. profile: is given its profile of colours (datasets/colour_profile.h).
cv::Mat ReadPhoto(const std::string& path, std::vector<std::uint8_t>* profile = nullptr);

}  // namespace auforge::tools
