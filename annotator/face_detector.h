// Finds faces in a picture.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

struct DetectorOptions {
  int upsample = 0;         // 0..3; each step doubles the picture first and finds faces half as large, at 4x the time
  float threshold = 0.0F;   // added to the detector's own decision threshold; higher finds fewer, surer faces
  void Validate() const;
};

// One detector per thread: Detect keeps scratch buffers. Distinct objects are independent.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;
  // bgr: CV_8UC3 or CV_8UC1. Sorted by score, best first (ties by position): the order is reproducible. Boxes are as
  // dlib's detector draws them, which is what the landmarker was trained on.
  virtual std::vector<features::Detection> Detect(const cv::Mat& bgr) = 0;
  virtual std::string Name() const = 0;  // "dlib-hog", "yunet-50ef07f7", "auforge-" and the digest of its net
  // Side of the smallest face that is found in a picture as it is, pixels. Scale the picture to find others: the time
  // goes with its area.
  virtual double TemplateFace() const = 0;
  // A score of this detector on the scale of dlib's (about -0.2 doubtful, 1 and more certain).
  virtual float HogScore(float score) const = 0;
  // Whether what it finds with that score may be a dog, too: then it is a face only when the landmarker agrees
  // (face_confirmation.h).
  virtual bool NeedsConfirmation(float score) const = 0;
  // Whether it finds faces that stand on their heads and takes them for upright ones.
  virtual bool FindsUpsideDown() const = 0;
};

// The same of the detector of that Name().
float HogScoreOf(const std::string& detector, float score);

// Faces of at least that many pixels, in bgr's pixels, the surest first: the picture is scaled for the detector.
// What is found is kept down to 60 % of that size.
std::vector<features::Detection> DetectFaces(FaceDetector& detector, const cv::Mat& bgr, double least_face);

// dlib's HOG detector: frontal faces of about 80 pixels and more (40 with one upsampling).
std::unique_ptr<FaceDetector> MakeHogDetector(const DetectorOptions& options);

struct YunetOptions {
  std::string model;        // face_detection_yunet_2022mar.onnx, the variant that OpenCV 4.6 reads
  float threshold = 0.0F;   // added to the least score of 0.55
};

// YuNet (Wu et al. 2023) through OpenCV's own class: finds faces of 20 pixels and turned ones, in a quarter of HOG's
// time. Throws std::runtime_error when the model cannot be read.
std::unique_ptr<FaceDetector> MakeYunetDetector(const YunetOptions& options);

struct NetDetectorOptions {
  std::string model;        // a detector's file (docs/detector.md); "" = the one that comes with auforge
  float threshold = 0.0F;   // added to the least score of 0.55
};

// The project's own net (net_detector.h): turned and small faces, too. Throws std::runtime_error where the file cannot
// be read, datasets::storage::BadContent where it is no detector.
std::unique_ptr<FaceDetector> MakeNetDetector(const NetDetectorOptions& options);

inline constexpr const char* kDefaultDetector = "auforge";

// A detector as options of programs name it.
struct DetectorChoice {
  std::string name = kDefaultDetector;  // "auforge", "hog" or "yunet"
  std::string model = {};    // yunet's file, which it needs, or another net of auforge's
  float threshold = 0;       // added to the detector's own; higher: fewer, surer faces
  int upsample = 0;          // HOG's: how often a picture is doubled first
  void Validate() const;     // throws std::invalid_argument naming what is wrong and what to do
};
std::unique_ptr<FaceDetector> MakeDetector(const DetectorChoice& choice);

}  // namespace auforge::annotator
