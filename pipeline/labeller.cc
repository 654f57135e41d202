#include "pipeline/labeller.h"

#include <opencv2/core/utility.hpp>
#include <stdexcept>

#include "pipeline/examine.h"

namespace auforge::pipeline {
namespace {

std::shared_ptr<const annotator::AuModel> LoadModel(const LabelOptions& options) {
  if (options.ready_model) return options.ready_model;
  return std::make_shared<const annotator::AuModel>(
      annotator::AuModel::Load(options.model.empty() ? annotator::DefaultAuModelPath() : options.model));
}

std::shared_future<annotator::Landmarker> BeginLoading(const std::string& name) {
  return std::async(std::launch::async, [name] { return annotator::Landmarker(name); }).share();
}

// What is named, else what the model wants; told without loading the model, so that both can be loaded side by side.
std::string LandmarksOf(const LabelOptions& options) {
  if (!options.landmarks.empty()) return options.landmarks;
  if (options.ready_model) return annotator::LandmarksFor(options.ready_model->info().landmarker);
  return annotator::LandmarksFor(
      annotator::LandmarkerOfModel(options.model.empty() ? annotator::DefaultAuModelPath() : options.model));
}

LabelOptions Validated(LabelOptions options) {
  options.Validate();
  return options;
}

}  // namespace

annotator::DetectorChoice LabelOptions::Detector() const {
  return {.name = detector, .model = detector_model, .threshold = detector_threshold};
}

void LabelOptions::Validate() const {
  const auto require = [](bool condition, const std::string& text) {
    if (!condition) throw std::invalid_argument(text);
  };
  require(min_face >= 20 && min_face <= 2000, "min-face = " + std::to_string(min_face) + "; must be 20..2000 pixels");
  require(jpeg_quality >= 1 && jpeg_quality <= 100,
          "jpeg-quality = " + std::to_string(jpeg_quality) + "; must be 1..100");
  Detector().Validate();
  crop.Validate();
  decode.Validate();
}

Labeller::Labeller(LabelOptions options)
    : options_(Validated(std::move(options))),
      landmark_file_(annotator::LandmarkFile(LandmarksOf(options_))),
      landmarker_(BeginLoading(LandmarksOf(options_))),
      detector_name_(annotator::MakeDetector(options_.Detector())->Name()),
      model_(LoadModel(options_)),
      extractor_(model_->info().features) {
  if (options_.dense) dense_ = annotator::DenseLandmarker::Load(annotator::DefaultDenseNetPath());
  // One pool of threads: ours. OpenCV would start another inside every task.
  cv::setNumThreads(0);
}

const annotator::Landmarker& Labeller::landmarker() const {
  const annotator::Landmarker& loaded = landmarker_.get();
  annotator::RequireSameLandmarker(loaded.Name(), model_->info().landmarker, "the AU model");
  return loaded;
}

std::string DenseDigest(const Labeller& labeller) { return labeller.dense() != nullptr ? labeller.dense()->digest() : ""; }

}  // namespace auforge::pipeline
