// "AU12=0.8,AU6=0.5": the AUs a user asks for, 0..1; "AU45.left=1" of one half of the face.
#pragma once

#include <string>
#include <vector>

#include "features/au_partition.h"
#include "features/au_schema.h"

namespace auforge::tools {

struct AskedAu {
  std::size_t column = 0;  // of the schema
  float value = 0;         // 0..1
  features::FaceSide half = features::FaceSide::kBoth;
};
using AuRequest = std::vector<AskedAu>;

// Whether a request may ask one half of the face alone.
enum class Halves { kTaken, kRefused };

// Throws UsageError naming the part that is wrong and the AUs that can be asked for.
AuRequest ParseAuRequest(const std::string& text, const features::AuSchema& schema, Halves halves = Halves::kRefused);

// "AU1,AU2,AU12": a schema. Throws UsageError naming the part that is no AU.
features::AuSchema ParseAuList(const std::string& text);

// The generator's condition for a face that shows `current` (intensities 0..5 of `from`) with the request
// applied; with a half: what that half is to show.
std::vector<float> Condition(const features::AuSchema& schema, const features::AuSchema& from,
                             const std::vector<float>& current, const AuRequest& request,
                             features::FaceSide half = features::FaceSide::kBoth);

}  // namespace auforge::tools
