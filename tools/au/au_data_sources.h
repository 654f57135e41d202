// The sources that LoadTrainingData pools; each adds its rows to `data`. `identity_base`: the first number
// for its people.
#pragma once

#include "tools/au/au_data.h"

namespace auforge::tools {

// Adds rows of zeros that can be seen; returns the first of them.
std::size_t AddRows(annotator::TrainingData& data, std::size_t count, std::size_t dimension);

void LoadShards(const DataSpec& spec, int jobs, std::int64_t identity_base, annotator::TrainingData& data);
// Returns whether every labelled picture was there.
bool LoadLabelled(const DataSpec& spec, const FaceSearch& faces, int jobs, std::int64_t identity_base,
                  annotator::TrainingData& data, const Log& log);

}  // namespace auforge::tools
