// Which faces a report shows: typical ones of each emotion, and the strongest of each Action Unit.
#pragma once

#include <string>
#include <vector>

#include "tools/crawl/report_data.h"

namespace auforge::tools {

struct TypicalFaces {
  std::string emotion;
  std::uint64_t of = 0;              // faces of that emotion
  std::vector<FaceReference> faces;  // nearest to the mean of their AU intensities first
};
struct ExtremeFaces {
  std::string au;                    // "AU12"
  std::vector<FaceReference> faces;  // strongest first; all with the AU present
};
struct ReportFaces {
  std::vector<TypicalFaces> typical;  // emotions with the most faces first
  std::vector<ExtremeFaces> extreme;  // in the order of the AUs
};

// Reads every shard of `data` twice, one at a time. Faces whose quality is below `min_quality` (0..1) are
// chosen only where there are no better ones. At most `each` faces a row.
ReportFaces ChooseReportFaces(const ReportData& data, std::size_t each, float min_quality);

}  // namespace auforge::tools
