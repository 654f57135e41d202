// What is behind made-up people: walls, rooms, streets, gardens, out of focus. Pure functions.
#pragma once

#include <opencv2/core/mat.hpp>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic {

// width x height, CV_32FC3 BGR in linear light. light: colour of the light that falls on it.
cv::Mat PaintBackdrop(int width, int height, Vec3 light, Random& random);

}  // namespace auforge::datasets::synthetic
