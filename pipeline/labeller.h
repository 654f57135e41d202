// What labelling an image needs, wherever it comes from and wherever its faces go: how it is to be done, and the models,
// loaded once. Shared by the runs that write shards (annotate.h) and by images that come one after the other from
// memory (label_stream.h).
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>

#include "annotator/au_model.h"
#include "annotator/dense_landmarker.h"
#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "features/align.h"
#include "features/feature_extractor.h"

namespace auforge::pipeline {

struct LabelOptions {
  std::string model;                 // AU model; empty: annotator::DefaultAuModelPath()
  std::shared_ptr<const annotator::AuModel> ready_model;  // used instead of `model` where set
  std::string landmarks;             // as annotator::LandmarkFile's; empty: those that the model has learnt from
  bool dense = false;                // dense points, too (annotator/dense_landmarker.h)
  std::string detector = annotator::kDefaultDetector;  // "auforge" (turned and smaller faces, too), "hog" (dlib's) or
                                                       // "yunet" (needs detector_model)
  std::string detector_model;        // YuNet's ONNX file, or another net of auforge's
  int min_face = 80;                 // smallest face looked for, pixels, 20..2000; time per image falls with its square
  float detector_threshold = 0;      // added to the detector's own; higher: fewer, surer faces
  bool reduce = true;                // decode JPEGs at 1/2, 1/4 or 1/8 of their size where min_face allows
  features::AlignOptions crop;       // the crop that is stored
  int jpeg_quality = 92;             // of the stored crop, 1..100
  bool store_crops = true;           // false: faces have no picture
  datasets::DecodeOptions decode;

  annotator::DetectorChoice Detector() const;
  void Validate() const;             // throws std::invalid_argument naming field, value and constraint
};

// Immutable; thread-safe.
class Labeller {
 public:
  // Validates, loads the AU model and begins to load the landmarker's weights beside it. Throws std::runtime_error
  // naming the file and what to do.
  explicit Labeller(LabelOptions options);

  const LabelOptions& options() const { return options_; }
  const annotator::AuModel& model() const { return *model_; }
  const features::FeatureExtractor& extractor() const { return extractor_; }
  // Waits until the weights are there; throws likewise, and datasets::storage::BadContent where the model has learnt from
  // another landmarker's points.
  const annotator::Landmarker& landmarker() const;
  // Null where no dense points are asked for.
  const annotator::DenseLandmarker* dense() const { return dense_ ? &*dense_ : nullptr; }
  const std::string& landmark_file() const { return landmark_file_; }
  const std::string& detector_name() const { return detector_name_; }

 private:
  LabelOptions options_;
  std::string landmark_file_;
  std::shared_future<annotator::Landmarker> landmarker_;
  std::optional<annotator::DenseLandmarker> dense_;
  std::string detector_name_;
  std::shared_ptr<const annotator::AuModel> model_;
  features::FeatureExtractor extractor_;
};

// Of its nets of dense points; "" where it has none.
std::string DenseDigest(const Labeller& labeller);

}  // namespace auforge::pipeline
