// Does a model contradict itself? The same photos mirrored, compressed and halved must get the same AUs. No
// labels needed.
#pragma once

#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "tools/au/best_face.h"

namespace auforge::tools {

struct CoherenceFigure {
  std::string name;             // "mirrored", "JPEG 50", "half size"
  std::uint64_t faces = 0;      // found in both pictures
  double presence_changes = 0;  // share of face-AUs whose presence differs, 0..1
  double mean_correlation = 0;  // mean over AUs of each AU's own r, where it is present in at least 3 % of the faces
};

struct PhotoAus {
  cv::Mat crop;  // CV_8UC3, the aligned face
  features::AuEstimate aus;
};

struct FaceIntensities {
  std::size_t photo = 0, face = 0;            // in order of the inputs; in order of the detector's score
  float quality = 0;                          // of the photo itself, 0..1
  std::vector<std::vector<float>> intensity;  // of the photo itself and of each change: per AU, 0..5; empty
                                              // where the face was not found again
};

struct CoherenceReport {
  std::uint64_t images = 0;
  std::uint64_t photos_with_faces = 0;
  std::vector<PhotoAus> faces;           // every face of every photo as it is
  std::vector<FaceIntensities> details;  // of each of `faces`
  std::vector<double> present;           // per AU, share of faces
  double quality_tells = 0;    // Spearman: quality of a face with the mean change of its intensities, see
                               // changes; negative: steady faces are trusted more
  double quality_partial = 0;  // the same with the mean intensity taken out
  double contradictions = 0;   // share of face-AUs whose presence is not intensity >= 1
  std::vector<CoherenceFigure> changes;
};

// inputs: as for annotation. progress(images done); may be empty.
CoherenceReport MeasureCoherence(const annotator::AuModel& model, const std::vector<std::string>& inputs,
                                 const FaceSearch& search, int jobs,
                                 const std::function<void(std::uint64_t)>& progress);

// photo,face,quality,AU,itself,mirrored,JPEG 50,half size: a line for each face and AU.
std::string DetailsCsv(const CoherenceReport& report, const features::AuSchema& schema);

// A row for each AU: its name, the ten faces with the highest and the ten with the lowest score.
cv::Mat DrawExtremes(const CoherenceReport& report, const features::AuSchema& schema);

}  // namespace auforge::tools
