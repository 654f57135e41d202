// Landmark weights: any bytes parse into trees whose indices fit, or are refused with a message.
#include <cstdlib>
#include <stdexcept>

#include "annotator/internal/landmark_ensemble.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::annotator;
  try {
    const LandmarkEnsemble ensemble = ParseLandmarkEnsemble(data, size, "input");
    for (const LandmarkCascade& cascade : ensemble.cascades) {
      if (cascade.splits.size() != cascade.trees * cascade.splits_per_tree) std::abort();
      for (const auto& split : cascade.splits) {
        if (split.first >= cascade.anchor.size() || split.second >= cascade.anchor.size()) std::abort();
      }
    }
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
