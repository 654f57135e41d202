// Texts as shards hold them.
#pragma once

#include <string>

namespace auforge::datasets {

// Valid UTF-8 of at most layout::kLongestText bytes without zeros; what is not is replaced or cut.
std::string StoredText(const std::string& text);

}  // namespace auforge::datasets
