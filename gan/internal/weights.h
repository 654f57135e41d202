// Weights without their optimisers, of whatever file holds them.
#pragma once

#include <string>

#include "gan/internal/checkpoint.h"
#include "gan/weights.h"

namespace auforge::gan {

// from: a run's folder (its newest checkpoint), a checkpoint, a file of ExportWeights (16-bit too) or one
// with the published names alone, for which options tell what it does not. The generator is the one that
// edits use. The critic is empty where the file has none; step and settings are those of a new training.
// Throws std::runtime_error naming file and reason.
Checkpoint ReadWeights(const std::string& from, const ImportOptions& options);

}  // namespace auforge::gan
