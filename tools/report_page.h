// A report as one HTML file that needs nothing else: no network, no script; light and dark, printable.
#pragma once

#include <string>

#include "tools/report_data.h"

namespace auforge::tools {

// title: shown on top. Every text that comes from the crawl is escaped.
std::string ReportPage(const ReportData& data, const std::string& title);

// & < > " ' as entities.
std::string EscapeHtml(const std::string& text);

}  // namespace auforge::tools
