// Images to their labelled faces: decode and detect one by one, then landmarks, features, crops and AUs of
// many faces at once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/dense_landmarker.h"
#include "annotator/face_confirmation.h"
#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "features/feature_extractor.h"
#include "pipeline/annotate.h"
#include "pipeline/feed.h"
#include "pipeline/labeller.h"

namespace auforge::pipeline {

// An image on its way through the pipeline. Pixels and encoded bytes are gone when Examine returns.
struct ExaminedImage {
  datasets::SampleRecord sample;
  std::string file_state;
  std::string stage;  // where it failed, for the error log
  std::string message;
  std::vector<datasets::FaceRecord> faces;
  std::vector<std::uint8_t> au_visible;  // faces x AUs: 0 where the AU's region cannot be seen
  std::vector<features::DensePoints> dense;  // of each face, pixels of the image; empty where they were not asked for
  // What the quality owes to the image alone, for who labels the face again without it (relabel.cc):
  std::vector<float> trust;  // of each face: what the need of confirmation left of it, 0..1
  float scale = 1;           // pixels that were looked at, per pixel of the image
};

// Leaves out the faces for which is_kept has false; the others are numbered anew. aus: those of the model.
void KeepFaces(ExaminedImage& image, std::size_t aus, const std::vector<bool>& is_kept);
// Leaves out faces of lower quality; an image that loses all of them is kLowQuality. aus: those of the model.
void DropPoorFaces(ExaminedImage& image, std::size_t aus, float least_quality);

struct ExaminedGroup {
  Group::Kind kind = Group::Kind::kImages;
  const datasets::InputShard* shard = nullptr;
  InputRecord input;  // of a beginning
  std::vector<ExaminedImage> images;
  StageSeconds seconds{};
  datasets::SideNotes notes;  // of kEnd
  std::string fault;          // of kEnd
  bool abandoned = false;  // the run is to stop: images are missing, their shard must not be written
};

// What all threads share.
struct ExamineShared {
  const LabelOptions& options;
  const annotator::Landmarker& landmarker;
  const annotator::DenseLandmarker* dense;  // null: no dense points
  const features::FeatureExtractor& extractor;
  const annotator::AuModel& model;
  std::mutex
      large_image;  // held for pictures of many pixels: no more than one at a time, whatever the threads
};

// One per thread: holds a detector. Never throws for a bad image; the fault is in the result. What a face
// gets does not depend on the images that share its group.
class Examiner {
 public:
  explicit Examiner(ExamineShared& shared);
  // Returns early, with less than it was given, when `stop` says so.
  std::unique_ptr<ExaminedGroup> Examine(std::unique_ptr<Group> group, StopRequest& stop);

 private:
  struct Picture {          // decoded, with faces, waiting for the others of its group
    std::size_t image = 0;  // index in the group
    datasets::DecodedImage decoded;
    std::vector<features::Detection> found;  // in pixels of decoded.bgr
  };
  struct Face {  // of a picture in waiting_
    std::size_t image = 0;
    const datasets::DecodedImage* decoded = nullptr;
    features::Detection detection;
    features::Landmarks68 landmarks{};  // pixels of decoded->bgr
    float trust = 1;                    // what the detector's need of confirmation left of it
  };

  void ExamineImage(const datasets::ImageItem& item, std::size_t index);
  void Flush();          // empties waiting_
  void FinishWaiting();  // waiting_ to faces in result_
  // Asked before every step that takes milliseconds. True once the run is to stop; result_ says so then.
  bool Abandoned();
  std::vector<Face> FindLandmarks();
  features::DensePoints DenseOf(const Face& face);  // pixels of the image
  // Fills the face's features and evidence; the record's quality is the trust in the detection, so far.
  datasets::FaceRecord Crop(const Face& face, std::span<float> features,
                            annotator::QualityEvidence& evidence);
  double& Seconds(Stage stage) { return result_->seconds[static_cast<std::size_t>(stage)]; }

  ExamineShared& shared_;
  std::unique_ptr<annotator::FaceDetector> detector_;
  std::vector<Picture> waiting_;
  std::size_t waiting_pixels_ = 0;
  std::unique_ptr<ExaminedGroup> result_;  // of the group in work, and
  StopRequest* stop_ = nullptr;            // who may call it off
};

}  // namespace auforge::pipeline
