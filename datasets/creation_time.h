// When a file was made, as its attributes say it.
#pragma once

#include <string>

namespace auforge::datasets {

// "2026-01-31T12:00:00Z": now, or SOURCE_DATE_EPOCH (seconds) where whole files are to be compared. Throws
// std::invalid_argument where that variable is set and no whole number of seconds.
std::string CreationTime();

}  // namespace auforge::datasets
