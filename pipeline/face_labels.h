// What an AU model says of faces, as shards store it. Pure; safe to call from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "datasets/shard.h"

namespace auforge::pipeline {

// Columns beside format 1: what the quality owes to the image alone, and labelling a face again from its crop needs to
// know: ExaminedImage::trust, where it is not 1 or the detector's finds need confirmation, and scale, where it is not 1.
inline constexpr const char* kTrustColumn = "/faces/detection_trust";
inline bool DoubtsFaces(const std::string& detector) { return detector.starts_with("yunet"); }
inline constexpr const char* kScaleColumn = "/samples/examined_scale";

// Dense points of every face, faces x 82 x 2, pixels of the image (annotate --dense).
inline constexpr const char* kDenseColumn = "/faces/landmarks_dense";

// Sets AUs, halves, quality and emotions of n records. rows: row-major n x the features' dimension; evidence: n. On entry
// a record's quality is the trust in its detection, 0..1, by which the model's is lowered. What a face gets does not
// depend on the others. Returns n x AUs: 0 where the AU's region cannot be seen.
std::vector<std::uint8_t> LabelFaces(const annotator::AuModel& model, std::span<const float> rows,
                                     std::span<const annotator::QualityEvidence> evidence,
                                     std::span<datasets::FaceRecord> records);

}  // namespace auforge::pipeline
