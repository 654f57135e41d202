#include "tools/gan/face_finder.h"

#include <span>

#include "annotator/au_model.h"
#include "annotator/face_confirmation.h"
#include "annotator/landmarker.h"
#include "datasets/colour_profile.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::tools {

struct FaceFinder::Impl {
  Impl(int least_face, int crop_size, const annotator::DetectorChoice& choice)
      : model(annotator::AuModel::Load(annotator::DefaultAuModelPath())),
        detector(annotator::MakeDetector(choice)),
        landmarker(annotator::LandmarksFor(model.info().landmarker)),
        extractor(model.info().features),
        min_face(least_face) {
    annotator::RequireSameLandmarker(landmarker.Name(), model.info().landmarker, annotator::DefaultAuModelPath());
    crop.size = crop_size;
  }
  Measurement Measure(const cv::Mat& bgr, const features::Landmarks68& landmarks) const {
    Measurement result;
    result.landmarks = landmarks;
    // As in annotation: from the standard crop, whatever the size that is asked for.
    const features::AlignedFace standard = features::AlignFace(bgr, landmarks, {});
    result.features.resize(extractor.Dimension());
    extractor.Extract(standard.crop, features::Transform(standard.crop_from_image, landmarks), result.features);
    result.aus = model.Predict(result.features, 1)[0];
    return result;
  }

  annotator::AuModel model;
  std::unique_ptr<annotator::FaceDetector> detector;
  annotator::Landmarker landmarker;
  features::FeatureExtractor extractor;
  features::AlignOptions crop;
  int min_face;
};

FaceFinder::FaceFinder(int min_face, int crop_size, const annotator::DetectorChoice& detector)
    : impl_(std::make_unique<Impl>(min_face, crop_size, detector)) {}
FaceFinder::~FaceFinder() = default;
const features::AuSchema& FaceFinder::schema() const { return impl_->model.info().schema; }

std::vector<FoundFace> FaceFinder::Find(const cv::Mat& bgr) {
  std::vector<FoundFace> faces;
  for (const annotator::LandmarkedFace& found :
       annotator::FindFaces(*impl_->detector, impl_->landmarker, bgr, impl_->min_face)) {
    FoundFace face;
    face.box = found.detection.box;
    face.landmarks = found.landmarks;
    face.aus = impl_->Measure(bgr, face.landmarks).aus;
    face.aligned = features::AlignFace(bgr, face.landmarks, impl_->crop);
    faces.push_back(std::move(face));
  }
  return faces;
}

FaceFinder::Measurement FaceFinder::Measure(const cv::Mat& bgr, const features::Box& box) const {
  return impl_->Measure(bgr, impl_->landmarker.FindSteady(bgr, box));
}

void AddDetectorOptions(Command& command, annotator::DetectorChoice& detector) {
  command.Add("--detector", detector.name, "what finds the faces of photos: auforge: turned and small faces, too; hog: dlib's, frontal faces; yunet: OpenCV's, needs --detector-model");
  command.Add("--detector-model", detector.model, "yunet's file, face_detection_yunet_2022mar.onnx, or another net of auforge's");
}

void RequireDetector(const annotator::DetectorChoice& detector) {
  try {
    detector.Validate();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

cv::Mat ReadPhoto(const std::string& path, std::vector<std::uint8_t>* profile) {
  const std::string text = datasets::storage::ReadFile(path);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const datasets::DecodedImage image = datasets::DecodeImage(bytes, {});
  if (profile != nullptr) *profile = datasets::ColourProfileOf(bytes);
  if (image.status != datasets::Outcome::kOk) throw BadInputError(path + ": " + image.message);
  return image.bgr;
}

}  // namespace auforge::tools
