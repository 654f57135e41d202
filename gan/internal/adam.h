// Adam (Kingma & Ba 2015) over all parameters of a network in one pass through memory.
#pragma once

#include <vector>

#include "gan/internal/networks.h"

namespace auforge::gan {

struct AdamState {
  std::vector<torch::Tensor> mean;  // in the order of the parameters
  std::vector<torch::Tensor> square;
  std::int64_t step = 0;
};

AdamState MakeAdamState(const Parameters& p);
// Changes p and state in place, and writes p rounded into `reduced` (empty, or p.ReducedCopy() of before) in
// the same pass. Gradients may be of either's type; undefined ones are skipped.
void AdamStep(const Parameters& p, const std::vector<torch::Tensor>& gradients, const AdamOptions& options,
              AdamState& state, const Parameters& reduced = {});

}  // namespace auforge::gan
