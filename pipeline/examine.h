// One image to its faces: decode, detect, landmarks, features, crop. Everything but the classification.
#pragma once

#include <memory>
#include <vector>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_source.h"
#include "datasets/shard.h"
#include "features/feature_extractor.h"
#include "pipeline/annotate.h"

namespace auforge::pipeline {

// An image on its way through the pipeline. Pixels and encoded bytes are gone when Examine returns.
struct ExaminedImage {
  datasets::SampleRecord sample;
  std::string stage;                         // where it failed, for the error log
  std::string message;
  std::vector<datasets::FaceRecord> faces;   // without AUs and emotion; aus.quality is set
  std::vector<float> features;               // row-major faces x dimension
  std::array<double, kStageCount> stage_seconds{};
};

// What all threads share.
struct ExamineShared {
  const AnnotateOptions& options;
  const annotator::Landmarker& landmarker;
  const features::FeatureExtractor& extractor;
};

// One per thread: holds a detector. Never throws for a bad image; the fault is in the result.
class Examiner {
 public:
  explicit Examiner(const ExamineShared& shared);
  ExaminedImage Examine(datasets::ImageItem item);
  std::string DetectorName() const { return detector_->Name(); }

 private:
  void ExamineDecoded(const datasets::ImageItem& item, ExaminedImage& result);
  std::vector<features::Detection> Detect(const cv::Mat& bgr);

  ExamineShared shared_;
  std::unique_ptr<annotator::FaceDetector> detector_;
  double detection_scale_ = 1;
};

}  // namespace auforge::pipeline
