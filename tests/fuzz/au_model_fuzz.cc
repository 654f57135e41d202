// AU models: any file loads and predicts finite numbers, or is refused with a message.
#include <cmath>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "tests/fuzz/quick_hdf5.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static const fuzz::QuickHdf5 quick;
  try {
    const annotator::AuModel model = annotator::AuModel::Parse(std::span(data, size), "input");
    const features::FeatureExtractor extractor(model.info().features);
    const std::vector<float> row(extractor.Dimension(), 0.5F);
    for (const features::AuEstimate& estimate : model.Predict(row, 1)) {
      for (const float value : estimate.intensity) {
        if (!std::isfinite(value)) std::abort();
      }
      for (const float value : estimate.probability) {
        if (!std::isfinite(value)) std::abort();
      }
    }
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
