// Figures of synthetic shards: how AUs, directions and occluders are distributed, how many faces the detector
// finds, and how far the landmarks it finds lie from the exact ones.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "features/au_schema.h"
#include "features/types.h"

namespace auforge::tools {

// Of one landmark, over frontal faces without occluders; in shares of the distance between the eyes, in the
// face's upright frame: x along the eyes to the image's right, y down.
struct LandmarkOffset {
  float mean_x = 0, mean_y = 0;  // detected minus exact: the systematic part
  float median = 0;              // of the distance
};

struct SynthStats {
  features::AuSchema schema;
  std::uint64_t pictures = 0, faces = 0;
  std::vector<std::array<std::uint64_t, 6>>
      histogram;                      // A; faces with intensity [0] = 0, (0,1) [1,2) [2,3) [3,4) [4,5]
  std::vector<std::uint64_t> active;  // A; faces with intensity >= 1
  std::vector<std::vector<std::uint64_t>> together;  // A x A; faces in which both are active
  std::map<int, std::uint64_t> yaw, pitch,
      roll;  // faces by exact angle, keys: lower ends of bins of 10 degrees
  std::map<std::string, std::uint64_t> occluders;  // faces by what is in front of them; "none" too
  std::array<std::uint64_t, 5> visible{};          // faces by visible fraction: < .2, < .4, < .6, < .8, <= 1
  // All pictures, found or not, of the head's direction and what is in front.
  std::uint64_t frontal = 0, frontal_found = 0;            // |yaw| < 30
  std::uint64_t bare_frontal = 0, bare_frontal_found = 0;  // and nothing in front
  std::array<LandmarkOffset, features::kLandmarkCount> offsets{};
  std::uint64_t measured = 0;     // faces that offsets come from
  float median_error = 0;         // of all landmarks, inter-ocular distances
  float median_error_pixels = 0;  // the same in pixels of the pictures
  float inner_error_pixels = 0;   // of landmarks 17..67, without the jaw line
  float picture_side = 0;         // their width, pixels
};

// Throws std::runtime_error naming a shard that is damaged or was not made by `auforge synth`.
SynthStats GatherSynthStats(const std::vector<std::string>& shards);

// Correlation (phi) of two AUs' activity, -1..1; 0 when one is never or always active.
double Correlation(const SynthStats& stats, std::size_t a, std::size_t b);

}  // namespace auforge::tools
