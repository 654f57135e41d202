// What lids bare of an eye that the photo shows in part: the iris grows to its circle, with the white above it.
#pragma once

#include <opencv2/core/mat.hpp>
#include <optional>

#include "gan/warp/internal/rims.h"

namespace auforge::warp::internal {

// In centimetres from the opening's left corner: along the line of its corners, and down from it.
struct Iris {
  float along = 0, down = 0, radius = 0;
  float flat = 1;  // how much narrower than high it looks
};
// None where the opening shows too little to tell. source: CV_32FC3, display values.
std::optional<Iris> FindIris(const Opening& opening, float pixels_per_cm, const cv::Mat& source);

// Paints what lies above the upper rim of `before`, and its lashes and shadow, into `eye`: CV_32FC3, the part of the picture that
// begins at `corner`, as source has it.
void PaintBared(const Iris& iris, const Opening& before, const Opening& after, float pixels_per_cm, const cv::Mat& source,
                cv::Point corner, cv::Mat& eye);

}  // namespace auforge::warp::internal
