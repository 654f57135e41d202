#include "tools/gan/face_finder.h"

#include <opencv2/imgproc.hpp>

#include "annotator/au_model.h"
#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

struct FaceFinder::Impl {
  Impl(int min_face, int crop_size)
      : model(annotator::AuModel::Load(annotator::DefaultAuModelPath())),
        detector(annotator::MakeHogDetector({})),
        landmarker(annotator::LandmarksFor(model.info().landmarker)),
        extractor(model.info().features),
        scale(80.0 / min_face) {
    annotator::RequireSameLandmarker(landmarker.Name(), model.info().landmarker, annotator::DefaultAuModelPath());
    crop.size = crop_size;
  }
  annotator::AuModel model;
  std::unique_ptr<annotator::FaceDetector> detector;
  annotator::Landmarker landmarker;
  features::FeatureExtractor extractor;
  features::AlignOptions crop;
  double scale;
};

FaceFinder::FaceFinder(int min_face, int crop_size) : impl_(std::make_unique<Impl>(min_face, crop_size)) {}
FaceFinder::~FaceFinder() = default;
const features::AuSchema& FaceFinder::schema() const { return impl_->model.info().schema; }

std::vector<FoundFace> FaceFinder::Find(const cv::Mat& bgr) {
  cv::Mat searched;
  cv::resize(bgr, searched, cv::Size(), impl_->scale, impl_->scale,
             impl_->scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  std::vector<FoundFace> faces;
  for (features::Detection found : impl_->detector->Detect(searched)) {
    const auto back = static_cast<float>(1 / impl_->scale);
    found.box = {found.box.x * back, found.box.y * back, found.box.width * back, found.box.height * back};
    FoundFace face;
    face.box = found.box;
    Measurement measured = Measure(bgr, found.box);
    face.landmarks = measured.landmarks;
    face.aus = std::move(measured.aus);
    face.aligned = features::AlignFace(bgr, face.landmarks, impl_->crop);
    faces.push_back(std::move(face));
  }
  return faces;
}

FaceFinder::Measurement FaceFinder::Measure(const cv::Mat& bgr, const features::Box& box) const {
  Measurement result;
  result.landmarks = impl_->landmarker.FindSteady(bgr, box);
  // As in annotation: from the standard crop, whatever the size that is asked for.
  const features::AlignedFace standard = features::AlignFace(bgr, result.landmarks, {});
  result.features.resize(impl_->extractor.Dimension());
  impl_->extractor.Extract(standard.crop, features::Transform(standard.crop_from_image, result.landmarks),
                           result.features);
  result.aus = impl_->model.Predict(result.features, 1)[0];
  return result;
}

cv::Mat ReadPhoto(const std::string& path) {
  const std::string bytes = datasets::storage::ReadFile(path);
  const datasets::DecodedImage image =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
  if (image.status != datasets::Outcome::kOk) throw BadInputError(path + ": " + image.message);
  return image.bgr;
}

}  // namespace auforge::tools
