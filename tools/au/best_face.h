// The surest face of a picture, as annotation sees it: for commands that learn from or judge by single-face
// pictures.
#pragma once

#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "annotator/face_detector.h"
#include "annotator/face_quality.h"
#include "annotator/landmarker.h"

namespace auforge::tools {

struct BestFace {
  cv::Mat crop;                     // the standard crop
  features::Landmarks68 landmarks;  // in the crop's pixels
  features::Landmarks68 in_image;
  annotator::QualityEvidence evidence;
};

// How faces are looked for; as annotate's options of these names.
struct FaceSearch {
  std::string detector = annotator::kDefaultDetector;  // as annotator::DetectorChoice's
  std::string detector_model;
  float detector_threshold = 0;
  std::string landmarks;  // as annotator::LandmarkFile's; empty: annotator::DefaultLandmarks()
  int min_face = 40;  // pixels, 20..2000: halved portraits are still found
  annotator::DetectorChoice Detector() const;
  void Validate() const;  // throws std::invalid_argument naming field and value
};

// Each thread takes a detector of its own for as long as it needs one. Thread-safe.
class FaceSeeker {
 public:
  explicit FaceSeeker(const FaceSearch& search = {});
  ~FaceSeeker();
  // nullopt when no face is found.
  std::optional<BestFace> Find(const cv::Mat& bgr) const;
  // The face whose landmarks lie nearest to these, roughly known ones; nullopt when none is where they are.
  std::optional<BestFace> FindNear(const cv::Mat& bgr, const features::Landmarks68& roughly) const;
  // Every face of the picture, the surest first, each in all of its Variants: nullopt where the variant does not
  // show it any more. A face is found again by its place: in a picture of several people the surest face of the
  // mirrored picture may be somebody else.
  using FaceVariants = std::vector<std::optional<BestFace>>;
  std::vector<FaceVariants> FindInVariants(const cv::Mat& bgr) const;
  // The face whose landmarks are known.
  static BestFace At(const cv::Mat& bgr, const features::Landmarks68& landmarks, float detector_score);
  const annotator::Landmarker& landmarker() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The picture itself, mirrored, at JPEG quality 50 and at half size: what an answer must not depend on.
std::vector<cv::Mat> Variants(const cv::Mat& bgr);
inline constexpr std::size_t kMirrored = 1;

// Encoded bytes of every readable image of the inputs (files, folders, lists, tars), in order.
std::vector<std::vector<std::uint8_t>> ReadImages(const std::vector<std::string>& inputs);

}  // namespace auforge::tools
