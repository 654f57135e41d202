// Gabor responses at facial points as one matrix product: gathered patches times a bank of filters.
//   g(s) = exp(-(s1² + γ² s2²) / (2σ²)) cos(2π s1 / λ + φ),  s = rotation of (x, y) by kπ/o (EmotioNet, CVPR
//   2016)
// made DC-free by subtracting the carrier's mean under the envelope, cut off at 3 σ, and scaled to unit
// energy. Filters of one wave at any phase are sums of an even and an odd one, so the bank holds halves of
// these, one product for each size of patch.
#pragma once

#include <cstddef>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "features/types.h"

namespace auforge::features {

enum class GaborPoints {
  kCompact,
  kEmotioNet
};  // 51 inner landmarks + 19 skin points; EmotioNet's 66 landmarks
enum class GaborOutput { kSqrtMagnitude, kResponses };  // of quadrature pairs; one response for each phase

struct GaborOptions {
  int crop_size = 112;  // side of the aligned grey crop, pixels, >= 32
  std::vector<float> wavelengths = {4.5F, 7.0F, 10.5F, 15.0F};  // λ, pixels of the crop, >= 2
  int orientations = 6;                                         // o, 1..32
  std::vector<float> sigma_ratios = {0.5F};                     // σ / λ, > 0
  std::vector<float> phases = {0.0F};                           // φ, radians; kResponses only
  float gamma = 1.0F;                                           // aspect ratio, > 0
  GaborPoints points = GaborPoints::kCompact;
  GaborOutput output = GaborOutput::kSqrtMagnitude;
  float normalisation_sigma = 14.0F;  // local mean/variance window, pixels; 0 = off
  void Validate() const;              // throws std::invalid_argument
  // EmotioNet's bank: λ 4 4√2 8 8√2 16, 8 orientations, σ = λ/2, a quadrature pair at 66 points: 5,280
  // responses.
  static GaborOptions EmotioNet();
  // All that EmotioNet chooses from by cross-validation at 4, 6, 8 or 10 orientations: the same λ, σ/λ ∈
  // {1/4, 1/2, 3/4, 1}, φ ∈ {0, 1, 2}: 66 x 5 x 4 x orientations x 3 responses.
  static GaborOptions EmotioNetFull(int orientations);
  friend bool operator==(const GaborOptions&, const GaborOptions&) = default;
};

// A column of a face's features that no column of the mirrored face's equals.
inline constexpr std::size_t kNoMirrorColumn = static_cast<std::size_t>(-1);

// The filters as columns of matrices. Thread-safe after construction. Filter order: wavelength, σ ratio,
// orientation, phase (fastest).
class GaborBank {
 public:
  explicit GaborBank(const GaborOptions& options);
  ~GaborBank();
  GaborBank(GaborBank&&) noexcept;
  GaborBank& operator=(GaborBank&&) noexcept;

  std::size_t PointCount() const;
  std::size_t Dimension() const;  // values for one face
  int Radius() const;             // the widest patches are (2 Radius + 1)² pixels
  std::size_t FilterCount() const;
  // Coefficients of one filter, CV_32FC1, side 2 Radius + 1: correlate them with the picture.
  cv::Mat Filter(std::size_t index) const;

  // grey: CV_32FC1 of any size. Filter responses at pixels (integer positions, clamped into the picture; what
  // lies outside repeats the border). out: row-major points x FilterCount().
  void Respond(const cv::Mat& grey, std::span<const cv::Point> pixels, std::span<float> out) const;
  // The features of one face: crop is the aligned CV_8UC1 picture, landmarks in its pixels. out: Dimension()
  // floats.
  void Extract(const cv::Mat& crop, const Landmarks68& landmarks, std::span<float> out) const;
  // For each of the Dimension() values which one of the mirrored face equals it, or kNoMirrorColumn.
  std::vector<std::size_t> MirrorColumns() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// (I - local mean) / local standard deviation over a Gaussian window of sigma pixels; a noise floor of 2 grey
// levels keeps flat areas flat. grey CV_8UC1 in, CV_32FC1 out. sigma 0: grey / 255.
cv::Mat NormaliseLocally(const cv::Mat& grey, float sigma);

// The points at which responses are taken: in the order of GaborPoints' name; skin points follow the
// landmarks.
std::vector<Point2> FacePoints(const Landmarks68& landmarks, GaborPoints points);
// For each of those points the index of its mirror image.
std::vector<std::size_t> MirrorFacePoints(GaborPoints points);

}  // namespace auforge::features
