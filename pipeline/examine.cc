#include "pipeline/examine.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "annotator/face_quality.h"
#include "datasets/storage/checksum.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {
namespace {

using datasets::Outcome;

// Faces of this many pixels are the smallest that the 80-px HOG template finds at full resolution.
constexpr double kTemplateFace = 80;

double& Seconds(ExaminedImage& result, Stage stage) { return result.stage_seconds[static_cast<std::size_t>(stage)]; }

features::Box Scaled(const features::Box& box, double factor) {
  const auto scale = [factor](float v) { return static_cast<float>(v * factor); };
  return {scale(box.x), scale(box.y), scale(box.width), scale(box.height)};
}

}  // namespace

Examiner::Examiner(const ExamineShared& shared)
    : shared_(shared),
      detector_(annotator::MakeHogDetector({.upsample = 0, .threshold = shared.options.detector_threshold})),
      detection_scale_(kTemplateFace / shared.options.min_face) {}

ExaminedImage Examiner::Examine(datasets::ImageItem item) {
  ExaminedImage result;
  result.sample.key = item.key;
  result.sample.url = item.url;
  result.sample.keywords = item.keywords;
  result.sample.status = item.status;
  result.message = item.message;
  result.stage = "read";
  if (item.status != Outcome::kOk) return result;
  result.sample.sha256 = datasets::storage::Sha256(item.bytes);
  try {
    ExamineDecoded(item, result);
  } catch (const std::exception& error) {
    // One image that a library chokes on must not end a run of a million.
    result.sample.status = Outcome::kUndecodable;
    result.message = error.what();
    result.faces.clear();
    result.features.clear();
  }
  return result;
}

std::vector<features::Detection> Examiner::Detect(const cv::Mat& bgr) {
  if (std::abs(detection_scale_ - 1) < 1e-6) return detector_->Detect(bgr);
  cv::Mat scaled;
  cv::resize(bgr, scaled, cv::Size(), detection_scale_, detection_scale_,
             detection_scale_ < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  std::vector<features::Detection> found = detector_->Detect(scaled);
  for (features::Detection& detection : found) detection.box = Scaled(detection.box, 1 / detection_scale_);
  return found;
}

void Examiner::ExamineDecoded(const datasets::ImageItem& item, ExaminedImage& result) {
  result.stage = "decode";
  datasets::DecodedImage image;
  {
    Stopwatch watch(Seconds(result, Stage::kDecode));
    image = datasets::DecodeImage(item.bytes, shared_.options.decode);
  }
  result.sample.width = image.width;
  result.sample.height = image.height;
  result.sample.status = image.status;
  result.message = image.message;
  if (image.status != Outcome::kOk) return;

  result.stage = "detect";
  std::vector<features::Detection> found;
  {
    Stopwatch watch(Seconds(result, Stage::kDetect));
    found = Detect(image.bgr);
  }
  if (found.empty()) {
    result.sample.status = Outcome::kNoFace;
    result.message = "no face of " + std::to_string(shared_.options.min_face) + " pixels or more was found";
    return;
  }

  result.stage = "features";
  const std::size_t dimension = shared_.extractor.Dimension();
  result.features.resize(found.size() * dimension);
  for (std::size_t i = 0; i < found.size(); ++i) {
    datasets::FaceRecord face;
    face.box = found[i].box;
    face.detector_score = found[i].score;
    face.face_index = static_cast<std::int32_t>(i);
    {
      Stopwatch watch(Seconds(result, Stage::kLandmarks));
      face.landmarks = shared_.landmarker.Find(image.bgr, face.box);
      face.pose = annotator::EstimatePose(face.landmarks);
    }
    features::AlignedFace aligned;
    {
      Stopwatch watch(Seconds(result, Stage::kCrop));
      aligned = features::AlignFace(image.bgr, face.landmarks, shared_.options.crop);
    }
    {
      // From the crop that is stored and that models are trained on: a shard's AUs can be computed again from it.
      Stopwatch watch(Seconds(result, Stage::kFeatures));
      shared_.extractor.Extract(aligned.crop, features::Transform(aligned.crop_from_image, face.landmarks),
                                std::span(result.features).subspan(i * dimension, dimension));
    }
    {
      Stopwatch watch(Seconds(result, Stage::kCrop));
      face.crop_from_image = aligned.crop_from_image;
      face.image = datasets::EncodeJpeg(aligned.crop, shared_.options.jpeg_quality);
      face.aus.quality = annotator::FaceQuality({.detector_score = face.detector_score,
                                                 .inter_ocular = features::InterOcularDistance(face.landmarks),
                                                 .sharpness = annotator::Sharpness(aligned.crop),
                                                 .pose = face.pose,
                                                 .landmark_misfit = annotator::LandmarkMisfit(face.landmarks)});
    }
    result.faces.push_back(std::move(face));
  }
}

}  // namespace auforge::pipeline
