#include "tools/gan/edit_scope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "features/align.h"
#include "features/au_partition.h"

namespace auforge::tools {
namespace {

constexpr float kSame = 0.02F;   // of the conditions' 0..1
constexpr float kFully = 0.08F;  // from here on an edit is drawn as it is
// In inter-ocular distances.
constexpr float kFade = 0.10F, kEyeRim = 0.05F;

// How far beyond its region an AU moves skin: the jaw's outline sinks as the mouth opens.
float ReachOf(int au) {
  if (au == 26 || au == 27) return 0.50F;
  return au == 16 || au == 17 || au == 25 ? 0.30F : 0.20F;
}

// Regions beyond those of the publication, which are for looking at an AU, not for making it: what else moves.
std::vector<int> RoisMovedBy(int au) {
  std::vector<int> rois = features::AuRois(au);
  const auto add = [&](std::initializer_list<int> more) { rois.insert(rois.end(), more); };
  if (au == 12 || au == 13 || au == 14 || au == 10) add({15, 16, 19, 20, 21, 22, 23, 24});           // cheeks
  if (au == 6) add({15, 20, 21, 24, 42, 43, 40, 41});                                                // and lids
  if (au == 25 || au == 26 || au == 27) add({21, 22, 23, 24, 25, 28, 29, 30, 31, 32, 33, 34, 35, 36});  // jaw
  if (au == 9) add({2, 3, 4, 5, 21, 22, 23, 24});                                                    // brows, lip
  return rois;
}

int Odd(float radius) { return 2 * std::max(0, static_cast<int>(std::lround(radius))) + 1; }

cv::Mat Dilated(const cv::Mat& mask, float radius) {
  cv::Mat wide;
  cv::dilate(mask, wide, cv::getStructuringElement(cv::MORPH_ELLIPSE, {Odd(radius), Odd(radius)}));
  return wide;
}

// 255 in the opening of both eyes.
cv::Mat EyeOpenings(const features::Landmarks68& landmarks, int size) {
  constexpr std::array<int, 2> kEyes{42, 43};
  return features::RoiMask(kEyes, landmarks, size, size);
}

void Blur(cv::Mat& picture, float sigma) {
  // Beyond the crop it goes on as at its edge.
  if (sigma > 0) cv::GaussianBlur(picture, picture, {}, sigma, sigma, cv::BORDER_REPLICATE);
}

}  // namespace

bool MovesLids(int au) {
  constexpr std::array<int, 6> kLids{5, 6, 7, 43, 45, 46};
  return std::find(kLids.begin(), kLids.end(), au) != kLids.end();
}

EditScope ScopeOf(const features::AuSchema& schema, std::span<const float> own, std::span<const float> wanted,
                  const features::Landmarks68& landmarks_in_crop, int crop_size) {
  EditScope scope;
  float most = 0;
  for (std::size_t j = 0; j < schema.size(); ++j) {
    const float difference = std::abs(wanted[j] - own[j]);
    most = std::max(most, difference);
    if (difference > kSame) scope.aus.push_back(schema.numbers()[j]);
  }
  const float t = std::clamp((most - kSame) / (kFully - kSame), 0.0F, 1.0F);
  scope.strength = t * t * (3 - 2 * t);
  const float side = static_cast<float>(crop_size);
  for (std::size_t i = 0; i < scope.landmarks.size(); ++i)
    scope.landmarks[i] = {landmarks_in_crop[i].x / side, landmarks_in_crop[i].y / side};
  return scope;
}

EditScope ScopeOf(const features::AuSchema& schema, std::span<const float> own, std::span<const float> wanted) {
  const features::AlignOptions crop;
  const features::Landmarks68& mean = features::MeanFace();
  return ScopeOf(schema, own, wanted, features::Transform(features::CropFromImage(mean, crop), mean), crop.size);
}

cv::Mat ScopeMask(const EditScope& scope, int size) {
  if (scope.aus.empty() || scope.strength <= 0) return {size, size, CV_32FC1, cv::Scalar(scope.strength)};
  features::Landmarks68 landmarks = scope.landmarks;
  for (features::Point2& p : landmarks) p = {p.x * static_cast<float>(size), p.y * static_cast<float>(size)};
  const float eyes = features::InterOcularDistance(landmarks);
  cv::Mat moved = cv::Mat::zeros(size, size, CV_8UC1), mask;
  bool lids = false;
  for (const int au : scope.aus) {
    const std::vector<int> rois = RoisMovedBy(au);
    // Of an AU whose place is not known nothing is spared.
    if (rois.empty()) return {size, size, CV_32FC1, cv::Scalar(scope.strength)};
    cv::max(moved, Dilated(features::RoiMask(rois, landmarks, size, size), ReachOf(au) * eyes), moved);
    lids = lids || MovesLids(au);
  }
  moved.convertTo(mask, CV_32FC1, 1 / 255.0);
  Blur(mask, kFade * eyes);
  if (!lids) {
    cv::Mat kept;
    Dilated(EyeOpenings(landmarks, size), kEyeRim * eyes).convertTo(kept, CV_32FC1, -1 / 255.0, 1);
    Blur(kept, kEyeRim / 2 * eyes);
    mask = mask.mul(kept);
  }
  return mask * scope.strength;
}

}  // namespace auforge::tools
