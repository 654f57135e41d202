// Edits of expressions with the photo's own pixels. The face model is laid over the face, its shapes say where the
// skin goes when Action Units change, and the photo is warped after it at its own resolution. What was hidden (inside
// of the mouth, lids) is drawn by the renderer of the synthetic faces; folds are drawn by the light.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/face_model.h"
#include "features/types.h"

namespace auforge::warp {

// Where tools/fetch-face-model.sh puts the face model, which is not part of the repository; AUFORGE_FACE_MODEL overrides it.
// The file need not exist.
std::string DefaultFaceModelPath();

// Immutable; thread-safe.
class FaceWarper {
 public:
  // Takes about a second. model: must outlive the warper; throws std::invalid_argument when it is not ICT-FaceKit light
  // or lacks a shape.
  explicit FaceWarper(const datasets::synthetic::FaceModel& model);
  ~FaceWarper();
  FaceWarper(FaceWarper&&) noexcept;

  // Changes one face of a photo in place. photo: CV_8UC3. landmarks: in its pixels. own, wanted: intensities 0..5 of
  // features::CatalogueSchema(), what the face shows and what it is to show. Where they are equal nothing changes, to
  // the last bit. Throws std::invalid_argument for another type of picture, another number of AUs or numbers that are not
  // finite.
  void Edit(cv::Mat& photo, const features::Landmarks68& landmarks, std::span<const float> own, std::span<const float> wanted) const;
  // The same, either half of the face by its own intensities. AUs without sides (features::AuHasSides) take the mean of both.
  void Edit(cv::Mat& photo, const features::Landmarks68& landmarks, const datasets::synthetic::Expression& own,
            const datasets::synthetic::Expression& wanted) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::warp
