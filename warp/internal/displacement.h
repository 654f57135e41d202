// Where each pixel of an edited face comes from in the photo.
#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::warp::internal {

namespace synthetic = datasets::synthetic;

struct MovedSkin {
  std::span<const synthetic::MeshTriangle> triangles;
  std::span<const features::Point2> from, to;  // of each vertex, pixels of the picture; centres at .5
  std::span<const float> inverse_depth;        // of each vertex after the move, 1/cm
  std::span<const float> gain;                 // of each vertex
  float pixels_per_cm = 1;
};

struct Displacement {
  cv::Mat source;  // CV_32FC2: the place in the photo, centres at .5
  // What of the moved skin each pixel shows, rows from the top; triangles are rows of MovedSkin::triangles.
  std::vector<synthetic::VisibilityBuffer::Hit> hits;
  cv::Mat gain;    // CV_32FC1: how much brighter the skin becomes in linear light; 1 beyond the skin
};

// Over the skin what the mesh says; beyond it the movement of its outline, which dies away within a few cm, so that
// nothing tears and what lies behind does not bend.
Displacement Displace(const MovedSkin& skin, cv::Size size);

}  // namespace auforge::warp::internal
