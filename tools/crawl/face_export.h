// Chosen faces through an exporter.
#pragma once

#include <vector>

#include "datasets/export/exporter.h"
#include "datasets/query/search.h"

namespace auforge::tools {

// in_order: faces come out in the order given (JSON lines and CSV only); else in that of the shards, each
// opened once. Notes of the exporter go to stderr. Ends with the stop signals.
void ExportFaces(const datasets::query::FaceIndex& index, std::vector<datasets::query::FaceReference> faces,
                 const datasets::ExportOptions& options, bool in_order);

}  // namespace auforge::tools
