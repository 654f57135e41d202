// Where each pixel of an edited face comes from in the photo.
#pragma once

#include <array>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "datasets/synthetic/geometry.h"
#include "datasets/synthetic/renderer.h"
#include "gan/warp/internal/seams.h"

namespace auforge::warp::internal {

// The skin between an upper lid's rim and the brow, of which the model unfolds and hides parts that no photo shows.
struct LidSkin {
  Rim rim_before, rim_after;
  std::array<features::Point2, 5> brow_before, brow_after;  // from the picture's left to its right
  float share = 1;  // 0: as the mesh has it; 1: the lashes stay with the rim, what is above them stretches evenly to the brow
};

struct MovedSkin {
  std::span<const synthetic::MeshTriangle> triangles;
  std::span<const features::Point2> from, to;  // of each vertex, pixels of the picture; centres at .5
  std::span<const float> inverse_depth;        // of each vertex after the move, 1/cm
  std::span<const float> gain;                 // of each vertex
  std::span<const LidSkin> lids;
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
