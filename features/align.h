// Brings faces to a standard position: the best similarity from landmarks to a template, and the warped crop.
// Pure functions; safe to call from any thread.
#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>

#include "features/types.h"

namespace auforge::features {

// Least-squares similarity (Umeyama 1991, without reflection) with target[i] ≈ target_from_source(source[i]).
// Throws std::invalid_argument when sizes differ, are < 2, or all source points coincide.
Similarity FitSimilarity(std::span<const Point2> source, std::span<const Point2> target);

// Centres of the right (36, 39) and left (42, 45) eye and the distance between them, in pixels.
Point2 RightEyeCentre(const Landmarks68& landmarks);
Point2 LeftEyeCentre(const Landmarks68& landmarks);
float InterOcularDistance(const Landmarks68& landmarks);

Landmarks68 Transform(const Similarity& target_from_source, const Landmarks68& landmarks);
// The landmark that takes this one's place in a mirrored face, 0..67.
std::size_t MirrorLandmark(std::size_t landmark);
// The landmarks of the picture flipped left to right: x -> width - x, with left and right indices exchanged.
Landmarks68 Mirror(const Landmarks68& landmarks, float image_width);

// A neutral frontal face (the mean of a morphable face model), in inter-ocular distances from the middle
// between the eyes; symmetric about x = 0.
const Landmarks68& MeanFace();

struct AlignOptions {
  int size = 128;              // side of the square crop, pixels, >= 16
  float inter_ocular = 0.30F;  // eye distance as a share of the side, 0.1..0.9
  float eye_height = 0.40F;    // height of the eye line as a share of the side, 0.1..0.9
  void Validate() const;       // throws std::invalid_argument naming field and value
};

// The crop that features look at: from the hair line to the chin, tighter than the crop that is stored.
AlignOptions FeatureCrop(int size);

struct AlignedFace {
  cv::Mat crop;                // size x size, the type of the source image
  Similarity crop_from_image;  // in coordinates with pixel centres at .5
};

// The similarity of AlignFace alone: fits eye corners, nose base and mouth corners to a mean face, so that
// one bad landmark cannot tilt the crop.
Similarity CropFromImage(const Landmarks68& landmarks, const AlignOptions& options);

// Warps the face into its crop (bilinear, area-averaged when the face is much larger than the crop; borders
// replicated). image: CV_8UC1 or CV_8UC3, landmarks in its pixels.
AlignedFace AlignFace(const cv::Mat& image, const Landmarks68& landmarks, const AlignOptions& options);

// Warps by any similarity given in pixel-centre-.5 coordinates. output: height x width of the image's type.
// Costs what the visible part of the image costs. Throws std::invalid_argument for another type or a
// similarity without inverse.
cv::Mat Warp(const cv::Mat& image, const Similarity& target_from_image, int width, int height);

}  // namespace auforge::features
