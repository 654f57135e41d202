// Landmark weights: any bytes parse into trees whose indices fit, or into nets (of the 68 points, of dense ones) that answer
// with numbers, or are refused with a message.
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "annotator/dense_landmarker.h"
#include "annotator/internal/landmark_ensemble.h"
#include "annotator/net_landmarker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::annotator;
  try {
    if (IsNetLandmarker({data, size})) {
      const NetLandmarker nets = NetLandmarker::Parse({data, size}, "input");
      if (nets.Serialise() != std::vector<std::uint8_t>(data, data + size)) std::abort();
      return 0;
    }
    if (size >= 8 && std::memcmp(data, "AUFDENS1", 8) == 0) {
      const DenseLandmarker nets = DenseLandmarker::Parse({data, size}, "input");
      if (nets.Serialise() != std::vector<std::uint8_t>(data, data + size)) std::abort();
      return 0;
    }
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
