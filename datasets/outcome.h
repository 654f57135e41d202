// What became of one image. Ordinary mishaps are data, written down with the sample; they are never exceptions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>
#include <string>

namespace auforge::datasets {

// Stored as u8 in shards with these names; append only, never renumber.
enum class Outcome : std::uint8_t {
  kOk = 0,           // at least one face was annotated
  kNoFace = 1,       // decoded, but no face was found
  kUndecodable = 2,  // not an image, or a damaged one
  kTooLarge = 3,     // more pixels or bytes than the limits allow
  kTooSmall = 4,     // fewer pixels than a face needs
  kLowQuality = 5,   // faces were found, all below the quality asked for
  kUnreadable = 6,   // the file or archive member could not be read
  kDuplicate = 7,    // same bytes as an earlier image of the run, skipped on request
  kUnsupported = 8,  // a picture of a format that is known and not read: HEIC, AVIF, camera raw, …
};

std::string_view OutcomeName(Outcome outcome);  // "ok", "no_face", …
std::vector<std::string> OutcomeNames();        // all, in numeric order

}  // namespace auforge::datasets
