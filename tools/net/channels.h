// Numbers of channels as options have them: "32,64,128,192".
#pragma once

#include <string>
#include <vector>

namespace auforge::tools {

// Throws UsageError naming the option.
std::vector<int> ParseChannels(const std::string& option, const std::string& text);

}  // namespace auforge::tools
