// The pictures of a label set, wherever they are: files, members of tars, frames of videos.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "datasets/labels/label_set.h"
#include "tools/au/au_data.h"

namespace auforge::tools {

// What happens with the bytes of the set's i-th image; called from several threads.
using Visit = std::function<void(std::size_t i, std::span<const std::uint8_t> encoded)>;

// Every image of the set, in any order, jobs at a time. Returns how many could not be had, because their video
// ends before or their tar no longer holds them; each video and tar is named with the number. Throws std::runtime_error
// naming both numbers where a video has another number of frames than its labels speak of (LabelSet::frames_of_video).
std::size_t VisitPictures(const datasets::LabelSet& set, int jobs, const Log& log, const Visit& visit);

// Leaves out images whose picture, byte for byte, an earlier image of the set has under another name, whatever the
// part of either: what one learns from must not be judged by. Names each and returns their number. Frames of videos
// are not looked at.
std::size_t DropRepeated(datasets::LabelSet& set, const Log& log);

}  // namespace auforge::tools
