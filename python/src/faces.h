// Faces as Python sees them: the numbers of all faces of an image (or of some faces of a shard) in one block of floats,
// a row each, of which auforge/_faces.py makes views.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/shard.h"

namespace auforge::python {

// A dict: values (F x n floats: box 4, pose 3, crop_from_image 6, quality, detector_score, emotion_score,
// landmarks 136, intensity A, probability A, visible A, left A, right A; visible 1 and halves NaN where they are not
// known), present (F x A), codes (F x 4: emotion, emotion_rule, face_index, halves are known), crops (list of bytes).
// visible: F x A, or empty. dense: F x 82 x 2, or empty; where it is not, the dict has it, too.
pybind11::dict PackFaces(std::span<const datasets::FaceRecord> faces, std::span<const float> visible, std::size_t aus,
                         const std::vector<float>& dense);

// key, url, keywords, licence, robots, status, width, height, sha256, frame, timestamp.
void PackSample(const datasets::SampleRecord& sample, pybind11::dict& into);

}  // namespace auforge::python
