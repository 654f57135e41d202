// The linear readout of what the heads say, and what is remembered of renders to hold its refits back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace auforge::annotator {

// score = matrix u + bias; u: the heads' scores of all AUs, and where the learnt net has opinions its intensities of all
// AUs and its logits of all.
struct Readout {
  std::vector<float> matrix;  // A x U
  std::vector<float> bias;    // A
  bool empty() const { return matrix.empty(); }
};

// Of u over renders of people that the heads were not trained on.
struct RenderMoments {
  std::vector<float> mean;             // U
  std::vector<float> covariance;       // U x U
  std::vector<float> cross;            // U x A, with the labels, over the rows where they are known
  std::vector<float> label_deviation;  // A; 0 = never labelled
  bool empty() const { return mean.empty(); }
};

// rows: n x U, labels: n x A, NaN = not known.
RenderMoments MomentsOf(const std::vector<float>& rows, const std::vector<float>& labels, std::size_t n,
                        std::size_t inputs, std::size_t aus);

}  // namespace auforge::annotator
