// Adam (Kingma & Ba 2015) over all parameters of a network in one pass through memory.
#pragma once

#include <vector>

#include "gan/internal/networks.h"

namespace auforge::gan {

struct AdamState {
  std::vector<torch::Tensor> mean;    // in the order of the parameters
  std::vector<torch::Tensor> square;
  std::int64_t step = 0;
};

AdamState MakeAdamState(const Parameters& p);
// Changes p and state in place.
void AdamStep(const Parameters& p, const std::vector<torch::Tensor>& gradients, const AdamOptions& options,
              AdamState& state);

}  // namespace auforge::gan
