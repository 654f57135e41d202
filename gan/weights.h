// Weights by the published parameter names, out of a run and into one. The file is HDF5: /generator/NAME and
// /discriminator/NAME hold the tensors; tools/gan/gan_weights.py turns it into PyTorch state dicts and back.
#pragma once

#include <optional>
#include <string>

#include "features/au_schema.h"

namespace auforge::gan {

// from: a checkpoint or a run's folder. half: the generator alone in 16-bit floats (raw bits; the attribute
// generator_type says float16). What is written can be edited with. Throws std::runtime_error naming the
// file.
void ExportWeights(const std::string& from, const std::string& to, bool half);

// What the user says of a file; nothing where the file is to tell, and else the published 128 pixels and 17 AUs.
struct ImportOptions {
  std::optional<int> image_size;             // pixels
  std::optional<features::AuSchema> schema;  // what the conditions mean, in order
};

// Strided layers of a critic where nobody says how many: the published 6, or as many as halve the picture to a pixel.
int UsualCriticLayers(int image_size);

// Makes RUN/checkpoint_00000000.h5, from which gan train goes on with any settings for the same networks. A
// critic that the file lacks starts afresh. Returns the checkpoint's path. Throws std::runtime_error naming
// the parameter that is missing or of another shape, or where the file itself tells another size or other AUs than the
// options.
std::string ImportWeights(const std::string& weights, const std::string& run, const ImportOptions& options);

}  // namespace auforge::gan
