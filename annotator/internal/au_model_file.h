// The AU model's file with what only fuzzing needs: whoever writes a hostile model gets its checksum right,
// so damaged numbers must get past it; and numbers that are not compressed can be damaged one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "annotator/au_model.h"

namespace auforge::annotator {

inline constexpr int kAuModelGzip = 4;

// As AuModel::Parse. with_digest = false: whatever the file says its checksum is.
AuModel ParseAuModel(std::span<const std::uint8_t> bytes, const std::string& name, bool with_digest);
// As SaveWithLineage. gzip: 0 (none) to 9.
void SaveAuModel(const AuModel::Weights& weights, const std::string& path, int gzip, const std::string& lineage = "");

}  // namespace auforge::annotator
