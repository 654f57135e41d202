// The halves of the face: how much stronger each AU is on the subject's left than on the right.
//
// One machine, `half`, looks at the columns of one half of the face: at those of the left for the left one, at their
// mirror images for the right one. What all columns say beyond that comes from their odd part, half the difference of a
// column and its mirror image, which changes its sign when the picture is mirrored:
//   d = scale * (half(left) - half(right) + [z, k] . coefficients),   z = odd part, projected,
//   k_c = exp(-g |e - e_c|^2 - h |z - z_c|^2) - exp(-g |e - e_c|^2 - h |z + z_c|^2),   e = the first head's projection
// so that a mirrored picture gets its halves exchanged; 2 d |d| / (|d| + 2) is told, since most faces are even and small
// differences noise. The stronger half is as intense as the face as a whole, which is what labels mean in training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "annotator/internal/head.h"

namespace auforge::annotator {

struct SideHead {
  std::vector<std::uint32_t> aus;       // S columns of the schema; empty: the model does not tell halves
  Head half;  // may have no blocks and say nothing; scores of the S AUs; each input's first column is of the left half, its second one the mirror image
  std::vector<BlockProjection> blocks;  // inputs are half the differences of their two columns; the means are 0
  std::uint64_t components = 0;         // Z, of all blocks together
  std::uint64_t centre_count = 0;       // C, may be 0
  float even_gamma = 1, odd_gamma = 1;  // g, h > 0
  std::vector<float> even_centres;      // C x K of the first head
  std::vector<float> odd_centres;       // C x Z
  std::vector<float> coefficients;      // (Z + C) x S
  std::vector<float> scale;             // S: > 0; d is a difference in intensities

  PackedMatrix even_packed, odd_packed;  // of the centres, by Prepare()
  std::vector<float> even_norms, odd_norms;

  bool empty() const { return aus.empty(); }
  void Prepare();
  // n x S: half(left) - half(right).
  std::vector<float> HalfDifferences(const float* features, std::size_t n, std::size_t dimension) const;
  // n x (Z + C): what the coefficients weigh. even: n x K of the first head. Needs Prepare().
  std::vector<float> Design(const float* features, const std::vector<float>& even, std::size_t n,
                            std::size_t dimension) const;
  // n x S, left less right in intensities. Needs Prepare().
  std::vector<float> Differences(const float* features, const std::vector<float>& even, std::size_t n,
                                 std::size_t dimension) const;
};

// The halves of an AU from the face's intensity (0..5) and the difference left - right in intensities: the stronger is
// `intensity`, the other one is weaker by the difference. Where the face shows less than a present AU, a half may show as
// much as the difference, but stays below 1: presence is never contradicted.
struct Halves {
  float left = 0, right = 0;
};
Halves HalvesOf(float intensity, float difference);

}  // namespace auforge::annotator
