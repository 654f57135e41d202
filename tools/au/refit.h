// The readout of a model fitted to labelled pictures: `auforge calibrate --refit`.
#pragma once

#include <string>
#include <vector>

#include "annotator/photo_readout.h"
#include "tools/au/au_data.h"

namespace auforge::tools {

// data: SPECs, as LoadTrainingData takes them, whose faces it looks for as `faces` says, with the model's
// landmarks where that names none. Throws what that throws, and
// std::invalid_argument for options or a model that cannot be refitted.
annotator::Refitted RefitToData(const annotator::AuModel& model, const std::vector<std::string>& data,
                                const FaceSearch& faces, const annotator::ReadoutOptions& options, int jobs,
                                const Log& log);

// What a model's provenance says of being calibrated with an option given these values: " --data a --data b".
std::string OptionText(const std::string& option, const std::vector<std::string>& values);

}  // namespace auforge::tools
