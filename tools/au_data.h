// Labelled faces for train-au and eval-au, from any of the sources that a SPEC names.
//   shards:DIR                       faces of finished shards; labels are their AUs
//   landmarks:FACE.h5,count=N,seed=S exact landmarks of random model faces; shape features only
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "annotator/training.h"

namespace auforge::tools {

// name:path[,option=value]…
struct DataSpec {
  std::string name;
  std::string path;
  std::vector<std::pair<std::string, std::string>> options;
  // The option's number, or `fallback`; throws UsageError when it is none.
  std::uint64_t Number(const std::string& option, std::uint64_t fallback) const;
};
// Throws UsageError naming the text.
DataSpec ParseDataSpec(const std::string& text);

// Pools the specs. Throws UsageError for an unknown source, std::runtime_error for files.
annotator::TrainingData LoadTrainingData(const std::vector<std::string>& specs, const features::FeatureSpec& features,
                                         int jobs, const std::function<void(const std::string&)>& log);

}  // namespace auforge::tools
