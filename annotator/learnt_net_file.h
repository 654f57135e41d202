// Learnt nets as files of their own (docs/au-model-format.md), before a model has taken them in.
#pragma once

#include <memory>
#include <string>

#include "features/learnt_net.h"

namespace auforge::annotator {

// A net file, or an AU model that has taken one in. Throws std::runtime_error naming file, fault and remedy; where the file can be read
// and is no such thing, storage::BadContent.
std::shared_ptr<const features::LearntNet> LoadLearntNet(const std::string& path);
// The same; nullptr for a file that begins as neither.
std::shared_ptr<const features::LearntNet> LoadIfLearntNet(const std::string& path);
// Atomically.
void SaveLearntNet(const features::LearntNet& net, const std::string& path);

}  // namespace auforge::annotator
