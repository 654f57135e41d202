// A report as one HTML file that needs nothing else: no network, no script; light and dark, printable.
#pragma once

#include <string>

#include "tools/crawl/report_data.h"
#include "tools/crawl/report_faces.h"
#include "tools/crawl/report_html.h"

namespace auforge::tools {

// title: shown on top. Every text that comes from the crawl is escaped.
std::string ReportPage(const ReportData& data, const ReportFaces& faces, const std::string& title);

}  // namespace auforge::tools
