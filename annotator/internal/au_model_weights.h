// The numbers of an AU model, as the learners make them and the file stores them. All matrices row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "annotator/au_model.h"

namespace auforge::annotator {

// z = (x[begin, begin+size) - mean) * projection; the scaling to unit variance and the whitening are folded into the
// projection, so that prediction is one product a block.
struct BlockProjection {
  std::string name;
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t components = 0;
  std::vector<float> mean;        // size
  std::vector<float> projection;  // size x components
};

struct AuCalibration {
  float threshold = 0;  // score at which the intensity is 1, hence the AU present
  float gain = 1;       // intensity = 1 + gain * (score - threshold), clamped to 0..5; > 0
  float slope = 1;      // probability = 1 / (1 + exp(-slope * (score - threshold))); > 0
};

struct AuModel::Weights {
  AuModelInfo info;
  std::vector<BlockProjection> blocks;
  std::uint64_t components = 0;      // K, of all blocks together
  float gamma = 0;                   // kernel exp(-gamma |z - c|^2), > 0
  std::uint64_t centre_count = 0;    // C
  std::vector<float> centres;        // C x K
  std::vector<float> coefficients;   // C x A
  std::vector<float> bias;           // A
  std::vector<AuCalibration> calibration;  // A

  // Throws std::invalid_argument naming what does not fit or is not finite.
  void Validate() const;
  // SHA-256 over everything that influences a prediction.
  std::string Digest() const;
  // Projected rows: n x K from n x Dimension.
  std::vector<float> Project(const float* features, std::size_t n, std::size_t dimension) const;
  // Scores before calibration, n x A, from projected rows.
  std::vector<float> Scores(const std::vector<float>& projected, std::size_t n) const;
};

// exp(-gamma |z_i - c_j|^2), n x count, by one product.
std::vector<float> RbfKernel(const float* rows, std::size_t n, const float* centres, std::size_t count,
                             std::size_t components, float gamma);

}  // namespace auforge::annotator
