// AU models: any file loads and predicts finite numbers, or is refused with a message. The checksum is not
// asked: a hostile file has the right one.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "annotator/internal/au_model_file.h"
#include "tests/fuzz/quick_hdf5.h"

namespace {

void RequireWithin(float value, float least, float most) {
  if (!(value >= least && value <= most)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static const fuzz::QuickHdf5 quick;
  try {
    const annotator::AuModel model = annotator::ParseAuModel(std::span(data, size), "input", false);
    const features::FeatureExtractor extractor(model.info().features);
    // One face like another, and one of extremes.
    constexpr std::size_t kFaces = 2;
    std::vector<float> rows(kFaces * extractor.Dimension(), 0.5F);
    for (std::size_t c = extractor.Dimension(); c < rows.size(); ++c) rows[c] = c % 2 == 0 ? 100.0F : -100.0F;
    const std::vector<annotator::QualityEvidence> evidence{{1, 60, 0.3F, {5, -5, 1}, 0.05F}, {}};
    std::vector<std::uint8_t> visible;
    for (const features::AuEstimate& estimate : model.Predict(rows, kFaces, &visible, evidence)) {
      for (const float value : estimate.intensity) RequireWithin(value, 0, 5);
      for (const float value : estimate.probability) RequireWithin(value, 0, 1);
      RequireWithin(estimate.quality, 0, 1);
      for (std::size_t j = 0; j < estimate.present.size(); ++j) {
        if ((estimate.present[j] != 0) != (estimate.intensity[j] >= 1)) std::abort();
      }
    }
    if (std::any_of(visible.begin(), visible.end(), [](std::uint8_t v) { return v > 1; })) std::abort();
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
