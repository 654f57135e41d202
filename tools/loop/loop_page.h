// A round as one HTML file that needs nothing else: no network, no script.
#pragma once

#include <string>

#include "tools/loop/plan.h"
#include "tools/loop/work_folder.h"

namespace auforge::tools {

// Of a round that has been decided. Every text that comes from the crawl is escaped.
std::string LoopPage(const LoopPlan& plan, const WorkFolder& work, const RoundRecord& record);

}  // namespace auforge::tools
