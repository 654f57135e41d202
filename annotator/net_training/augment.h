// What cameras, editors, crawls and landmarkers do to a face, drawn at random for each picture and pass: turn, size
// and place of the crop, mirroring, colour, tone, light from a side, resolution, blur, compression, noise, a covered
// patch. Pure functions of their arguments; the standard library's distributions are not used, since they differ
// between implementations.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>
#include <random>

#include "features/types.h"

namespace auforge::annotator {

struct AugmentOptions {
  double geometry = 1;  // scale of turn, size, place and shear; 0: the crop as evaluation has it
  double tone = 1;      // of everything that is done to its values; 0: as it is
};

// How a crop is turned, sized, stretched, sheared and shifted about its middle.
struct Jitter {
  double often, turn;       // share of crops that are turned evenly up to `turn` radians; the rest hardly
  double size, tall, shear;  // logarithms and shares, evenly up to
  double shift;             // share of the side
};
// A place that landmarks or a box have given, with jitter, mirrored when `mirrored`: target from source.
cv::Matx23d JitteredPlace(const features::Similarity& place, int side, bool mirrored, const Jitter& jitter, std::mt19937_64& random);

// The net's crop, side x side, CV_8UC3, of a face that `net_from_picture` shows it at rest; mirrored when `mirrored`.
cv::Mat AugmentedCrop(const cv::Mat& picture, const features::Similarity& net_from_picture, int side, bool mirrored,
                      const AugmentOptions& options, std::mt19937_64& random);

// Its second half: colour, tone, light, resolution, compression, noise and a covered patch, in place. Returns the patch,
// empty when there is none. least_resolution: share of its pixels in a row that a crop may be reduced to.
cv::Rect ChangeValues(cv::Mat& crop, double tone, std::mt19937_64& random, double least_resolution = .25);
// A crop of side x side pixels at any place, area-averaged where the picture shrinks. crop_from_picture: affine, pixel
// centres at .5.
cv::Mat WarpedCrop(const cv::Mat& picture, cv::Matx23d crop_from_picture, int side);

// Uniform in [low, high).
double Uniform(std::mt19937_64& random, double low, double high);

}  // namespace auforge::annotator
