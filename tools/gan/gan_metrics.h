// The figures of `gan eval`. Pure functions.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "features/types.h"

namespace auforge::tools {

// Fréchet distance between two clouds of feature rows (CV_32F or CV_64F, n x d), taken as Gaussians, after
// standardising by `real` and projecting on its first `dimensions` principal components:
// |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))  (Dowson & Landau 1982; on other features it is known as FID).
// Each cloud needs more rows than dimensions; throws std::invalid_argument otherwise.
double FrechetDistance(const cv::Mat& real, const cv::Mat& other, int dimensions);

// Mean distance of the landmarks that lie outside the mask (CV_8UC1, before's pixels), in inter-ocular
// distances.
double MovedOutside(const features::Landmarks68& before, const features::Landmarks68& after,
                    const cv::Mat& mask);

// Mean absolute difference of two pictures (CV_8UC3) where the mask is 0, in grey values 0..255.
double ChangedOutside(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask);

}  // namespace auforge::tools
