// Loss terms of many updates, left where they were computed and read together, so that no step waits for the device.
// Used by one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gan/internal/losses.h"

namespace auforge::gan {

class DeferredTerms {
 public:
  void Add(const LossTerms& terms);
  std::size_t size() const { return updates_.size(); }
  // Of every update since the last call, in their order. Waits for the device.
  std::vector<std::map<std::string, double>> Read();

 private:
  struct Update {
    std::vector<std::pair<std::string, double>> factors;  // by name
    torch::Tensor values;                                 // as many
  };
  std::vector<Update> updates_;
};

}  // namespace auforge::gan
