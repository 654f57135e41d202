// A training's whole state as an HDF5 file that h5py reads: /generator/NAME and /discriminator/NAME are the
// weights by their published names, /generator_adam and /discriminator_adam the optimisers' moments,
// /generator_average (where there is one) the averaged generator.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "features/au_schema.h"
#include "gan/internal/steps.h"

namespace auforge::gan {

struct Checkpoint {
  TrainingState state;
  NetworkOptions network;
  features::AuSchema schema;
  std::string settings;   // JSON of everything that must not change between start and resume
  std::string lineage;    // of a loop of trainings (datasets/storage/lineage.h); empty: none
  std::int64_t step = 0;  // critic updates done
  double best_score = std::numeric_limits<double>::infinity();  // of the run so far; see TrainOptions

  // What edits faces: the average where there is one.
  const Parameters& BestGenerator() const {
    return state.generator_average.entries().empty() ? state.generator : state.generator_average;
  }
};

// Both networks by their published names, without the optimisers; the generator is the one that edits use.
void SaveWeights(const Checkpoint& checkpoint, const std::string& path);
// The generator that edits use alone, in 16-bit floats (half precision, as raw bits): what is given away.
void SaveGenerator(const Checkpoint& checkpoint, const std::string& path);

// Atomic: the file is whole or absent. Throws std::runtime_error naming file and reason.
void SaveCheckpoint(const Checkpoint& checkpoint, const std::string& path);
// Throws std::runtime_error: missing, cannot be read; storage::BadContent: damaged, another version. with_training
// false: the generator alone is read.
Checkpoint LoadCheckpoint(const std::string& path, bool with_training);
// "PATH: WHAT", unless WHAT names it already.
std::string WithPath(const std::string& path, const std::string& what);
// checkpoint_NNNNNNNN.h5 of a run, oldest first.
std::vector<std::string> FindCheckpoints(const std::string& run);
std::string CheckpointName(std::int64_t step);

}  // namespace auforge::gan
