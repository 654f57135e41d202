// "AU12=0.8,AU6=0.5": the AUs a user asks for, 0..1.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "features/au_schema.h"

namespace auforge::tools {

using AuRequest = std::vector<std::pair<std::size_t, float>>;  // column of the schema, value

// Throws UsageError naming the part that is wrong and the AUs that can be asked for.
AuRequest ParseAuRequest(const std::string& text, const features::AuSchema& schema);

// "AU1,AU2,AU12": a schema. Throws UsageError naming the part that is no AU.
features::AuSchema ParseAuList(const std::string& text);

// The generator's condition for a face that shows `current` (intensities 0..5 of `from`) with the request
// applied.
std::vector<float> Condition(const features::AuSchema& schema, const features::AuSchema& from,
                             const std::vector<float>& current, const AuRequest& request);

}  // namespace auforge::tools
