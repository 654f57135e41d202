// The project's own face detector: a small net (features/grid_net.h) that says for every 8 x 8 pixels whether a face is
// there, where its box lies and where its eyes, nose and mouth corners are. Larger faces are found in the picture
// reduced by half, again and again. Whatever might be a face is looked at once more, at one size and in a mirror, too, which
// settles its score, box and points. No library of networks; the same bits whatever threads and processor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "annotator/face_detector.h"
#include "features/grid_net.h"

namespace auforge::annotator {

// A detector's file (docs/detector.md); the same bytes for the same net.
std::vector<std::uint8_t> DetectorBytes(const features::GridNet& net);
// Throws datasets::storage::BadContent naming file, fault and remedy; `name` stands for the file.
features::GridNet ParseDetector(std::span<const std::uint8_t> bytes, const std::string& name);

// Of boxes that overlap by more than that much (intersection over union), or lie in each other, the best is kept: the
// best first, at most `most`.
std::vector<features::Detection> BestOfEach(std::vector<features::Detection> found, float overlap, std::size_t most);

// For tests and trainers: of a net that is not in a file. digest: of its name.
std::unique_ptr<FaceDetector> MakeNetDetector(std::shared_ptr<const features::GridNet> net, const std::string& digest,
                                              float threshold);

// The net beside the installed program, else the one in the source tree.
std::string DefaultDetectorPath();

}  // namespace auforge::annotator
