// Gabor responses at facial points as one matrix product: gathered patches times a bank of filters.
//   g(s) = exp(-(s1² + γ² s2²) / (2σ²)) cos(2π s1 / λ + φ),  s = rotation of (x, y) by kπ/o        (EmotioNet, CVPR 2016)
// made DC-free by subtracting the mean under the envelope, and scaled to unit energy.
#pragma once

#include <cstddef>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "features/types.h"

namespace auforge::features {

enum class GaborPoints { kCompact, kEmotioNet };       // 51 inner landmarks + 19 skin points; EmotioNet's 66 landmarks
enum class GaborOutput { kSqrtMagnitude, kResponses };  // of quadrature pairs; one response for each phase

struct GaborOptions {
  int crop_size = 112;                                          // side of the aligned grey crop, pixels, >= 32
  std::vector<float> wavelengths = {4.5F, 7.0F, 10.5F, 15.0F};  // λ, pixels of the crop, >= 2
  int orientations = 6;                                         // o, 1..32
  std::vector<float> sigma_ratios = {0.5F};                     // σ / λ, > 0
  std::vector<float> phases = {0.0F};                           // φ, radians; kResponses only
  float gamma = 1.0F;                                           // aspect ratio, > 0
  GaborPoints points = GaborPoints::kCompact;
  GaborOutput output = GaborOutput::kSqrtMagnitude;
  float normalisation_sigma = 14.0F;                            // local mean/variance window, pixels; 0 = off
  void Validate() const;                                        // throws std::invalid_argument
  // EmotioNet's bank: λ 4 4√2 8 8√2 16, 8 orientations, σ = λ/2, a quadrature pair at 66 points: 5,280 responses.
  static GaborOptions EmotioNet();
  friend bool operator==(const GaborOptions&, const GaborOptions&) = default;
};

// The filters as rows of a matrix. Thread-safe after construction.
class GaborBank {
 public:
  explicit GaborBank(const GaborOptions& options);
  ~GaborBank();
  GaborBank(GaborBank&&) noexcept;
  GaborBank& operator=(GaborBank&&) noexcept;

  std::size_t PointCount() const;
  std::size_t Dimension() const;  // values for one face
  int Radius() const;             // patches are (2 Radius + 1)² pixels
  std::size_t FilterCount() const;
  // Coefficients of one filter, CV_32FC1, side 2 Radius + 1: correlate them with the picture.
  cv::Mat Filter(std::size_t index) const;

  // grey: CV_32FC1 of any size. Filter responses at pixels (integer positions, clamped into the picture; what lies
  // outside repeats the border). out: row-major points x FilterCount().
  void Respond(const cv::Mat& grey, std::span<const cv::Point> pixels, std::span<float> out) const;
  // The features of one face: crop is the aligned CV_8UC1 picture, landmarks in its pixels. out: Dimension() floats.
  void Extract(const cv::Mat& crop, const Landmarks68& landmarks, std::span<float> out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// (I - local mean) / local standard deviation over a Gaussian-like window; grey CV_8UC1 in, CV_32FC1 out.
cv::Mat NormaliseLocally(const cv::Mat& grey, float sigma);

// The points at which responses are taken: in the order of GaborPoints' name; skin points follow the landmarks.
std::vector<Point2> FacePoints(const Landmarks68& landmarks, GaborPoints points);
// For each of those points the index of its mirror image.
std::vector<std::size_t> MirrorFacePoints(GaborPoints points);

}  // namespace auforge::features
