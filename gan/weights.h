// Weights by the published parameter names, out of a run and into one. The file is HDF5: /generator/NAME and
// /discriminator/NAME hold the tensors; tools/gan/gan_weights.py turns it into PyTorch state dicts and back.
#pragma once

#include <string>

#include "features/au_schema.h"

namespace auforge::gan {

// from: a checkpoint or a run's folder. half: the generator alone in 16-bit floats (raw bits; the attribute
// generator_type says float16). What is written can be edited with. Throws std::runtime_error naming the
// file.
void ExportWeights(const std::string& from, const std::string& to, bool half);

struct ImportOptions {
  int image_size = 128;                               // pixels; told by the critic where the file has one
  features::AuSchema schema = features::GanSchema();  // what the conditions mean, in order
};

// Makes RUN/checkpoint_00000000.h5, from which gan train goes on with any settings for the same networks. A
// critic that the file lacks starts afresh. Returns the checkpoint's path. Throws std::runtime_error naming
// the parameter that is missing or of another shape.
std::string ImportWeights(const std::string& weights, const std::string& run, const ImportOptions& options);

}  // namespace auforge::gan
