// An AU model's file that says where it comes from. A model in memory has no lineage: what is made of a model that was read
// has another one, or none.
#pragma once

#include <string>

#include "annotator/au_model.h"

namespace auforge::annotator {

// As AuModel::Save. lineage: as datasets::storage::CanonicalLineage makes it; with "" the file is Save's.
void SaveWithLineage(const AuModel& model, const std::string& path, const std::string& lineage);

}  // namespace auforge::annotator
